/** An event that cannot be encoded or written leaves nothing behind: neither in a frame nor in the directory. */
import test from 'ava'
import type { CacheEvent } from '../../../src/core/model/event.js'
import { EncodedValue } from '../../../src/core/model/stored-value.js'
import { FRAME_BYTES_MAX } from '../../../src/durable/format/format.js'
import { FileJournal } from '../../../src/durable/journal/file-journal.js'
import { refusal } from '../../../src/durable/journal/refusal.js'
import { RecordingReceiver, session, set } from '../../../src/testing/conformance/recording.js'
import { failing, SimulatedDisk } from '../../helpers/durable/simulated-disk.js'
import { loopTurn } from '../../helpers/loop-turn.js'

const SEGMENT = '/j/0000000000000001.segment'

async function open(segmentBytes = 1e9) {
  const disk = new SimulatedDisk()
  const journal = new FileJournal(disk.process(), '/j')
  await journal.open(session({ fsync: 'never', compaction: { journalBytes: 1e9, factor: 1, segmentBytes } }))
  return { disk, journal }
}

async function recovered(disk: SimulatedDisk): Promise<CacheEvent[]> {
  const receiver = new RecordingReceiver()
  const journal = new FileJournal(SimulatedDisk.of(disk.image()).process(), '/j')
  await journal.open(session({ receiver }))
  await journal.close()
  return receiver.events
}

// No caller of the cache can pass these, but a stack overflow fails at the same place.
const noKey = { length: 1, isWellFormed: () => true } as unknown as string

for (const isFirst of [true, false]) {
  test(`an event that cannot be encoded leaves no part in its frame, as the ${isFirst ? 'first' : 'second'} append of it`, async (t) => {
    const { disk, journal } = await open()
    if (!isFirst) journal.append([set('a', 1)])
    t.throws(() => journal.append([set('b', 2), set(noKey, 3)]))
    t.throws(() => journal.appendSet(noKey, 3, Number.POSITIVE_INFINITY))
    await loopTurn()
    t.is(journal.appendSet('c', 4, 5), isFirst ? 1 : 2)
    await journal.close()
    t.deepEqual(await recovered(disk), [...(isFirst ? [] : [set('a', 1)]), set('c', 4, 5)])
  })
}

for (const canBeRemoved of [true, false]) {
  test(`after a seal that cannot be written, the next segment ${canBeRemoved ? 'is removed' : 'may stay where it cannot be removed'}`, async (t) => {
    const { disk, journal } = await open(300)
    let isBegun = false
    const plan = failing(
      (call) =>
        isBegun && ((call.name === 'write' && call.path === SEGMENT) || (call.name === 'unlink' && !canBeRemoved)),
      { error: 'ENOSPC' },
      { times: canBeRemoved ? 1 : 2 },
    )
    disk.plan = (call) => {
      if (call.name === 'create') isBegun = true
      return plan(call)
    }
    for (let at = 0; at < 5 && !isBegun; at++) {
      journal.append([set(`k${at}`, 'x'.repeat(100))])
      await journal.flush()
      await loopTurn()
    }
    t.true(isBegun)
    t.is(journal.health.status, 'writable')
    const segments = [...disk.names.keys()].filter((path) => path.endsWith('.segment'))
    t.is(segments.length, canBeRemoved ? 1 : 2)
    const before = journal.figures().sequence
    journal.append([set('after', 1)])
    t.is(await journal.flush(), before + 1)
    await journal.close()
    t.is((await recovered(disk)).length, before + 1)
  })
}

for (const way of ['append', 'appendSet'] as const) {
  test(`${way} while a full buffer cannot be written is refused at once, and none of it is kept`, async (t) => {
    const { disk, journal } = await open()
    disk.plan = failing((call) => call.name === 'write', { error: 'ENOSPC' })
    journal.append([set('big', new EncodedValue('bytes', new Uint8Array(300_000)))])
    const append = () =>
      way === 'append' ? journal.append([set('b', 2)]) : journal.appendSet('b', 2, Number.POSITIVE_INFINITY)
    t.throws(append, { code: 'JOURNAL_WRITE_FAILED' })
    t.is(journal.figures().sequence, 1)
    disk.plan = undefined
    t.is(await journal.flush(), 1)
    t.is(append(), 2)
    await journal.close()
    t.is((await recovered(disk)).length, 2)
  })
}

test('an append larger than a frame, while earlier events cannot be written, is refused, and none of it is kept', async (t) => {
  const { disk, journal } = await open()
  journal.append([set('a', 1)])
  disk.plan = failing((call) => call.name === 'write', { error: 'ENOSPC' })
  const half = new EncodedValue('bytes', new Uint8Array(FRAME_BYTES_MAX / 2))
  t.throws(() => journal.append([set('b', half), set('c', half)]), { instanceOf: RangeError })
  disk.plan = undefined
  t.is(await journal.flush(), 1)
  await journal.close()
  t.deepEqual(await recovered(disk), [set('a', 1)])
})

test('the refusal of a journal that is writable again says to try again', (t) => {
  const { code, message } = refusal({ status: 'writable' })
  t.is(code, 'JOURNAL_WRITE_FAILED')
  t.regex(message, /Nothing was changed.*\. Try again\.$/)
})
