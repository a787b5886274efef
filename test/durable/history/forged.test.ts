/**
 * Frames that no daybook writes, with checksums that hold: what a program with a fault, or somebody who means harm, could
 * leave. Each is refused by name; none is skipped, and nothing is believed of it.
 */
import test from 'ava'
import { Counters } from '../../../src/core/model/counters.js'
import type { CacheEvent } from '../../../src/core/model/event.js'
import { FIRST_SEQUENCE, type Sequence } from '../../../src/core/model/sequence.js'
import { ByteWriter } from '../../../src/durable/format/byte-writer.js'
import { checksum } from '../../../src/durable/format/checksum.js'
import { encodeEvent } from '../../../src/durable/format/encode-event.js'
import { encodeFileHeader } from '../../../src/durable/format/file-header.js'
import { FRAME_MAGIC, fileName, SEAL_HAS_SUCCESSOR } from '../../../src/durable/format/format.js'
import { beginFrame, type FrameHeader, finishFrame } from '../../../src/durable/format/frame.js'
import { CorruptionError } from '../../../src/errors.js'
import { set } from '../../conformance/journal.js'
import { DIRECTORY, JOURNAL_ID, recoverImage } from '../../helpers/crash/explore.js'
import type { Files } from '../../helpers/durable/written-journal.js'

type Forged = Partial<Record<keyof FrameHeader, unknown>> & { count?: number } & {
  events?: readonly CacheEvent[]
  more?: Uint8Array
}

/** A file of frames that follow from one another, but for what is forged. */
function fileOf(kind: 'segment' | 'snapshot' | 'loaded', number: number, frames: readonly Forged[]): Uint8Array {
  const sequence = number as Sequence
  const header = encodeFileHeader({ kind, journalId: JOURNAL_ID, sequence, previousChecksum: 0, createdAtMs: 0 })
  const parts: Uint8Array[] = [header]
  let previousChecksum = header.readUInt32LE(60)
  let firstSequence: number = kind === 'segment' ? sequence : 1
  for (const { events = [], more = new Uint8Array(0), ...changes } of frames) {
    const writer = new ByteWriter(64)
    beginFrame(writer)
    for (const event of events) encodeEvent(writer, event)
    writer.reserve(more.length)
    writer.bytes.set(more, writer.length)
    writer.length += more.length
    const count = changes.count ?? events.length
    previousChecksum = finishFrame(
      writer,
      0,
      {
        kind: kind === 'segment' ? 'events' : 'rows',
        flags: 0,
        firstSequence,
        count,
        previousChecksum,
        durableSequence: 0,
        writtenAtMs: 0,
        ...changes,
      } as FrameHeader,
      new Counters(),
      checksum(JOURNAL_ID),
    )
    firstSequence += count
    parts.push(writer.bytes.slice(0, writer.length))
  }
  return Buffer.concat(parts)
}

const at = (sequence: number, kind: 'segment' | 'snapshot' | 'loaded') =>
  `${DIRECTORY}/${fileName(sequence as Sequence, kind)}`
const FIRST = at(1, 'segment')
const sound: Forged = { events: [set('a', 1)] }
const LOCK: [string, Uint8Array] = [`${DIRECTORY}/LOCK`, new Uint8Array(0)]
const recover = (files: [string, Uint8Array][]) =>
  recoverImage(new Map([LOCK, ...files]) as Files, (storage) => storage)

test('what the forger makes without forging anything is a sound journal', async (t) => {
  const { error, sequence } = await recover([
    [at(2, 'snapshot'), fileOf('snapshot', 2, [sound, { kind: 'end' }])],
    [at(3, 'segment'), fileOf('segment', 3, [sound, { kind: 'seal', flags: 0 }])],
  ])
  t.is(error, undefined)
  t.is(sequence, 3)
})

const SEGMENTS: [string, Forged[], RegExp][] = [
  ['rows in a segment', [sound, { kind: 'rows' }], /of kind "rows" does not belong in a segment/],
  ['the end of a snapshot in a segment', [sound, { kind: 'end' }], /of kind "end" does not belong in a segment/],
  [
    'a frame that says it is durable itself',
    [{ ...sound, durableSequence: 1 }],
    /claims that later sequences are durable/,
  ],
  ['a frame after a seal that goes on', [{ kind: 'seal', flags: SEAL_HAS_SUCCESSOR }, sound], /frame follows the seal/],
  ['a gap in the sequences', [sound, { ...sound, firstSequence: 3 }], /begins with sequence 3/],
  ['another predecessor', [sound, { ...sound, previousChecksum: 7 }], /does not follow the one before it/],
  ['more bytes than events', [{ ...sound, more: Uint8Array.of(0) }], /bytes follow the last item/],
  ['fewer events than it counts', [{ ...sound, count: 2 }], /./],
  ['an event of an unknown type', [{ count: 1, more: Uint8Array.of(15) }], /./],
  ['a seal that holds something', [{ kind: 'seal', more: Uint8Array.of(1) }], /bytes follow the last item/],
  ['an order of use that breaks off', [sound, { kind: 'recency', count: 2, more: Uint8Array.of(0, 1, 97) }], /./],
]

