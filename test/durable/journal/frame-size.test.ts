/** How large frames are: damage costs at least the frame in which it is. */
import test from 'ava'
import { Counters } from '../../../src/core/model/counters.js'
import { FileJournal } from '../../../src/durable/journal/file-journal.js'
import { type RecordingReceiver, session, set } from '../../../src/testing/conformance/recording.js'
import { failing, SimulatedDisk } from '../../helpers/durable/simulated-disk.js'
import { framesOf } from '../../helpers/durable/written-journal.js'
import { loopTurn } from '../../helpers/loop-turn.js'

const KIB = 1024
const SEGMENT = '/j/0000000000000001.segment'

async function open(changes: Parameters<typeof session>[0] = {}, disk = new SimulatedDisk()) {
  const journal = new FileJournal(disk.process(), '/j')
  const opened = session({ fsync: 'never', compaction: false, ...changes })
  await journal.open(opened)
  const frames = () => framesOf(disk.names.get(SEGMENT)?.content() as Uint8Array)
  const writes = () =>
    disk.log.filter(({ type, path }: { type: string; path?: string }) => type === 'write' && path === SEGMENT)
  return { disk, journal, frames, writes, receiver: opened.receiver as RecordingReceiver }
}

async function received(disk: SimulatedDisk): Promise<unknown[]> {
  const { journal, receiver } = await open({}, SimulatedDisk.of(disk.image()))
  await journal.close()
  return receiver.events
}

test('what one turn of the event loop appends is in frames of at most 16 KiB, written with one write', async (t) => {
  const { disk, journal, frames, writes } = await open()
  const before = writes().length
  const events = Array.from({ length: 200 }, (_, at) => set(`k${at}`, 'x'.repeat(1_000)))
  for (const event of events) journal.append([event])
  await loopTurn()
  t.is(writes().length, before + 1)
  t.true(frames().length > 3)
  for (const { length } of frames()) t.true(length <= 16 * KIB && length > 0)
  for (const { length } of frames().slice(0, -1)) t.true(length > 14 * KIB, 'and they are full')
  t.deepEqual(await received(disk), events)
  await journal.close()
})

test('the shortcut for a set event makes the same frames', async (t) => {
  const [one, other] = [await open(), await open()]
  for (let at = 0; at < 1_000; at++) {
    one.journal.append([set(`k${at}`, 'x'.repeat(150))])
    t.is(other.journal.appendSet(`k${at}`, 'x'.repeat(150), Number.POSITIVE_INFINITY), at + 1)
  }
  await loopTurn()
  t.true(one.frames().length > 2)
  t.deepEqual(
    other.frames().map(({ length, count, firstSequence }) => ({ length, count, firstSequence })),
    one.frames().map(({ length, count, firstSequence }) => ({ length, count, firstSequence })),
  )
  t.deepEqual(await received(other.disk), await received(one.disk))
  for (const { journal } of [one, other]) await journal.close()
})

test('a turn that needs more has a frame of its own, and what is pending another one', async (t) => {
  const { disk, journal, frames } = await open()
  const large = [set('l1', 'x'.repeat(50 * KIB)), set('l2', 'x'.repeat(50 * KIB))]
  for (const events of [[set('a', 1)], large, [set('b', 2)], [set('c', 3)]]) journal.append(events)
  await loopTurn()
  t.deepEqual(
    frames().map(({ count }) => count),
    [1, 2, 2],
  )
  t.deepEqual(await received(disk), [set('a', 1), ...large, set('b', 2), set('c', 3)])
  await journal.close()
})

test('256 KiB are written at once, and several frames that cannot be written stay pending together', async (t) => {
  const { disk, journal, writes } = await open()
  const before = writes().length
  disk.plan = failing(({ name }) => name === 'write', { error: 'ENOSPC', partial: 100_000 }, { times: 1 })
  const events = Array.from({ length: 300 }, (_, at) => set(`k${at}`, 'x'.repeat(1_000)))
  const append = () => {
    for (const event of events) journal.append([event])
  }
  t.throws(append, { code: 'JOURNAL_WRITE_FAILED' })
  const { sequence, pendingBytes } = journal.figures()
  t.true(pendingBytes >= 256 * KIB && pendingBytes < 258 * KIB)
  t.is(disk.names.get(SEGMENT)?.length, 64, 'the part of it is cut off again')
  t.is(await journal.flush(), sequence)
  t.is(writes().length, before + 2)
  t.deepEqual(await received(disk), events.slice(0, sequence))
  await journal.close()
})

test('the counters of a frame are as of its last turn', async (t) => {
  const counters = new Counters()
  const { disk, journal, frames } = await open({ counters })
  for (let at = 0; at < 150; at++) {
    journal.append([set(`k${at}`, 'x'.repeat(1_000))])
    counters.sets++ // as evolving does, after the append
  }
  await loopTurn()
  t.true(frames().length > 2)
  for (const { firstSequence, count, counters } of frames()) t.is(counters.sets, firstSequence + count - 1)
  t.is(disk.locks.size, 1)
  await journal.close()
})
