/** Reading a journal without opening it: the receiver gets what recovery would give it, up to any sequence; no file changes. */
import test from 'ava'
import type { Sequence } from '../../../src/core/model/sequence.js'
import { findJournalFiles } from '../../../src/durable/format/journal-files.js'
import { eventsOf } from '../../../src/durable/history/frame-events.js'
import { planReading } from '../../../src/durable/history/plan.js'
import { readChain } from '../../../src/durable/history/read-chain.js'
import { JOURNAL_BEGIN, replay } from '../../../src/durable/history/replay.js'
import { FileJournal } from '../../../src/durable/journal/file-journal.js'
import { CorruptionError } from '../../../src/errors.js'
import { EVENTS, RecordingReceiver, session, set } from '../../../src/testing/conformance/recording.js'
import { Model } from '../../helpers/crash/model.js'
import { DIRECTORY, JOURNAL_ID } from '../../helpers/crash/stage.js'
import { SimulatedDisk } from '../../helpers/durable/simulated-disk.js'
import { type Files, segmentsOf, withFile, writeJournal } from '../../helpers/durable/written-journal.js'
import { loopTurn } from '../../helpers/loop-turn.js'

const LAST = Number.MAX_SAFE_INTEGER as Sequence

async function read(files: Files, receiver: Parameters<typeof replay>[3], to: number = LAST) {
  const disk = SimulatedDisk.of(files)
  const storage = disk.process()
  const plan = planReading(await findJournalFiles(storage, DIRECTORY), DIRECTORY, '', to as Sequence)
  const replayed = await replay(storage, DIRECTORY, plan, receiver, { to: to as Sequence })
  return { disk, plan, ...replayed }
}

for (const hasSnapshot of [true, false]) {
  test(`${hasSnapshot ? 'from a snapshot' : 'from the beginning'}: replay gives the state that recovery gives, and changes nothing`, async (t) => {
    const { files, ledger } = await writeJournal({ isClean: true, hasSnapshot })
    const model = new Model()
    const { disk, chain } = await read(files, model)
    t.is(chain.verdict.verdict, 'sound')
    t.is(chain.end.nextSequence, (ledger.sequence + 1) as Sequence)
    t.is(model.digest(), ledger.states.get(ledger.sequence)?.digest ?? 'no state')
    t.is(disk.log.length, 0)
  })
}

test('replay up to any sequence gives the state right after that event, also inside a frame', async (t) => {
  const disk = new SimulatedDisk()
  const journal = new FileJournal(disk.process(), DIRECTORY, () => JOURNAL_ID)
  await journal.open(session({ compaction: { journalBytes: 1e9, factor: 1, segmentBytes: 700 } }))
  const events = Array.from({ length: 40 }, (_, at) => (at % 7 === 6 ? EVENTS[3] : set(`k${at % 5}`, at)) as never)
  for (let at = 0; at < events.length; ) {
    const count = 1 + (at % 4)
    journal.append(events.slice(at, at + count))
    at += count
    await journal.flush()
    await loopTurn()
  }
  await journal.close(Uint8Array.of(7))
  const files = disk.image()
  t.true(segmentsOf(files).length > 2)
  for (let to = 0; to <= events.length; to++) {
    const receiver = new RecordingReceiver()
    const { chain, events: count } = await read(files, receiver, to)
    t.deepEqual(receiver.events, events.slice(0, to), `to ${to}`)
    t.is(count, to)
    t.is(chain.verdict.verdict, 'sound')
    t.is(receiver.written, undefined, 'the order of use belongs to the end')
  }
})

