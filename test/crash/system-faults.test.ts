/**
 * Faults of the real system: a full disk, limits, a read-only file system. Where the machine does not allow one, its test is
 * skipped and says why in its title.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { type JournalFigures, openCache } from '../../src/index.js'
import { canLimit, canMount, when } from '../helpers/crash/machine.js'
import { holdsRounds, start } from '../helpers/crash/processes.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

function mounted(t: ExecutionContext, options: string): string {
  const folder = temporaryDirectory(t)
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder])
  t.teardown(() => spawnSync('umount', ['-l', folder]))
  return folder
}

// ── full disks ──

const [onTmpfs, noMount] = when(canMount, 'mounting a tmpfs takes root')

onTmpfs(`ENOSPC: writes are refused, reads work, and writing resumes when there is room${noMount}`, async (t) => {
  const folder = mounted(t, 'size=256k')
  const directory = join(folder, 'journal')
  const running = start(t, ['fill', directory, 'everysec'])
  await running.printed(3)
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

onTmpfs(`ENOSPC until the process is killed: everything written before is there${noMount}`, async (t) => {
  const folder = mounted(t, 'size=256k')
  const directory = join(folder, 'journal')
  const running = start(t, ['fill', directory, 'everysec'])
  await running.printed(3)
  const rounds = Number((running.lines[0] as string).split(' ')[1])
  running.child.kill('SIGKILL')
  await running.ended
  execFileSync('mount', ['-o', 'remount,size=2m', folder])
  await holdsRounds(t, directory, rounds - 2) // the refused round's first call may have been what did not fit
})

onTmpfs(`ENOSPC at close: it rejects, the cache stays open, and a later close loses nothing${noMount}`, async (t) => {
  const folder = mounted(t, 'size=1m')
  const directory = join(folder, 'journal')
  const cache = await openCache<string>({ directory, maxSize: Number.POSITIVE_INFINITY })
  const text = 'x'.repeat(1_000)
  let kept = 0
  const fill = () => {
    for (; ; kept++) cache.set(`k${kept}`, text)
  }
  t.throws(fill, { code: 'JOURNAL_WRITE_FAILED' })
  t.true(kept > 500)
  const { sequence, pendingBytes } = cache.stats().journal as JournalFigures
  t.is(sequence, kept)
  t.true(pendingBytes > 0)
  const error = await t.throwsAsync(cache.close(), { code: 'JOURNAL_WRITE_FAILED' })
  t.regex(error?.message ?? '', new RegExp(`${kept} could not be written \\(ENOSPC.*${pendingBytes} bytes`))
  t.is(cache.size, kept)
  execFileSync('mount', ['-o', 'remount,size=4m', folder])
  await cache.close()
  const again = await openCache({ directory, maxSize: Number.POSITIVE_INFINITY })
  t.is(again.size, kept)
  t.true(again.recovery.clean)
  await again.close()
})

onTmpfs(`ENOSPC at close with force: it says what is lost, and the rest is there${noMount}`, async (t) => {
  const folder = mounted(t, 'size=1m')
  const directory = join(folder, 'journal')
  const cache = await openCache<string>({ directory, maxSize: Number.POSITIVE_INFINITY })
  let set = 0
  t.throws(
    () => {
      for (; ; set++) cache.set(`k${set}`, 'x'.repeat(1_000))
    },
    { code: 'JOURNAL_WRITE_FAILED' },
  )
  const error = await t.throwsAsync(cache.close({ force: true }), { code: 'JOURNAL_WRITE_FAILED' })
  const last = Number(/ends with sequence (\d+)\./.exec(error?.message ?? '')?.[1])
  execFileSync('mount', ['-o', 'remount,size=4m', folder])
  const again = await openCache({ directory, maxSize: Number.POSITIVE_INFINITY })
  t.is(again.recovery.sequence, last)
  t.is(again.size, last)
  t.true(last < set)
  await again.close()
})

onTmpfs(`EROFS: opening a journal on a read-only file system is refused${noMount}`, async (t) => {
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

onTmpfs(`no inodes: writing continues in the old segment, and nothing is lost${noMount}`, async (t) => {
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

const [withLimits, noLimits] = when(canLimit, 'prlimit is missing')

withLimits(`EFBIG: writes beyond a file size limit are refused, and nothing is lost${noLimits}`, async (t) => {
  const directory = join(temporaryDirectory(t), 'journal')
  const running = start(t, ['fill', directory, 'everysec'], ['prlimit', '--fsize=100000:'])
  await running.printed(3)
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

withLimits(`EMFILE: without file handles writing continues, and nothing is lost${noLimits}`, async (t) => {
  const directory = join(temporaryDirectory(t), 'journal')
  const running = start(t, ['starve', directory, 'everysec'])
  const { errors } = await running.ended
  t.deepEqual(running.lines.slice(-2), ['40', 'close resolved'], `${running.lines.join()} ${errors}`)
  t.true(running.lines.includes('starved'))
  await holdsRounds(t, directory, 40)
})

withLimits(`EMFILE: opening is refused without file handles, and succeeds with them${noLimits}`, async (t) => {
  const directory = join(temporaryDirectory(t), 'journal')
  const cache = await openCache({ directory })
  cache.set('right', 5)
  await cache.close()
  const running = start(t, ['cramped', directory])
  const { errors } = await running.ended
  t.deepEqual(running.lines.slice(-2), ['opened 5', 'saved'], errors) // what they load on demand can be loaded later
  const refusals = running.lines.slice(0, -2)
  t.true(refusals.length > 0)
  t.deepEqual([...new Set(refusals)], ['JOURNAL_UNREADABLE EMFILE'])
})
