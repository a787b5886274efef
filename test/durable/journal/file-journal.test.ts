/** The file journal on a simulated disk that counts calls, fails, writes short and delays. */
import test from 'ava'
import { Counters } from '../../../src/core/model/counters.js'
import type { CacheEvent } from '../../../src/core/model/event.js'
import { EncodedValue } from '../../../src/core/model/stored-value.js'
import type { Journal } from '../../../src/durable/contract.js'
import { FileJournal } from '../../../src/durable/journal/file-journal.js'
import { RecordingReceiver, type RecordingSession, session, set } from '../../../src/testing/conformance/recording.js'
import { ManualClock } from '../../../src/testing.js'
import { type Call, failing, SimulatedDisk } from '../../helpers/durable/simulated-disk.js'
import { loopTurn, until } from '../../helpers/loop-turn.js'

const SEGMENT = '/j/0000000000000001.segment'

interface Opened {
  disk: SimulatedDisk
  journal: FileJournal
  clock: ManualClock
  session: RecordingSession
}

async function open(options: Partial<RecordingSession> = {}, disk = new SimulatedDisk()): Promise<Opened> {
  const clock = new ManualClock()
  const opened = session({ clock, ...options })
  const journal = new FileJournal(disk.process(), '/j')
  await journal.open(opened)
  return { disk, journal, clock, session: opened }
}

/** The events that another process would recover after SIGKILL: those that were written. */
async function recovered(disk: SimulatedDisk): Promise<CacheEvent[]> {
  const receiver = new RecordingReceiver()
  const journal = new FileJournal(SimulatedDisk.of(disk.image()).process(), '/j')
  await journal.open(session({ receiver }))
  await journal.close()
  return receiver.events
}

const syncsOf = (disk: SimulatedDisk) =>
  disk.log.filter((operation) => operation.type === 'sync' && operation.path.endsWith('.segment')).length
const writesTo = (disk: SimulatedDisk) =>
  disk.log.filter((operation) => operation.type === 'write' && operation.path.endsWith('.segment')).length
const isWrite = (call: Call) => call.name === 'write' && call.path.endsWith('.segment')
const isSync = (call: Call) => (call.name === 'sync' || call.name === 'syncNow') && call.path.endsWith('.segment')

// ── writing ──

test('the appends of one turn of the event loop are one frame, written before a later immediate runs', async (t) => {
  const { disk, journal } = await open()
  const before = writesTo(disk)
  journal.append([set('a', 1)])
  journal.append([set('b', 2)])
  t.is(writesTo(disk), before)
  await loopTurn()
  t.is(writesTo(disk), before + 1)
  t.deepEqual(await recovered(disk), [set('a', 1), set('b', 2)])
  await journal.close()
})

test('a full buffer is written at once', async (t) => {
  const { disk, journal } = await open()
  const before = writesTo(disk)
  for (let at = 0; at < 3; at++) journal.append([set('big', new EncodedValue('bytes', new Uint8Array(200_000)))])
  t.true(writesTo(disk) > before)
  t.true(journal.figures().pendingBytes < 512 * 1024)
  await journal.close()
})

test('a frame filled by small sets is written at once, too', async (t) => {
  const { disk, journal } = await open()
  const before = writesTo(disk)
  for (let at = 1; at <= 300; at++) t.is(journal.appendSet('k', 'x'.repeat(1_000), Number.POSITIVE_INFINITY), at)
  t.is(writesTo(disk), before + 1)
  await journal.close()
  t.is((await recovered(disk)).length, 300)
})

test('a closed journal keeps its last health, and is not due for compaction', async (t) => {
  const { disk, journal } = await open({ compaction: { journalBytes: 1, factor: 1, segmentBytes: 1e9 } })
  journal.append([set('a', 1)])
  await loopTurn()
  t.true(journal.isDueForCompaction)
  disk.plan = failing(isSync, { error: 'EIO' })
  await t.throwsAsync(journal.close())
  t.is(journal.health.status, 'failed')
  t.false(journal.isDueForCompaction)
  disk.plan = undefined
  const again = await open({}, disk)
  t.is(again.journal.health.status, 'writable')
  await again.journal.close()
})

// ── fsync policies ──