test('a replay in slices can pause after a few hundred events, in one frame or in many', async (t) => {
  for (const eventsOfAFrame of [1, 50, 2_000]) {
    const disk = new SimulatedDisk()
    const journal = new FileJournal(disk.process(), DIRECTORY)
    await journal.open(session())
    for (let at = 0; at < 2_000; at += eventsOfAFrame) {
      journal.append(Array.from({ length: eventsOfAFrame }, (_, index) => set(`k${index}`, at)) as never)
      await loopTurn()
    }
    await journal.close()
    const storage = disk.process()
    const plan = planReading(await findJournalFiles(storage, DIRECTORY), DIRECTORY, '')
    const receiver = new RecordingReceiver()
    let [most, last] = [0, 0]
    const pause = () => {
      most = Math.max(most, receiver.events.length - last)
      last = receiver.events.length
      return undefined
    }
    await replay(storage, DIRECTORY, plan, receiver, { pause })
    t.is(receiver.events.length, 2_000)
    t.true(last > 1_500 && most <= 512, `${eventsOfAFrame} events in a frame: at most ${most}`)
  }
})

test('replay starts from the newest snapshot that is not beyond its end', async (t) => {
  const { files } = await writeJournal({ isClean: true })
  const disk = SimulatedDisk.of(files)
  const listed = await findJournalFiles(disk.process(), DIRECTORY)
  const [snapshot] = listed.snapshots
  t.truthy(snapshot)
  const older = { ...listed, snapshots: [{ ...snapshot, sequence: 1 as Sequence } as never, ...listed.snapshots] }
  const segments = [{ name: '', path: '', sequence: 2 as Sequence, bytes: 1 }, ...listed.segments]
  const planTo = (to: number) => planReading({ ...older, segments }, DIRECTORY, '', to as Sequence)
  const last = snapshot?.sequence ?? 0
  t.is(planTo(LAST).snapshot?.sequence, last as Sequence)
  t.is(planTo(last).snapshot?.sequence, last as Sequence)
  t.is(planTo(last - 1).snapshot?.sequence, 1 as Sequence)
  t.is(planTo(last - 1).segments.length, segments.length)
})

test('replay to a sequence whose events were compacted away is refused, with the missing file', async (t) => {
  const { files } = await writeJournal({ isClean: true })
  const error = await t.throwsAsync(read(files, new Model(), 1), { instanceOf: CorruptionError })
  t.is(error?.sequence, 1)
})

test('damage beyond the end of a replay does not matter', async (t) => {
  const { files } = await writeJournal({ isClean: true, hasSnapshot: false })
  const path = segmentsOf(files).at(-1) as string
  const damaged = withFile(files, path, (files.get(path) as Uint8Array).slice(0, 70))
  const model = new Model()
  const { chain } = await read(damaged, model, 2)
  t.is(chain.verdict.verdict, 'sound')
  t.true(chain.end.isEarly)
  t.is((await read(damaged, new Model())).chain.verdict.verdict, 'torn')
})

test('eventsOf returns the events that a receiver gets', async (t) => {
  const disk = new SimulatedDisk()
  const journal = new FileJournal(disk.process(), DIRECTORY)
  await journal.open(session())
  journal.append(EVENTS)
  await journal.close(Uint8Array.of(7))
  const storage = disk.process()
  const plan = planReading(await findJournalFiles(storage, DIRECTORY), DIRECTORY, '')
  const events: unknown[] = []
  await readChain(storage, DIRECTORY, plan, JOURNAL_BEGIN, (frame, bytes, { path }) => {
    events.push(...eventsOf(frame, bytes, path))
  })
  t.deepEqual(events, [...EVENTS])
})

test('progress is reported 100 to 300 times, however many frames there are', async (t) => {
  const disk = new SimulatedDisk()
  const journal = new FileJournal(disk.process(), DIRECTORY)
  await journal.open(session({ fsync: 'never' }))
  for (let at = 0; at < 1_000; at++) {
    journal.append([set('k', at)])
    await loopTurn()
  }
  await journal.close()
  const receiver = new RecordingReceiver()
  await read(disk.image(), receiver)
  t.true(receiver.progressed.length > 100 && receiver.progressed.length < 300, `${receiver.progressed.length}`)
})
