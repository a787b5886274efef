/**
 * Faults that the system itself makes: a full disk, limits, a read-only file system, fsyncs that fail, SIGKILL at a system
 * call. Each needs something of the machine; what is missing is said in the title of the test that is skipped then.
 * DAYBOOK_SYSCALL_KILLS: how many system calls are met by SIGKILL (default 8).
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openCache } from '../../src/index.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'
import { Rounds, sorted, start } from './processes.js'

const SYSCALL_KILLS = Number(process.env['DAYBOOK_SYSCALL_KILLS'] ?? 8)

// ── what the machine lets us do ──

const works = (command: string, ...parameters: string[]) => spawnSync(command, parameters).status === 0
const canMount = (() => {
  const folder = mkdtempSync(join(tmpdir(), 'daybook-mount-'))
  const can = works('mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder) && works('umount', folder)
  rmSync(folder, { recursive: true })
  return can
})()
const canLimit = works('prlimit', '--fsize=1000000:', 'true')
const canTrace = works('strace', '-f', '-o', '/dev/null', '-e', 'inject=fdatasync:error=EIO', 'true')

function when(can: boolean, needs: string): [typeof test | typeof test.skip, string] {
  return can ? [test, ''] : [test.skip, ` (skipped: ${needs})`]
}

function mounted(t: ExecutionContext, options: string): string {
  const folder = temporaryDirectory(t)
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder])
  t.teardown(() => spawnSync('umount', ['-l', folder]))
  return folder
}

async function holdsRounds(t: ExecutionContext, directory: string, atLeast: number): Promise<number> {
  const cache = await openCache({ directory, maxSize: 100_000, compaction: false })
  const left = (cache.peek('left') as number | undefined) ?? 0
  t.true(left >= atLeast, `${left} of ${atLeast}`)
  const next = `key ${(left + 1) % 97}`
  const own = ([key]: [string, unknown]) => key !== next
  t.deepEqual(sorted(cache).filter(own), (await Rounds.begin()).entriesAfter(left).filter(own))
  await cache.close()
  return left
}

// ── full disks ──

const [onTmpfs, noMount] = when(canMount, 'mounting a tmpfs takes root')

onTmpfs(`ENOSPC: refused clearly, reads go on, and it resumes when there is room${noMount}`, async (t) => {
  const folder = mounted(t, 'size=256k')
  const directory = join(folder, 'journal')
  const running = start(t, ['fill', directory, 'everysec'])
  await running.told(3)
  const [stopped, reads, flush] = running.lines as [string, string, string]
  const [code, rounds] = stopped.split(' ') as [string, string]
  t.is(code, 'JOURNAL_WRITE_FAILED')
  t.true(Number(reads.split(' ')[1]) >= Number(rounds))
  t.is(flush, 'flush JOURNAL_WRITE_FAILED')
  execFileSync('mount', ['-o', 'remount,size=2m', folder])
  running.child.stdin?.write('go\n')
  const { errors } = await running.ended
  t.is(running.lines[4], 'close resolved', errors)
  const [outcome, last] = (running.lines[3] as string).split(' ') as [string, string]
  t.is(outcome, 'enough')
  t.true(Number(last) > Number(rounds))
  t.is(await holdsRounds(t, directory, Number(last)), Number(last))
})

onTmpfs(`ENOSPC for good: close says so, and what was written before is there${noMount}`, async (t) => {
  const folder = mounted(t, 'size=256k')
  const directory = join(folder, 'journal')
  const running = start(t, ['fill', directory, 'everysec'])
  await running.told(3)
  const rounds = Number((running.lines[0] as string).split(' ')[1])
  running.child.kill('SIGKILL')
  await running.ended
  execFileSync('mount', ['-o', 'remount,size=2m', folder])
  await holdsRounds(t, directory, rounds - 2) // the refused round's first call may have been what did not fit
})

onTmpfs(`EROFS: a journal on a read-only file system is refused clearly${noMount}`, async (t) => {
  const folder = mounted(t, 'size=1m')
  const directory = join(folder, 'journal')
  const cache = await openCache({ directory })
  cache.set('right', 5)
  await cache.close()
  execFileSync('mount', ['-o', 'remount,ro', folder])
  const running = start(t, ['try', directory])
  await running.ended
  t.deepEqual(running.lines, ['JOURNAL_UNREADABLE'])
  execFileSync('mount', ['-o', 'remount,rw', folder])
  const again = start(t, ['try', directory])
  await again.ended
  t.deepEqual(again.lines, ['opened 5'])
})

onTmpfs(`no inodes: a segment that cannot be begun is no obstacle${noMount}`, async (t) => {
  const folder = mounted(t, 'size=4m,nr_inodes=5')
  const directory = join(folder, 'journal')
  const running = start(t, ['flush', directory, 'everysec'])
  const { errors } = await running.ended
  const rounds = running.lines.map(Number).filter(Number.isFinite)
  t.is(rounds.at(-1), 40, `${running.lines.join()} ${errors}`)
  t.is(running.lines.at(-1), 'close resolved')
  execFileSync('mount', ['-o', 'remount,size=4m,nr_inodes=100', folder])
  await holdsRounds(t, directory, 40)
})

// ── limits ──

const [withLimits, noLimits] = when(canLimit, 'there is no prlimit')

withLimits(`EFBIG: a file size limit is refused clearly, and nothing is lost${noLimits}`, async (t) => {
  const directory = join(temporaryDirectory(t), 'journal')
  const running = start(t, ['fill', directory, 'everysec'], ['prlimit', '--fsize=100000:'])
  await running.told(3)
  const [stopped, , flush] = running.lines as [string, string, string]
  const [code, rounds] = stopped.split(' ') as [string, string]
  t.is(code, 'JOURNAL_WRITE_FAILED')
  t.is(flush, 'flush JOURNAL_WRITE_FAILED')
  execFileSync('prlimit', [`--pid=${running.child.pid}`, '--fsize=unlimited:'])
  running.child.stdin?.write('go\n')
  const { errors } = await running.ended
  t.is(running.lines[4], 'close resolved', errors)
  const last = Number((running.lines[3] as string).split(' ')[1])
  t.true(last > Number(rounds))
  t.is(await holdsRounds(t, directory, last), last)
})

withLimits(`EMFILE: without file handles the journal goes on, and nothing is lost${noLimits}`, async (t) => {
  const directory = join(temporaryDirectory(t), 'journal')
  const running = start(t, ['starve', directory, 'everysec'])
  const { errors } = await running.ended
  t.deepEqual(running.lines.slice(-2), ['40', 'close resolved'], `${running.lines.join()} ${errors}`)
  t.true(running.lines.includes('starved'))
  await holdsRounds(t, directory, 40)
})

// ── strace ──

const [traced, noTrace] = when(canTrace, 'there is no strace that may inject faults')

for (const [what, rule] of [
  ['fails once', 'inject=fdatasync:error=EIO:when=9'],
  ['fails from some moment on', 'inject=fdatasync:error=EIO:when=12+'],
] as const) {
  traced(`an fsync that ${what}: read-only, nothing acknowledged is lost, reopening recovers${noTrace}`, async (t) => {
    const directory = join(temporaryDirectory(t), 'journal')
    const trace = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=fdatasync', '-e', rule]
    const running = start(t, ['flush', directory, 'always'], trace, {
      env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
    })
    const { errors } = await running.ended
    const durable = Math.max(0, ...running.lines.map(Number).filter(Number.isFinite))
    t.true(durable > 0 && durable < 40, `${running.lines.join()} ${errors}`)
    t.true(
      running.lines.some((line) => /^(OUTCOME_UNKNOWN|JOURNAL_READ_ONLY)$/.test(line)),
      running.lines.join(),
    )
    await holdsRounds(t, directory, durable)
  })
}

traced(`a new directory and its parents are forced to disk with their names${noTrace}`, async (t) => {
  const folder = temporaryDirectory(t)
  const log = join(folder, 'trace')
  const directory = join(folder, 'a', 'b')
  const running = start(t, ['try', directory], ['strace', '-f', '-qq', '-y', '-o', log, '-e', 'trace=fsync'])
  await running.ended
  t.deepEqual(running.lines, ['opened undefined'])
  const synced = [...readFileSync(log, 'utf8').matchAll(/fsync\(\d+<([^>]*)>\)/g)].map((match) => match[1])
  for (const path of [folder, join(folder, 'a'), directory]) t.true(synced.includes(path), `${path} in ${synced}`)
})

traced(`SIGKILL at a system call: nothing acknowledged is lost${noTrace}`, async (t) => {
  t.timeout(60 * 60_000)
  const calls = ['pwrite64', 'fdatasync', 'fsync', 'rename', 'unlink', 'ftruncate', 'openat', 'write']
  let killed = 0
  for (let kill = 0; kill < SYSCALL_KILLS; kill++) {
    const directory = join(temporaryDirectory(t), 'journal')
    mkdirSync(directory)
    const call = calls[kill % calls.length] as string
    // Loading the program opens and writes files too; it takes some hundreds of calls until it comes to ours.
    const at = call === 'openat' ? 600 + 3 * kill : 1 + Math.floor(kill / calls.length)
    const trace = [
      'strace',
      '-f',
      '-qq',
      '-o',
      '/dev/null',
      '-e',
      `trace=${call}`,
      '-e',
      `inject=${call}:signal=KILL:when=${at}`,
    ]
    const running = start(t, ['flush', directory, 'always'], trace, {
      env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
    })
    const { code, signal } = await running.ended
    if (code !== 0 || signal !== null) killed++
    const durable = Math.max(0, ...running.lines.map(Number).filter(Number.isFinite))
    await holdsRounds(t, directory, durable)
  }
  console.log(`SIGKILL at system calls: ${killed} of ${SYSCALL_KILLS} runs were killed, 0 lost`)
  t.true(killed > 0)
})
