/** A flipped bit, wherever it is in a log: in a record of any kind, or in an object beside it. */
import test from 'ava'
import type { ClusterCache } from '../../../../src/cluster.js'
import { openCluster } from '../../../../src/cluster.js'
import { FIRST_SEQUENCE } from '../../../../src/core/model/sequence.js'
import { Applier } from '../../../../src/edges/cluster/journal/applier.js'
import { ClusterClock } from '../../../../src/edges/cluster/journal/cluster-clock.js'
import { LogReader } from '../../../../src/edges/cluster/journal/log-reader.js'
import { Objects } from '../../../../src/edges/cluster/journal/objects.js'
import { RowsObject } from '../../../../src/edges/cluster/journal/read-rows-object.js'
import { identityOf } from '../../../../src/edges/cluster/journal/records.js'
import { sealed } from '../../../../src/edges/cluster/journal/sealed-record.js'
import type { Log, LogFollower, LogRecord } from '../../../../src/edges/cluster/log.js'
import { CorruptionError } from '../../../../src/index.js'
import { RecordingReceiver } from '../../../../src/testing/conformance/recording.js'
import { ManualClock, type MemoryLogEngine, memoryLog } from '../../../../src/testing.js'
import { drivenNodes } from '../../../helpers/cluster/driven-nodes.js'

const NAME = 'cluster'

/** A log with a record of every kind, and an object of every kind. */
async function writtenLog(t: Parameters<typeof drivenNodes>[0]): Promise<MemoryLogEngine> {
  const { open, during, engine } = drivenNodes(t)
  engine.control.bodyBytesMax = 2_000
  const one = await open('one')
  await during(one.set('a', 1, { tags: ['t'], ttl: '1h' }))
  await during(one.setMany(Array.from({ length: 100 }, (_, at) => [`key ${at}`, 'x'.repeat(50)])))
  await during(one.close())
  const { records } = engine.control.shared(NAME)
  // While an object is written, a leader says that it is there.
  records.append(sealed({ kind: 'frame', epoch: 1, node: 'one', body: new Uint8Array() }), records.last)
  return engine
}

function recordsOf(engine: MemoryLogEngine): LogRecord[] {
  const { records } = engine.control.shared(NAME)
  return Array.from({ length: records.last }, (_, at) => records.at(at + 1) as LogRecord)
}

/** What a node does that reads these records: undefined if it applies all of them. */
function read(records: readonly LogRecord[], engine: MemoryLogEngine): Promise<unknown> {
  const { objects: stored } = engine.control.shared(NAME).records
  const snapshots = {
    read: async function* (name: string) {
      yield stored.get(name)?.bytes as Uint8Array
    },
  }
  const follow = (_: number, to: LogFollower) => {
    setImmediate(() => {
      for (const [at, record] of records.entries()) to.take(record, at + 1)
    })
    return { stop: () => undefined }
  }
  const log = { follow, snapshots, bodyBytesMax: 2_000 } as unknown as Log
  const clock = new ClusterClock(new ManualClock())
  const applier = new Applier({ name: NAME, seed: identityOf(NAME).seed, objects: new Objects(log, () => ''), clock })
  const receiver = new RecordingReceiver()
  return new Promise((resolve) => {
    new LogReader(log, 1, {
      take(record, at) {
        const pending = applier.take(record, at, { receiver, replica: undefined })
        const end = () => at === records.length && resolve(undefined)
        return pending === undefined ? void end() : pending.then(() => void end())
      },
      gap: () => resolve('gap'),
      failed: resolve,
    })
  })
}

/** The record with one bit flipped, for every byte of what the engine stores. */
function* flippedRecords(record: LogRecord): Generator<[string, LogRecord]> {
  for (const part of ['kind', 'node'] as const) {
    const bytes = Buffer.from(record[part])
    for (const at of bytes.keys()) yield [`${part} ${at}`, { ...record, [part]: flipped(bytes, at).toString('latin1') }]
  }
  for (let bit = 0; bit < 31; bit++) yield [`epoch ${bit}`, { ...record, epoch: record.epoch ^ (1 << bit) }]
  for (const at of record.body.keys()) yield [`body ${at}`, { ...record, body: flipped(record.body, at) }]
}

function flipped(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] as number) ^ (1 << (at % 8))
  return copy
}

test('a flipped bit in any byte of any kind of record is a CorruptionError', async (t) => {
  const engine = await writtenLog(t)
  const records = recordsOf(engine)
  t.deepEqual([...new Set(records.map(({ kind }) => kind))].sort(), ['begin', 'frame', 'resign', 'term'])
  t.is(await read(records, engine), undefined)
  for (const [at, record] of records.entries()) {
    for (const [what, damaged] of flippedRecords(record)) {
      const error = await read(records.with(at, damaged), engine)
      t.true(error instanceof CorruptionError, `record ${at + 1} (${record.kind}), ${what}: ${error}`)
      t.is((error as CorruptionError).file, `record ${at + 1} of the log`)
    }
  }
})

