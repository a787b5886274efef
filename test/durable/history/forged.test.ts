/**
 * Frames that no daybook writes, with matching checksums: what a faulty program, or an attacker, could leave. Each is refused with
 * its reason; none is skipped, and nothing in it is believed.
 */
import test from 'ava'
import type { CacheEvent } from '../../../src/core/model/event.js'
import { FIRST_SEQUENCE, type Sequence } from '../../../src/core/model/sequence.js'
import { FRAME, FRAME_MAGIC, fileName, SEAL_HAS_SUCCESSOR } from '../../../src/durable/format/format.js'
import { readSnapshot } from '../../../src/durable/snapshot/read-snapshot.js'
import { CorruptionError } from '../../../src/errors.js'
import { set } from '../../../src/testing/conformance/recording.js'
import { recoverImage } from '../../helpers/crash/recover-image.js'
import { DIRECTORY } from '../../helpers/crash/stage.js'
import { type Forged, forgedFile as fileOf } from '../../helpers/durable/forged-file.js'
import { SimulatedDisk } from '../../helpers/durable/simulated-disk.js'
import type { Files } from '../../helpers/durable/written-journal.js'

const at = (sequence: number, kind: 'segment' | 'snapshot' | 'loaded') =>
  `${DIRECTORY}/${fileName(sequence as Sequence, kind)}`
const FIRST = at(1, 'segment')
const sound: Forged = { events: [set('a', 1)] }
const mortal = set('a', 1, 1_700_000_000_000)
const moved: CacheEvent = { type: 'rescheduled', key: 'a', expiresAtMs: 1_700_000_000_000 }
/** Replaces the deadline at the end of the last event. */
const deadline = (ms: number) => (frame: Buffer) => void frame.writeDoubleLE(ms, frame.length - 8)
const u64 = (at: number, value: bigint) => (frame: Buffer) => void frame.writeBigUInt64LE(value, at)
const LOCK: [string, Uint8Array] = [`${DIRECTORY}/LOCK`, new Uint8Array(0)]
const recover = (files: [string, Uint8Array][]) => recoverImage(new Map([LOCK, ...files]) as Files)

test('a file of the forger in which nothing is forged is a sound journal', async (t) => {
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
    'a frame that says that it is durable itself',
    [{ ...sound, durableSequence: 1 }],
    /claims that later sequences are durable/,
  ],
  [
    'a frame after a seal with a successor',
    [{ kind: 'seal', flags: SEAL_HAS_SUCCESSOR }, sound],
    /frame follows the seal/,
  ],
  ['a gap in the sequences', [sound, { ...sound, firstSequence: 3 }], /begins with sequence 3/],
  ['another predecessor', [sound, { ...sound, previousChecksum: 7 }], /does not follow the one before it/],
  ['more bytes than events', [{ ...sound, more: Uint8Array.of(0) }], /bytes follow the last item/],
  ['fewer events than it counts', [{ ...sound, count: 2 }], /./],
  ['a seal with content', [{ kind: 'seal', more: Uint8Array.of(1) }], /bytes follow the last item/],
  ['an order of use that is cut short', [sound, { kind: 'recency', count: 2, more: Uint8Array.of(0, 1, 97) }], /./],
  ['a deadline that is NaN', [{ events: [mortal], patch: deadline(Number.NaN) }], /a deadline is NaN/],
  ['a deadline of -Infinity', [{ events: [mortal], patch: deadline(-Infinity) }], /a deadline is -Infinity/],
  ['a new deadline that is NaN', [{ events: [moved], patch: deadline(Number.NaN) }], /a deadline is NaN/],
  [
    'counters beyond 2^53 - 1',
    [{ ...sound, patch: u64(FRAME.counters + 16, 2n ** 53n) }],
    /a number in the frame header is above 2\^53 - 1/,
  ],
  ['a sequence beyond 2^53 - 1', [{ ...sound, patch: u64(FRAME.firstSequence, 2n ** 60n) }], /above 2\^53/],
  ['a durable sequence beyond it', [{ ...sound, patch: u64(FRAME.durableSequence, 2n ** 64n - 1n) }], /above 2\^53/],
  [
    'no time of writing',
    [{ ...sound, patch: (frame) => frame.writeDoubleLE(Number.NaN, FRAME.writtenAtMs) }],
    /when it was/,
  ],
  ['half a character of text', [{ count: 1, more: Uint8Array.of(0x41, 3, 97, 0, 98, 0) }], /half a character/],
]

for (const [what, frames, reason] of SEGMENTS) {
  test(`${what}: refused, with file, offset and sequence`, async (t) => {
    const { error, disk } = await recover([[FIRST, fileOf('segment', 1, frames)]])
    t.true(error instanceof CorruptionError, `${error}`)
    const { file, offset, sequence, reason: actual } = error as CorruptionError
    t.is(file, FIRST)
    t.regex(actual, reason)
    t.true(offset >= 64 && sequence >= 1)
    t.is(disk.log.length, 0)
  })
}