for (const [what, frames, reason] of SEGMENTS) {
  test(`${what}: refused, with file, offset and sequence`, async (t) => {
    const { error, disk } = await recover([[FIRST, fileOf('segment', 1, frames)]])
    t.true(error instanceof CorruptionError, `${error}`)
    const { file, offset, sequence, reason: given } = error as CorruptionError
    t.is(file, FIRST)
    t.regex(given, reason)
    t.true(offset >= 64 && sequence >= 1)
    t.is(disk.log.length, 0)
  })
}

const SNAPSHOTS: [string, Forged[], RegExp][] = [
  [
    'a row that is another event',
    [{ events: [{ type: 'deleted', key: 'a' }] }, { kind: 'end' }],
    /not an event of type/,
  ],
  ['more bytes than rows', [{ ...sound, more: Uint8Array.of(0) }, { kind: 'end' }], /bytes follow the last item/],
  ['a row that breaks off', [{ count: 1, more: Uint8Array.of(1, 5) }, { kind: 'end' }], /./],
  ['a seal among the rows', [sound, { kind: 'seal' }], /does not follow the one before it/],
  ['a row too many', [{ ...sound, firstSequence: 2 }, { kind: 'end' }], /does not follow the one before it/],
  ['rows after the end', [{ kind: 'end' }, sound], /a frame follows the last one/],
  ['no end', [sound], /ends before its last frame/],
]

for (const [what, frames, reason] of SNAPSHOTS) {
  test(`in a snapshot, ${what}: refused, with file, offset and sequence`, async (t) => {
    const { error, disk } = await recover([
      [at(1, 'snapshot'), fileOf('snapshot', 1, frames)],
      [at(2, 'segment'), fileOf('segment', 2, [])],
    ])
    t.true(error instanceof CorruptionError, `${error}`)
    t.is((error as CorruptionError).file, at(1, 'snapshot'))
    t.regex((error as CorruptionError).reason, reason)
    t.is(disk.log.length, 0)
  })
}

for (const file of ['../../etc/passwd', 'x.loaded', '0000000000000001.segment', '0000000000000007.loaded']) {
  test(`a loaded event that names ${file}: refused, and nothing else is opened`, async (t) => {
    const event: CacheEvent = { type: 'loaded', file, checksum: 1, entries: 1 }
    const { error } = await recover([[FIRST, fileOf('segment', 1, [{ events: [event] }])]])
    t.true(error instanceof CorruptionError, `${error}`)
    t.regex((error as CorruptionError).reason, /not the name of a loaded file|the file is missing/)
  })
}

test('an error of whoever takes the rows is none of the snapshot’s', async (t) => {
  const { SimulatedDisk } = await import('../../helpers/durable/simulated-disk.js')
  const { readSnapshot } = await import('../../../src/durable/snapshot/read-snapshot.js')
  const path = at(1, 'snapshot')
  const disk = SimulatedDisk.of(new Map([[path, fileOf('snapshot', 1, [sound, { kind: 'end' }])]]))
  const failure = new Error('whoever takes the rows has no room')
  const reading = readSnapshot(disk.process(), { path, kind: 'snapshot', sequence: FIRST_SEQUENCE }, () => {
    throw failure
  })
  t.is(await t.throwsAsync(reading), failure)
})

test('a torn tail made of forged frame headers is refused before looking at it takes minutes', async (t) => {
  // Each says that it reaches as far as the file does, so that each would be summed to its end.
  const bytes = 24 * 1024 * 1024
  const tail = Buffer.alloc(bytes)
  for (let place = 96; place + 96 <= bytes; place += 96) {
    tail.writeUInt32LE(FRAME_MAGIC, place)
    tail.writeUInt32LE(bytes - place - 96, place + 8)
  }
  const { error, disk } = await recover([[FIRST, Buffer.concat([fileOf('segment', 1, [sound]), tail])]])
  t.true(error instanceof CorruptionError, `${error}`)
  t.regex(
    (error as CorruptionError).reason,
    /so many forged frame headers follow that it cannot be known what was durable/,
  )
  t.like(error as CorruptionError, { file: FIRST, sequence: 2 })
  t.is(disk.log.length, 0)
})

test('a snapshot that tells a key twice is refused: which of the two it would be nobody can say', async (t) => {
  const { error } = await recover([
    [at(2, 'snapshot'), fileOf('snapshot', 2, [sound, { events: [set('b', 1), set('a', 2)] }, { kind: 'end' }])],
    [at(3, 'segment'), fileOf('segment', 3, [sound])],
  ])
  t.true(error instanceof CorruptionError)
  t.is((error as CorruptionError).reason, 'a key appears twice')
})