test('always: writes are synced without a flush', async (t) => {
  const { disk, journal } = await open({ fsync: 'always' })
  journal.append([set('a', 1)])
  await until(() => journal.figures().durableSequence === 1, 'the fsync')
  t.true(syncsOf(disk) > 0)
  await journal.close()
})

test('always: a value that fills the buffer alone is synced too', async (t) => {
  const { journal } = await open({ fsync: 'always' })
  journal.append([set('big', new EncodedValue('bytes', new Uint8Array(600_000)))])
  await until(() => journal.figures().durableSequence === 1, 'the fsync')
  t.is(journal.figures().pendingBytes, 0)
  await journal.close()
})

test('always: one fsync serves all waiting flushes', async (t) => {
  const { disk, journal } = await open({ fsync: 'always' })
  const before = syncsOf(disk)
  await Promise.all(
    Array.from({ length: 64 }, (_, at) => {
      journal.append([set(`k${at}`, at)])
      return journal.flush()
    }),
  )
  t.is(syncsOf(disk) - before, 1)
  t.is(journal.figures().durableSequence, 64)
  await journal.close()
})

test('all who flush in one turn of the event loop share one promise, and those of the next turn another', async (t) => {
  const { journal } = await open({ fsync: 'always' })
  journal.append([set('a', 1)])
  const first = journal.flush()
  journal.append([set('b', 2)])
  t.is(journal.flush(), first)
  await loopTurn()
  journal.append([set('c', 3)])
  const second = journal.flush()
  t.not(second, first)
  t.true((await first) >= 2)
  t.is(await second, 3)
  await journal.close()
})

test('a flush that is called after the write of this turn, and before an earlier flush goes on, waits for a write of its own', async (t) => {
  const { journal } = await open({ fsync: 'never' })
  journal.append([set('a', 1)]) // queues the write
  const later = new Promise<number>((resolve) => {
    setImmediate(() => {
      journal.append([set('b', 2)])
      resolve(journal.flush())
    })
  })
  t.is(await journal.flush(), 1)
  t.is(await later, 2)
  await journal.close()
})

test('everysec: one fsync a second, and none when nothing was written', async (t) => {
  const { disk, journal, clock } = await open({ fsync: 'everysec' })
  const before = syncsOf(disk)
  journal.append([set('a', 1)])
  await loopTurn()
  clock.advance('999ms')
  await loopTurn()
  t.is(syncsOf(disk), before)
  t.is(journal.figures().durableSequence, 0)
  clock.advance('1ms')
  await until(() => journal.figures().durableSequence === 1, 'the fsync')
  t.is(syncsOf(disk), before + 1)
  clock.advance('1h')
  await loopTurn()
  t.is(syncsOf(disk), before + 1)
  await journal.close()
})

test('never: no fsync except on request', async (t) => {
  const { disk, journal, clock } = await open({ fsync: 'never' })
  const before = syncsOf(disk)
  journal.append([set('a', 1)])
  await loopTurn()
  clock.advance('1h')
  await loopTurn()
  t.is(syncsOf(disk), before)
  t.is(await journal.flush(), 1)
  t.is(syncsOf(disk), before + 1)
  await journal.close()
})

test('an fsync that no frame follows is recorded by an empty frame', async (t) => {
  const { disk, journal } = await open({ fsync: 'never' })
  journal.append([set('a', 1)])
  await journal.flush()
  await loopTurn()
  const frame = disk.log.findLast((operation) => operation.type === 'write' && operation.path === SEGMENT)
  t.is(frame?.type === 'write' ? Buffer.from(frame.bytes).readUInt32LE(24) : -1, 0, 'no events')
  t.is(frame?.type === 'write' ? Buffer.from(frame.bytes).readUInt32LE(32) : -1, 1, 'sequence 1 is durable')
  await loopTurn()
  const writes = writesTo(disk)
  await journal.flush()
  await loopTurn()
  t.is(writesTo(disk), writes, 'and only once')
  await journal.close()
})

test('a slow fsync delays only those who wait for it', async (t) => {
  const { disk, journal } = await open({ fsync: 'never' })
  let finish!: () => void
  const slow = new Promise<void>((resolve) => {
    finish = resolve
  })
  disk.plan = failing((call) => call.name === 'sync', { delay: slow }, { times: 1 })
  journal.append([set('a', 1)])
  let isFlushed = false
  const flush = journal.flush().then(() => {
    isFlushed = true
  })
  for (let at = 0; at < 5_000; at++) {
    journal.append([set('b', 'x'.repeat(500))])
    if (at % 100 === 0) await loopTurn()
    t.true(journal.figures().pendingBytes < 512 * 1024)
  }
  t.false(isFlushed)
  finish()
  await flush
  t.true(isFlushed)
  await journal.close()
})

