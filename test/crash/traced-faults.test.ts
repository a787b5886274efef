/**
 * Faults injected at system calls by strace: fsyncs, writes and renames that fail or are slow, SIGKILL. Skipped where strace is
 * missing or may not inject. DAYBOOK_SYSCALL_KILLS: how many kills at system calls. DAYBOOK_FSYNC_DELAY_MS: how long the slow
 * fsync takes.
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { canTrace, when } from '../helpers/crash/machine.js'
import { holdsRounds, start } from '../helpers/crash/processes.js'
import { countFrom } from '../helpers/runs.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const SYSCALL_KILLS = countFrom('DAYBOOK_SYSCALL_KILLS', 8)
const FSYNC_DELAY_MS = countFrom('DAYBOOK_FSYNC_DELAY_MS', 200)

const [traced, noTrace] = when(canTrace, 'strace is missing or may not inject faults')

for (const [what, rule] of [
  ['fails once', 'inject=fdatasync:error=EIO:when=9'],
  ['fails from then on', 'inject=fdatasync:error=EIO:when=12+'],
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

/** `when` counts per thread, so all work outside the main thread must be done by one. */
const oneThread = { env: { ...process.env, UV_THREADPOOL_SIZE: '1' } }
const inject = (call: string, fault: string) => [
  'strace',
  '-f',
  '-qq',
  '-o',
  '/dev/null',
  '-e',
  `trace=${call}`,
  '-e',
  `inject=${call}:${fault}`,
]
const roundsOf = (lines: readonly string[]) => lines.map(Number).filter(Number.isFinite)

for (const error of ['EROFS', 'ENOSPC', 'EIO', 'EDQUOT']) {
  traced(`writes that fail with ${error} for a while: refused, retried, and nothing is lost${noTrace}`, async (t) => {
    const directory = join(temporaryDirectory(t), 'journal')
    const running = start(
      t,
      ['persist', directory, 'always'],
      inject('pwrite64', `error=${error}:when=20..24`),
      oneThread,
    )
    const { errors } = await running.ended
    t.is(running.lines.at(-1), 'close resolved', `${running.lines.join()} ${errors}`)
    t.deepEqual(
      roundsOf(running.lines),
      Array.from({ length: 40 }, (_, at) => at + 1),
    )
    t.deepEqual(
      [...new Set(running.lines.filter((line) => line.includes('_')))],
      ['JOURNAL_WRITE_FAILED'],
      running.lines.join(),
    )
    t.is(await holdsRounds(t, directory, 40), 40)
  })
}

for (const [what, call, fault] of [
  ['a rename that fails', 'rename', 'error=EIO:when=1..2'],
  ['an fsync of the directory that fails', 'fsync', 'error=EIO:when=4..9'],
  ['a directory that can never be synced again', 'fsync', 'error=EIO:when=4+'],
  ['unlinks that fail', 'unlink', 'error=EPERM'],
] as const) {
  traced(`${what} during compaction: the cache keeps working, and nothing is lost${noTrace}`, async (t) => {
    const directory = join(temporaryDirectory(t), 'journal')
    const running = start(t, ['persist', directory, 'always'], inject(call, fault), oneThread)
    const { errors } = await running.ended
    t.is(running.lines.at(-1), 'close resolved', `${running.lines.join()} ${errors}`)
    t.is(roundsOf(running.lines).length, 40)
    const failures = running.lines.filter((line) => line === 'COMPACTION_FAILED')
    t.is(failures.length > 0, call !== 'unlink', running.lines.join())
    t.is(await holdsRounds(t, directory, 40), 40)
  })
}

traced(`a slow fsync: pending bytes are bounded, and everything is durable at the end${noTrace}`, async (t) => {
  const directory = join(temporaryDirectory(t), 'journal')
  const delay = `delay_enter=${FSYNC_DELAY_MS * 1_000}:when=2`
  const running = start(t, ['slow', directory, 'never'], inject('fdatasync', delay), oneThread)
  const { errors } = await running.ended
  t.is(running.lines.at(-1), 'close resolved', errors)
  const pendingBytes = Number(running.lines.find((line) => line.startsWith('pending '))?.split(' ')[1])
  t.true(pendingBytes < 512 * 1024, `${pendingBytes} bytes`)
  t.is(await holdsRounds(t, directory, 3_000), 3_000)
})

traced(`a new directory and its parents are synced${noTrace}`, async (t) => {
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
    // Loading the program takes some hundreds of calls before the first of the journal.
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
