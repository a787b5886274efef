/** A journal that fails in the middle of a rotation, a compaction or a load. */
import test from 'ava'
import { Counters } from '../../../src/core/model/counters.js'
import type { CompactionRequest, SnapshotSource } from '../../../src/durable/contract.js'
import { FileJournal } from '../../../src/durable/journal/file-journal.js'
import { RecordingReceiver, session, set } from '../../../src/testing/conformance/recording.js'
import { ManualClock } from '../../../src/testing.js'
import { failing, SimulatedDisk } from '../../helpers/durable/simulated-disk.js'
import { loopTurn, until } from '../../helpers/loop-turn.js'

const SEGMENT = '/j/0000000000000001.segment'

async function open(segmentBytes = 1e9) {
  const disk = new SimulatedDisk()
  const clock = new ManualClock()
  const journal = new FileJournal(disk.process(), '/j')
  await journal.open(session({ clock, fsync: 'never', compaction: { journalBytes: 1e9, factor: 1, segmentBytes } }))
  return { disk, clock, journal }
}

async function recovered(disk: SimulatedDisk): Promise<number> {
  const receiver = new RecordingReceiver()
  const journal = new FileJournal(SimulatedDisk.of(disk.image()).process(), '/j')
  const { sequence } = await journal.open(session({ receiver }))
  await journal.close()
  return sequence
}

const noRows: SnapshotSource = {
  count: 0,
  counters: new Counters(),
  read: () => undefined,
  release: () => undefined,
}
const request = (freeze: () => SnapshotSource): CompactionRequest => ({
  freeze,
  progress: () => undefined,
  signal: new AbortController().signal,
})

function slowly(): { slow: Promise<void>; finish: () => void } {
  let finish!: () => void
  const slow = new Promise<void>((resolve) => {
    finish = resolve
  })
  return { slow, finish }
}

for (const [what, isBegun] of [
  ['whose segment has events', true],
  ['with nothing new', false],
] as const) {
  test(`a compaction ${what}, while what was appended cannot be written: refused, and nothing is frozen`, async (t) => {
    const { disk, clock, journal } = await open()
    if (isBegun) {
      journal.append([set('a', 1)])
      await journal.flush()
      await loopTurn()
    }
    const compacting = journal.compact(request(() => t.fail() as never))
    disk.plan = failing((call) => call.name === 'write', { error: 'ENOSPC' })
    journal.append([set('b', 2)])
    await t.throwsAsync(compacting, { code: 'JOURNAL_WRITE_FAILED' })
    disk.plan = undefined
    clock.advance(1)
    t.is(journal.health.status, 'writable')
    await journal.close()
    t.is(await recovered(disk), isBegun ? 2 : 1)
  })
}

test('a rotation that falls due while nothing can be written is postponed', async (t) => {
  const { disk, clock, journal } = await open(300)
  const { slow, finish } = slowly()
  disk.plan = failing((call) => call.name === 'sync', { delay: slow })
  journal.append([set('a', 'x'.repeat(400))]) // fills the segment: an fsync is running, and the rotation follows it
  await loopTurn()
  disk.plan = (call) => {
    if (call.name === 'write') return { error: 'ENOSPC' }
    return call.name === 'sync' ? { delay: slow } : undefined
  }
  journal.append([set('b', 2)])
  await loopTurn()
  t.is(journal.health.status, 'stalled')
  finish()
  await until(() => journal.figures().durableSequence === 1, 'the fsync')
  t.is(journal.figures().segments, 1)
  disk.plan = undefined
  clock.advance(1)
  journal.append([set('c', 'x'.repeat(400))])
  await until(() => journal.figures().segments === 2, 'the rotation')
  await journal.close()
  t.is(await recovered(disk), 3)
})

test('of two overlapping fsyncs that fail, the first gives the reason for read-only', async (t) => {
  const { disk, journal } = await open()
  journal.append([set('a', 1)])
  await journal.flush()
  await loopTurn()
  const first = slowly()
  const second = slowly()
  let syncs = 0
  disk.plan = (call) => {
    if (call.name === 'sync') return ++syncs === 1 ? { delay: first.slow } : { delay: second.slow, error: 'EIO' }
    return call.name === 'syncNow' && call.path === SEGMENT ? { error: 'EDQUOT' } : undefined
  }
  journal.append([set('b', 2)])
  const compacting = journal.compact(request(() => t.fail() as never))
  await until(() => syncs === 1, 'the first fsync')
  journal.append([set('c', 3)])
  const flush = journal.flush()
  await loopTurn()
  first.finish() // the flush starts the second fsync at once, and the compaction continues
  await t.throwsAsync(compacting, { code: 'JOURNAL_READ_ONLY', message: /EDQUOT/ })
  t.is(syncs, 2)
  second.finish()
  await t.throwsAsync(flush, { code: 'OUTCOME_UNKNOWN', message: /EDQUOT/ })
  t.like(journal.health, { status: 'failed' })
  await journal.close().catch(() => undefined)
  disk.plan = undefined
  t.true((await recovered(disk)) >= 1)
})

test('a compaction that rotates while an fsync is running: only what both of them confirmed is durable', async (t) => {
  const { disk, journal } = await open()
  journal.append([set('a', 1)])
  await journal.flush()
  await loopTurn()
  const first = slowly()
  const second = slowly()
  let syncs = 0
  disk.plan = (call) => (call.name === 'sync' ? { delay: ++syncs === 1 ? first.slow : second.slow } : undefined)
  journal.append([set('b', 2)])
  let durableThen = 0
  const compacting = journal.compact(
    request(() => {
      durableThen = journal.figures().durableSequence
      throw new Error('it is not written')
    }),
  )
  await until(() => syncs === 1, 'the first fsync')
  journal.append([set('c', 3)])
  const flush = journal.flush()
  await loopTurn()
  first.finish()
  await t.throwsAsync(compacting, { message: /it is not written/ })
  t.is(syncs, 2)
  t.is(durableThen, 2)
  t.is(journal.figures().segments, 2)
  second.finish()
  t.is(await flush, 3)
  disk.plan = undefined
  await journal.close()
  t.is(await recovered(disk), 3)
})

test('close while an fsync is running and nothing can be written: the result of the fsync does not matter', async (t) => {
  const disk = new SimulatedDisk()
  const journal = new FileJournal(disk.process(), '/j')
  await journal.open(session({ fsync: 'always' }))
  const { slow, finish } = slowly()
  disk.plan = failing((call) => call.name === 'sync', { delay: slow })
  journal.append([set('a', 1)])
  await loopTurn()
  disk.plan = failing((call) => call.name === 'write', { error: 'ENOSPC' })
  journal.append([set('b', 2)])
  await loopTurn()
  await t.throwsAsync(journal.close(undefined, { force: true }), { code: 'JOURNAL_WRITE_FAILED' })
  finish()
  await loopTurn() // an unhandled rejection would end the process here
  disk.plan = undefined
  await journal.open(session())
  t.is(await journal.flush(), 1)
  await journal.close()
  t.is(await recovered(disk), 1)
})

test('a load while nothing can be written is refused before anything is staged', async (t) => {
  const { disk, journal } = await open()
  disk.plan = failing((call) => call.name === 'write', { error: 'ENOSPC' })
  journal.append([set('a', 1)])
  await loopTurn()
  await t.throwsAsync(
    journal.stage(noRows, () => undefined),
    { code: 'JOURNAL_WRITE_FAILED' },
  )
  t.false([...disk.names.keys()].some((path) => path.includes('.loaded')))
  disk.plan = undefined
  await journal.close()
  t.is(await recovered(disk), 1)
})