// ── a failed write ──

for (const [what, fault] of [
  ['no space at all', { error: 'ENOSPC' }],
  ['a file size limit', { error: 'EFBIG' }],
  ['no space in the middle of the frame', { error: 'ENOSPC', partial: 20 }],
  ['short writes of nothing', { short: 0 }],
] as const) {
  test(`${what}: what was appended stays pending, is retried every second, and nothing is lost`, async (t) => {
    const { disk, journal, clock } = await open()
    journal.append([set('a', 1)])
    await loopTurn()
    disk.plan = failing(isWrite, fault)
    journal.append([set('b', 2)])
    const changes: string[] = []
    journal.onChange = () => changes.push(journal.health.status)
    await loopTurn()
    t.is(journal.health.status, 'stalled')
    t.deepEqual(changes, ['stalled'])
    t.throws(() => journal.append([set('c', 3)]), { code: 'JOURNAL_WRITE_FAILED' })
    await t.throwsAsync(journal.flush(), { code: 'JOURNAL_WRITE_FAILED' })
    t.deepEqual(await recovered(disk), [set('a', 1)])
    clock.advance('1s')
    t.is(journal.health.status, 'stalled')
    disk.plan = undefined
    clock.advance('999ms')
    t.is(journal.health.status, 'stalled')
    clock.advance('1ms')
    t.is(journal.health.status, 'writable')
    t.deepEqual(changes, ['stalled', 'writable'])
    journal.append([set('c', 3)])
    t.is(await journal.flush(), 3)
    t.deepEqual(await recovered(disk), [set('a', 1), set('b', 2), set('c', 3)])
    await journal.close()
  })
}

test('a short write is completed by the next one', async (t) => {
  const { disk, journal } = await open()
  disk.plan = failing(isWrite, { short: 7 }, { times: 3 })
  journal.append([set('a', 1)])
  await loopTurn()
  t.is(journal.health.status, 'writable')
  t.deepEqual(await recovered(disk), [set('a', 1)])
  await journal.close()
})

test('a flush retries a stalled write at once', async (t) => {
  const { disk, journal } = await open()
  disk.plan = failing(isWrite, { error: 'ENOSPC' }, { times: 1 })
  journal.append([set('a', 1)])
  await loopTurn()
  t.is(journal.health.status, 'stalled')
  t.is(await journal.flush(), 1)
  t.is(journal.health.status, 'writable')
  await journal.close()
})

test('always: a write that stalled is synced once it has succeeded', async (t) => {
  const { disk, journal, clock } = await open({ fsync: 'always' })
  disk.plan = failing(isWrite, { error: 'ENOSPC' }, { times: 1 })
  journal.append([set('a', 1)])
  await loopTurn()
  t.is(journal.health.status, 'stalled')
  clock.advance('1s')
  t.is(journal.health.status, 'writable')
  await until(() => journal.figures().durableSequence === 1, 'the fsync')
  await journal.close()
})

test('a frame that could neither be completed nor cut off is set aside at the next opening', async (t) => {
  const { disk, journal } = await open()
  journal.append([set('a', 1)])
  await loopTurn()
  disk.plan = (call) => {
    if (isWrite(call)) return { error: 'EIO', partial: 50 }
    return call.name === 'truncate' ? { error: 'EIO' } : undefined
  }
  journal.append([set('b', 2)])
  await loopTurn()
  t.is(journal.health.status, 'stalled')
  t.deepEqual(await recovered(disk), [set('a', 1)])
  disk.plan = undefined
  t.is(await journal.flush(), 2)
  t.deepEqual(await recovered(disk), [set('a', 1), set('b', 2)])
  await journal.close()
})

test('closing while nothing can be written rejects, and the journal stays open until it can be', async (t) => {
  const { disk, journal } = await open()
  disk.plan = failing(isWrite, { error: 'ENOSPC' })
  journal.append([set('a', 1)])
  for (const _ of [1, 2]) await t.throwsAsync(journal.close(), { code: 'JOURNAL_WRITE_FAILED' })
  t.is(disk.locks.size, 1)
  disk.plan = undefined
  await journal.close()
  t.is(disk.locks.size, 0)
  t.deepEqual(await recovered(disk), [set('a', 1)])
})

