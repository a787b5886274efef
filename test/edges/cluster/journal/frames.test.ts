/** Which frames of a log count. */
import test from 'ava'
import { Counters } from '../../../../src/core/model/counters.js'
import { FIRST_SEQUENCE } from '../../../../src/core/model/sequence.js'
import { Applier } from '../../../../src/edges/cluster/journal/applier.js'
import { ClusterClock } from '../../../../src/edges/cluster/journal/cluster-clock.js'
import { LeaderFrames } from '../../../../src/edges/cluster/journal/leader-frames.js'
import { Objects } from '../../../../src/edges/cluster/journal/objects.js'
import { identityOf, jsonBody, stagedIn, writeSettings } from '../../../../src/edges/cluster/journal/records.js'
import { TermWriter } from '../../../../src/edges/cluster/journal/term-writer.js'
import type { Log, LogRecord, Position } from '../../../../src/edges/cluster/log.js'
import { CorruptionError } from '../../../../src/index.js'
import { RecordingReceiver, set } from '../../../../src/testing/conformance/recording.js'
import { ManualClock } from '../../../../src/testing.js'
import { loopTurn } from '../../../helpers/loop-turn.js'

const SETTINGS = writeSettings({
  name: 'c',
  ttlMs: Number.POSITIVE_INFINITY,
  eviction: 'lru',
  maxSize: 10,
  maxBytes: Number.POSITIVE_INFINITY,
})

function scene() {
  const { seed } = identityOf('c')
  const clock = new ClusterClock(new ManualClock())
  const objects = new Objects({ bodyBytesMax: 1_000_000 } as never, () => '')
  const receiver = new RecordingReceiver()
  const applier = new Applier({ name: 'c', seed, objects, clock })
  let at = 0
  const take = (record: LogRecord) => applier.take(record, ++at, { receiver, replica: undefined })
  const term = (epoch: number, node: string): LogRecord => ({
    kind: 'term',
    epoch,
    node,
    body: jsonBody({ ...SETTINGS, timeMs: 0 }),
  })
  const framesOf = () => new LeaderFrames(applier.end, { counters: new Counters(), seed, clock })
  return { applier, receiver, take, term, framesOf }
}

const bodiesOf = (frames: LeaderFrames, key: string) => {
  frames.add([set(key, key)])
  return frames.finish(1_000_000)[0]?.body as Uint8Array
}
const keysOf = (receiver: RecordingReceiver) => receiver.events.map((event) => (event as { key?: string }).key)

test('a frame of an earlier leader does not count, and ends the term in which it has landed', (t) => {
  const { applier, receiver, take, term, framesOf } = scene()
  take(term(1, 'one'))
  const old = framesOf()
  take({ kind: 'frame', epoch: 1, node: 'one', body: bodiesOf(old, 'a') })
  bodiesOf(old, 'lost')
  const late = bodiesOf(old, 'late')
  take(term(2, 'two'))
  const frames = framesOf()
  take({ kind: 'frame', epoch: 2, node: 'two', body: bodiesOf(frames, 'b') })
  take({ kind: 'frame', epoch: 1, node: 'one', body: late })
  t.is(applier.leader, undefined)
  bodiesOf(frames, 'refused') // `late` is in its place
  take({ kind: 'frame', epoch: 2, node: 'two', body: bodiesOf(frames, 'behind') })
  t.deepEqual(keysOf(receiver), ['a', 'b'])
  t.is(applier.position, 6)
  take(term(3, 'two'))
  take({ kind: 'frame', epoch: 3, node: 'two', body: bodiesOf(framesOf(), 'c') })
  t.deepEqual(keysOf(receiver), ['a', 'b', 'c'])
})

test('a record of a term that has not begun, or begun otherwise, is a CorruptionError: it is another copy of the log', (t) => {
  for (const [what, records] of [
    ['a frame of this term by another node', [{ kind: 'frame', epoch: 2, node: 'other' }]],
    ['the end of this term by another node', [{ kind: 'resign', epoch: 2, node: 'other' }]],
    ['a frame of a term without its beginning', [{ kind: 'frame', epoch: 3, node: 'two' }]],
    ['the end of a term without its beginning', [{ kind: 'resign', epoch: 3, node: 'two' }]],
    [
      'a frame by another node after the term has ended',
      [
        { kind: 'resign', epoch: 2, node: 'two' },
        { kind: 'frame', epoch: 2, node: 'other' },
      ],
    ],
  ] as [string, Omit<LogRecord, 'body'>[]][]) {
    const { applier, receiver, take, term, framesOf } = scene()
    take(term(1, 'one'))
    take(term(2, 'two'))
    const body = bodiesOf(framesOf(), 'a')
    const last = records.pop() as Omit<LogRecord, 'body'>
    for (const record of records) take({ ...record, body })
    const { position } = applier
    t.throws(() => take({ ...last, body }), { instanceOf: CorruptionError, message: /copies of the log differ/ }, what)
    t.is(applier.position, position)
    t.deepEqual(keysOf(receiver), [])
  }
  const { take, term } = scene()
  take(term(2, 'two'))
  for (const epoch of [1, 2])
    t.throws(() => take(term(epoch, 'one')), { instanceOf: CorruptionError, message: /begins term \d after term 2/ })
  t.notThrows(() => take(term(3, 'one')))
})