test('a record that is cut off, at any byte, is a CorruptionError', async (t) => {
  const engine = await writtenLog(t)
  const records = recordsOf(engine)
  for (const [at, record] of records.entries())
    for (const length of record.body.keys())
      t.true(
        (await read(records.with(at, { ...record, body: record.body.subarray(0, length) }), engine)) instanceof
          CorruptionError,
      )
})

test('a flipped bit in any byte of an object that a record names is a CorruptionError, by its name', async (t) => {
  const engine = await writtenLog(t)
  const { objects } = engine.control.shared(NAME).records
  const [name, object] = [...objects].find(([key]) => key.startsWith('record-')) as [string, { bytes: Uint8Array }]
  const { bytes } = object
  for (const at of bytes.keys()) {
    object.bytes = flipped(bytes, at)
    const error = await read(recordsOf(engine), engine)
    t.true(error instanceof CorruptionError, `byte ${at}: ${error}`)
    t.is((error as CorruptionError).file, name)
  }
  for (const length of [0, 1, bytes.length - 1]) {
    object.bytes = bytes.subarray(0, length)
    t.true((await read(recordsOf(engine), engine)) instanceof CorruptionError, `${length} bytes`)
  }
})

/** What reading an object of rows comes to, given in chunks of this size. */
async function readRows(bytes: Uint8Array, chunkBytes: number): Promise<unknown> {
  const snapshots = {
    read: async function* () {
      for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
    },
  }
  const object = new RowsObject(new Objects({ snapshots } as unknown as Log, () => ''), 'object')
  try {
    const header = (await object.header()) as { nextSequence: number }
    const { entries } = await object.rows('snapshot', (header.nextSequence - FIRST_SEQUENCE) as never, () => undefined)
    return entries
  } catch (error) {
    return error
  } finally {
    object.close()
  }
}

async function snapshotBytes(t: Parameters<typeof drivenNodes>[0]): Promise<Uint8Array> {
  const { open, during, engine } = drivenNodes(t)
  const one = await open('one')
  await during(one.setMany(Array.from({ length: 50 }, (_, at) => [`key ${at}`, at])))
  await during(one.compact())
  return [...engine.control.shared(NAME).records.objects.values()][0]?.bytes as Uint8Array
}

test('a flipped bit in any byte of a snapshot, and a snapshot that ends early, is a CorruptionError', async (t) => {
  const bytes = await snapshotBytes(t)
  for (const at of bytes.keys()) {
    const error = await readRows(flipped(bytes, at), 1_000)
    t.true(error instanceof CorruptionError, `byte ${at}: ${error}`)
    const short = await readRows(bytes.subarray(0, at), 1_000)
    t.true(short instanceof CorruptionError, `${at} bytes: ${short}`)
  }
  t.true((await readRows(Buffer.concat([bytes, Buffer.alloc(1)]), 1_000)) instanceof CorruptionError)
})

test('a snapshot is read in whatever chunks it comes', async (t) => {
  const bytes = await snapshotBytes(t)
  for (const chunkBytes of [1, 7, 64, bytes.length - 1, bytes.length, bytes.length + 1])
    t.is(await readRows(bytes, chunkBytes), 50, `chunks of ${chunkBytes}`)
})

test('the damage of a record says what to do in a cluster, and that helps', async (t) => {
  const engine = memoryLog()
  const name = 'c'
  const one = await openCluster({ name, engine })
  t.teardown(() => one.close())
  await one.set('a', 1)
  const { records } = engine.control.shared(name)
  const record = records.at(records.last) as LogRecord
  record.body[20]! ^= 1
  const error = await t.throwsAsync(openCluster({ name, engine }), { instanceOf: CorruptionError })
  t.notRegex(error.message, /daybook verify|repair|directory|onCorruption/)
  t.regex(error.message, /record \d+ of the log.*compact\(\)/)
  await one.compact()
  const two: ClusterCache = await openCluster({ name, engine })
  t.is(two.local.get('a'), 1)
  await two.close()
})

test('of a snapshot there is never more in memory than some frames', async (t) => {
  const { open, during, engine } = drivenNodes(t)
  const one = await open('one')
  for (let count = 0; count < 30; count++) await during(one.set(`key ${count}`, 'x'.repeat(1_000_000)))
  await during(one.compact())
  const [bytes] = [...engine.control.shared(NAME).records.objects.values()].map((object) => object.bytes)
  t.true((bytes?.length ?? 0) > 30_000_000)
  let given = 0
  let most = 0
  const snapshots = {
    read: async function* () {
      for (let at = 0; at < (bytes?.length ?? 0); at += 100_000) {
        given = at
        yield bytes?.subarray(at, at + 100_000) as Uint8Array
      }
    },
  }
  const object = new RowsObject(new Objects({ snapshots } as unknown as Log, () => ''), 'object')
  const { nextSequence } = (await object.header()) as { nextSequence: number }
  await object.rows('snapshot', (nextSequence - FIRST_SEQUENCE) as never, ({ offset }) => {
    most = Math.max(most, given - offset)
  })
  t.true(most < 6_000_000, `${most} bytes`)
})