test('closing in any case while nothing can be written rejects, and releases the directory', async (t) => {
  const { disk, journal } = await open()
  journal.append([set('kept', 1)])
  await loopTurn()
  disk.plan = failing(isWrite, { error: 'ENOSPC' })
  journal.append([set('a', 1), set('b', 2)])
  const error = await t.throwsAsync(journal.close(undefined, { force: true }), { code: 'JOURNAL_WRITE_FAILED' })
  t.regex(error?.message ?? '', /^The changes 2 to 3 could not be written .*Lost: 2 changes, \d+ bytes\./)
  disk.plan = undefined
  t.is(disk.locks.size, 0)
  t.is(disk.log.at(-1)?.type, 'sync', 'what was written before is forced to disk')
  const again = await open({}, disk)
  t.is(again.journal.figures().sequence, 1)
  await again.journal.close()
})

test('closing when only the order of use and the seal cannot be written: every change is there, and it stays open', async (t) => {
  const { disk, journal } = await open()
  journal.append([set('a', 1), set('b', 2)])
  await journal.flush()
  disk.plan = (call) => (isWrite(call) ? { error: 'ENOSPC' } : undefined)
  const error = await t.throwsAsync(journal.close(Uint8Array.of(2, 5, 1, 0)), { code: 'JOURNAL_WRITE_FAILED' })
  t.regex(error?.message ?? '', /Every change is on disk, and the cache stays open/)
  disk.plan = undefined
  t.is(journal.append([set('c', 3)]), 3)
  await journal.close(Uint8Array.of(3, 7, 2, 1, 0))
  const again = await open({}, disk)
  t.deepEqual(again.session.receiver.written, { order: [3, 7, 2, 1, 0], after: 3 })
  await again.journal.close()
})

// ── a failed fsync ──

test('after a failed fsync the journal is read-only until it is reopened, which recovers it', async (t) => {
  const { disk, journal, clock } = await open()
  journal.append([set('a', 1)])
  await journal.flush()
  disk.plan = failing(isSync, { error: 'EIO' }, { times: 1 })
  journal.append([set('b', 2)])
  const error = await t.throwsAsync(journal.flush(), { code: 'OUTCOME_UNKNOWN' })
  t.regex(error?.message ?? '', /The change with sequence 2 could not be forced to disk/)
  t.is(journal.health.status, 'failed')
  t.throws(() => journal.append([set('c', 3)]), { code: 'JOURNAL_READ_ONLY' })
  const syncs = syncsOf(disk)
  clock.advance('1h')
  await t.throwsAsync(journal.flush(), { code: 'OUTCOME_UNKNOWN' })
  t.is(syncsOf(disk), syncs, 'no later fsync is trusted, so none is made')
  await t.throwsAsync(journal.close(), { code: 'OUTCOME_UNKNOWN' })
  const again = await open({}, disk)
  t.deepEqual(again.session.receiver.events, [set('a', 1), set('b', 2)])
  t.is(again.journal.append([set('c', 3)]), 3)
  t.is(await again.journal.flush(), 3)
  await again.journal.close()
})

test('always: a failed background fsync rejects every flush that waits', async (t) => {
  const { disk, journal } = await open({ fsync: 'always' })
  disk.plan = failing(isSync, { error: 'EIO' })
  const changed = new Promise<void>((resolve) => {
    journal.onChange = resolve
  })
  journal.append([set('a', 1)])
  await changed
  t.is(journal.health.status, 'failed')
  await t.throwsAsync(journal.flush(), { code: 'OUTCOME_UNKNOWN' })
  await t.throwsAsync(journal.close())
})

test('everysec: a failed background fsync makes the journal read-only', async (t) => {
  const { disk, journal, clock } = await open()
  disk.plan = failing(isSync, { error: 'EIO' })
  journal.append([set('a', 1)])
  await loopTurn()
  clock.advance('1s')
  await until(() => journal.health.status === 'failed', 'the failed fsync')
  t.throws(() => journal.append([set('b', 1)]), { code: 'JOURNAL_READ_ONLY' })
  await t.throwsAsync(journal.close())
})