const NEWER: [string, Forged, RegExp][] = [
  ['an event of type 15', { count: 1, more: Uint8Array.of(15, 1, 97) }, /holds an event of type 15 in/],
  ['an event of type 0', { count: 1, more: Uint8Array.of(0, 1, 97) }, /holds an event of type 0 in/],
  ['a value of kind 99', { count: 1, more: Uint8Array.of(1, 1, 97, 99, 0) }, /holds a value of kind 99 in/],
  [
    'an extended set',
    { count: 1, more: Uint8Array.of(0x81, 1, 97, 0, 2, 7, 1) },
    /holds an extension of kind 7 of an event of type "set" in/,
  ],
  [
    'an extended rescheduled',
    { count: 1, more: Uint8Array.of(0x85, 1, 97, 2, 7, 1) },
    /holds an extension of kind 7 of an event of type "rescheduled" in/,
  ],
  ['a frame of kind 9', { ...sound, patch: (frame) => void (frame[FRAME.kind] = 9) }, /holds a frame of kind 9 in/],
]

for (const [what, frame, message] of NEWER) {
  test(`${what}: only a newer daybook writes it, so it is neither skipped nor taken for damage`, async (t) => {
    const { error, disk } = await recover([[FIRST, fileOf('segment', 1, [sound, frame])]])
    t.like(error, { name: 'CacheError', code: 'UNSUPPORTED_VERSION' })
    t.regex((error as Error).message, message)
    t.true((error as Error).message.startsWith(FIRST))
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
  ['a row that is cut short', [{ count: 1, more: Uint8Array.of(1, 5) }, { kind: 'end' }], /./],
  ['a seal among the rows', [sound, { kind: 'seal' }], /does not follow the one before it/],
  ['a row too many', [{ ...sound, firstSequence: 2 }, { kind: 'end' }], /does not follow the one before it/],
  ['rows after the end', [{ kind: 'end' }, sound], /a frame follows the last one/],
  ['no end', [sound], /ends before its last frame/],
  ['counters beyond 2^53 - 1', [{ kind: 'end', patch: u64(FRAME.counters, 2n ** 53n) }], /above 2\^53/],
  ['a deadline that is NaN', [{ events: [mortal], patch: deadline(Number.NaN) }, { kind: 'end' }], /a deadline is NaN/],
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

test('an error thrown by the receiver of the rows is thrown unchanged', async (t) => {
  const path = at(1, 'snapshot')
  const disk = SimulatedDisk.of(new Map([[path, fileOf('snapshot', 1, [sound, { kind: 'end' }])]]))
  const failure = new Error('no room for the rows')
  const reading = readSnapshot(disk.process(), { path, kind: 'snapshot', sequence: FIRST_SEQUENCE }, () => {
    throw failure
  })
  t.is(await t.throwsAsync(reading), failure)
})

test('a torn tail made of forged frame headers is refused before the search takes minutes', async (t) => {
  // Each claims to reach the end of the file, so that its checksum would be computed over all of that.
  const bytes = 24 * 1024 * 1024
  const tail = Buffer.alloc(bytes)
  for (let place = 96; place + 96 <= bytes; place += 96) {
    tail.writeUInt32LE(FRAME_MAGIC, place)
    tail.writeUInt32LE(bytes - place - 96, place + 8)
  }
  const { error, disk } = await recover([[FIRST, Buffer.concat([fileOf('segment', 1, [sound]), tail])]])
  t.true(error instanceof CorruptionError, `${error}`)
  t.regex((error as CorruptionError).reason, /so many forged frame headers follow that nothing shows what was durable/)
  t.like(error as CorruptionError, { file: FIRST, sequence: 2 })
  t.is(disk.log.length, 0)
})

test('a deadline of +Infinity means none', async (t) => {
  const { error, model } = await recover([
    [FIRST, fileOf('segment', 1, [{ events: [mortal], patch: deadline(Infinity) }])],
  ])
  t.is(error, undefined)
  t.is(model.digest(), 'a=number:1#@Infinity/Infinity')
})

test('a loaded file that holds a key twice is refused', async (t) => {
  const rows = fileOf('loaded', 1, [{ events: [set('a', 1), set('b', 1), set('a', 2)] }, { kind: 'end' }])
  const checksum = Buffer.from(rows).readUInt32LE(rows.length - 96 + FRAME.checksum)
  const event: CacheEvent = { type: 'loaded', file: '0000000000000001.loaded', checksum, entries: 3 }
  const { error } = await recover([
    [at(1, 'loaded'), rows],
    [FIRST, fileOf('segment', 1, [{ events: [event] }])],
  ])
  t.true(error instanceof CorruptionError, `${error}`)
  t.like(error as CorruptionError, { file: at(1, 'loaded'), reason: 'a key appears twice' })
})

test('a snapshot that holds a key twice is refused', async (t) => {
  const { error } = await recover([
    [at(2, 'snapshot'), fileOf('snapshot', 2, [sound, { events: [set('b', 1), set('a', 2)] }, { kind: 'end' }])],
    [at(3, 'segment'), fileOf('segment', 3, [sound])],
  ])
  t.true(error instanceof CorruptionError)
  t.is((error as CorruptionError).reason, 'a key appears twice')
})