test('a flipped bit, a missing frame, or one that is there twice, is a CorruptionError', (t) => {
  for (const spoil of ['flip', 'miss', 'double']) {
    const { take, term, framesOf } = scene()
    take(term(1, 'one'))
    const frames = framesOf()
    const [first, second] = [bodiesOf(frames, 'a'), bodiesOf(frames, 'b')]
    if (spoil === 'flip') second[100] = (second[100] as number) ^ 1
    const record = (body: Uint8Array): LogRecord => ({ kind: 'frame', epoch: 1, node: 'one', body })
    if (spoil !== 'miss') take(record(first))
    t.throws(() => take(record(spoil === 'double' ? first : second)), { instanceOf: CorruptionError }, spoil)
  }
})

test('the log of another cache, or of a newer protocol, is refused', (t) => {
  const { take } = scene()
  const begin = (settings: object): LogRecord => ({ kind: 'begin', epoch: 0, node: 'n', body: jsonBody(settings) })
  t.throws(() => take(begin({ ...SETTINGS, name: 'other' })), { code: 'OPTIONS_DIFFER' })
  t.throws(() => take(begin({ ...SETTINGS, protocol: 99 })), { code: 'UNSUPPORTED_VERSION' })
  t.throws(() => take(begin({ ...SETTINGS, format: 99 })), { code: 'UNSUPPORTED_VERSION' })
})

test('a record that is no JSON where there must be some is damage, by its position', (t) => {
  const { take } = scene()
  const body = Buffer.from('rubbish')
  for (const [at, kind] of (['begin', 'term'] as const).entries())
    t.throws(() => take({ kind, epoch: at, node: 'n', body }), {
      instanceOf: CorruptionError,
      message: new RegExp(`record ${at + 1} of the log`),
    })
  t.throws(() => stagedIn(Buffer.from('{rubbish'), 3), {
    instanceOf: CorruptionError,
    message: /record 3 of the log/,
  })
})

test('acknowledgements count in order: one that overtakes says nothing while an earlier record may have failed', async (t) => {
  const calls: { after: Position; settle(error?: Error): void }[] = []
  const append: Log['append'] = (_, after) =>
    new Promise((resolve, reject) => {
      calls.push({ after, settle: (error) => (error === undefined ? resolve(after + 1) : reject(error)) })
    })
  const committed: string[] = []
  const failures: unknown[] = []
  const objects = new Objects({ bodyBytesMax: 1_000 } as never, () => '')
  const term = { epoch: 1, node: 'n', position: 5, timeMs: 0 }
  const writer = new TermWriter<string>({ append } as Log, objects, term, {
    committed: ({ content }, at) => committed.push(`${content} at ${at}`),
    failed: (error) => {
      failures.push(error)
      t.deepEqual(writer.end(), ['b', 'c'])
    },
  })
  for (const content of ['a', 'b', 'c']) writer.send({ kind: 'frame', body: new Uint8Array(1), content })
  t.deepEqual(
    calls.map(({ after }) => after),
    [5, 6, 7],
  )
  calls[2]?.settle()
  await loopTurn()
  t.deepEqual(committed, [])
  calls[0]?.settle()
  await loopTurn()
  t.deepEqual(committed, ['a at 6'])
  calls[1]?.settle(new Error('unknown'))
  await loopTurn()
  t.deepEqual(committed, ['a at 6'])
  t.is(failures.length, 1)
})

test('a record holds whole frames, and an empty frame has a place in the chain', (t) => {
  const { applier, take, term, framesOf } = scene()
  take(term(1, 'one'))
  const frames = framesOf()
  for (let count = 0; count < 2_000; count++) frames.add([set(`key ${count}`, 'x'.repeat(100))])
  const records = frames.finish(100_000)
  t.true(records.length > 2)
  t.true(records.every(({ body }) => body.length <= 100_000))
  for (const { body } of [...records, frames.empty()]) take({ kind: 'frame', epoch: 1, node: 'one', body })
  t.is(applier.end.nextSequence, (FIRST_SEQUENCE + 2_000) as never)
})