test('a failed last fsync makes close reject, and releases the directory', async (t) => {
  const { disk, journal } = await open()
  journal.append([set('a', 1)])
  await journal.flush()
  disk.plan = failing(isSync, { error: 'EIO' })
  await t.throwsAsync(journal.close(), { message: /EIO/ })
  disk.plan = undefined
  t.is(disk.locks.size, 0)
})

// ── segments ──

async function fill(journal: Journal, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    journal.append([set(`k${at}`, 'x'.repeat(300))])
    await journal.flush()
  }
}

const SMALL_SEGMENTS = { journalBytes: 1e9, factor: 1, segmentBytes: 2_000 }

test('segments rotate at their size, named by their first sequence, and replay as one', async (t) => {
  const { disk, journal } = await open({ compaction: SMALL_SEGMENTS })
  await fill(journal, 40)
  t.true(journal.figures().segments > 4)
  await journal.close()
  const names = [...disk.names.keys()].filter((name) => name.endsWith('.segment'))
  t.is(names.length, journal.directory === '/j' ? names.length : 0)
  for (const name of names.slice(0, -1)) t.true((disk.names.get(name)?.length ?? 0) < 4_000)
  t.is((await recovered(disk)).length, 40)
})

test('on rotation the next file and its name are synced before the seal is written, and the seal before the next frame', async (t) => {
  const { disk, journal } = await open({ compaction: SMALL_SEGMENTS })
  await fill(journal, 10)
  const second = [...disk.names.keys()].filter((name) => name.endsWith('.segment'))[1] as string
  const at = disk.log.findIndex((operation) => operation.type === 'create' && operation.path === second)
  const steps = disk.log
    .slice(at, at + 7)
    .map(
      (step) =>
        `${step.type} ${'path' in step ? (step.path === second ? 'new' : step.path === SEGMENT ? 'old' : 'directory') : ''}`,
    )
  t.deepEqual(steps.slice(0, 6), [
    'create new',
    'write new', // the file header
    'sync new',
    'syncDirectory directory',
    'write old', // the seal
    'sync old',
  ])
  await journal.close()
})

for (const [what, matches] of [
  ['a segment that cannot be created', (call: Call) => call.name === 'create'],
  ['a directory that cannot be synced', (call: Call) => call.name === 'syncDirectory'],
  ['a new file that cannot be written', (call: Call) => isWrite(call) && call.path !== SEGMENT],
  ['a new file that cannot be synced', (call: Call) => call.name === 'syncNow' && call.path !== SEGMENT],
] as const) {
  test(`${what}: the old segment grows, and the rotation is retried later`, async (t) => {
    const { disk, journal } = await open({ compaction: SMALL_SEGMENTS })
    disk.plan = failing(matches, { error: 'ENOSPC' }, { times: 2 })
    await fill(journal, 30)
    t.is(journal.health.status, 'writable')
    t.true(journal.figures().segments > 1)
    await journal.close()
    t.is((await recovered(disk)).length, 30)
  })
}

test('a seal that cannot be synced makes the journal read-only, and reopening recovers', async (t) => {
  const { disk, journal } = await open({ compaction: SMALL_SEGMENTS })
  disk.plan = failing((call) => call.name === 'syncNow' && call.path === SEGMENT, { error: 'EIO' })
  await t.throwsAsync(fill(journal, 30))
  t.is(journal.health.status, 'failed')
  await journal.close().catch(() => undefined)
  disk.plan = undefined
  const again = await open({ compaction: SMALL_SEGMENTS }, disk)
  t.true(again.session.receiver.events.length >= 1)
  await fill(again.journal, 20)
  await again.journal.close()
  t.is((await recovered(disk)).length, again.session.receiver.events.length + 20)
})

async function compact(journal: Journal, counters: Counters): Promise<void> {
  await journal.compact({
    freeze: () => ({
      count: 0,
      counters: Object.assign(new Counters(), counters),
      read: () => undefined,
      release: () => undefined,
    }),
    progress: () => undefined,
    signal: new AbortController().signal,
  })
  await loopTurn()
  await loopTurn()
}

test('the segment created by a compaction has no frame until there is an event', async (t) => {
  const { disk, journal } = await open({ fsync: 'never' })
  journal.append([set('a', 1)])
  await loopTurn()
  await compact(journal, new Counters())
  t.is(disk.names.get('/j/0000000000000002.segment')?.length, 64)
  await journal.close()
})

for (const [what, isReopened] of [
  ['compacted again', false],
  ['closed, opened and compacted again', true],
] as const) {
  test(`a journal ${what} without an event: after a crash the counters are those of the last compaction`, async (t) => {
    const disk = new SimulatedDisk()
    const counters = Object.assign(new Counters(), { sets: 1 })
    let { journal } = await open({ fsync: 'never', counters }, disk)
    journal.append([set('a', 1)])
    await loopTurn()
    await compact(journal, counters)
    if (isReopened) {
      await journal.close()
      journal = (await open({ fsync: 'never', counters }, disk)).journal
    }
    counters.misses = 7
    await compact(journal, counters)
    const crashed = await open({}, SimulatedDisk.of(disk.image()))
    t.is(crashed.session.receiver.restored.misses, 7)
    await crashed.journal.close()
    await journal.close()
  })
}

test('a compaction whose frame of counters cannot be written fails, and leaves nothing behind', async (t) => {
  const disk = new SimulatedDisk()
  const first = await open({ fsync: 'never' }, disk)
  await first.journal.close() // leaves a seal in a segment without events
  const { journal } = await open({ fsync: 'never' }, disk)
  disk.plan = failing(isWrite, { error: 'ENOSPC' }, { times: 1 })
  await t.throwsAsync(compact(journal, new Counters()), { code: 'COMPACTION_FAILED', message: /ENOSPC/ })
  t.is(journal.append([set('a', 1)]), 1)
  t.is(await journal.flush(), 1)
  await journal.close()
  t.deepEqual(await recovered(disk), [set('a', 1)])
})

// ── fsyncs that overlap ──

test('a compaction that cannot create a segment says so, and is not retried at every write', async (t) => {
  const { disk, journal } = await open({ compaction: { journalBytes: 3_000, factor: 1, segmentBytes: 1e9 } })
  disk.plan = failing((call) => call.name === 'create', { error: 'ENOSPC' })
  let asked = 0
  const request = {
    freeze: () => ({ count: 0, counters: new Counters(), read: () => undefined, release: () => undefined }),
    progress: () => undefined,
    signal: new AbortController().signal,
  }
  const outcomes: Promise<unknown>[] = []
  journal.onChange = () => {
    if (!journal.isDueForCompaction) return
    asked++
    outcomes.push(journal.compact(request).catch((error: { code: string }) => error.code))
  }
  await fill(journal, 30)
  t.true(asked >= 1 && asked <= 6, `asked ${asked} times`)
  t.deepEqual([...new Set(await Promise.all(outcomes))], ['COMPACTION_FAILED'])
  await journal.close()
  t.is((await recovered(disk)).length, 30)
})

test('a compaction does not overtake an fsync that is about to fail', async (t) => {
  const { disk, journal } = await open({ fsync: 'never' })
  journal.append([set('a', 1)])
  await journal.flush()
  let finish!: () => void
  const slow = new Promise<void>((resolve) => {
    finish = resolve
  })
  // Linux reports a lost write to one fsync of a descriptor, the first; the next one of the same says that all is well.
  disk.plan = failing((call) => call.name === 'sync', { delay: slow, error: 'EIO' }, { first: 1, times: 1 })
  journal.append([set('b', 2)])
  const compacting = journal.compact({
    freeze: () => {
      throw new Error('the snapshot was begun')
    },
    progress: () => undefined,
    signal: new AbortController().signal,
  })
  journal.append([set('c', 3)])
  const flush = journal.flush()
  await loopTurn()
  finish()
  await t.throwsAsync(compacting)
  const outcome = await flush.then(
    () => 'acknowledged',
    () => 'refused',
  )
  t.true(outcome === 'refused' || journal.health.status === 'writable')
  await journal.close().catch(() => undefined)
})

test('many small frames, of which only the last says that they are durable, are recovered', async (t) => {
  const { disk, journal } = await open({ fsync: 'never' })
  for (let at = 1; at <= 1_100; at++) {
    journal.append([set(`k${at}`, at)])
    await loopTurn()
  }
  t.is(await journal.flush(), 1_100)
  journal.append([set('last', 0)])
  await loopTurn()
  t.is((await recovered(disk)).length, 1_101)
  await journal.close()
})
