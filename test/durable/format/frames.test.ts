import test from 'ava'
import { Counters } from '../../../src/core/model/counters.js'
import type { Sequence } from '../../../src/core/model/sequence.js'
import { checksum } from '../../../src/durable/format/checksum.js'
import { decodeFileHeader, encodeFileHeader } from '../../../src/durable/format/file-header.js'
import {
  FILE,
  FRAME,
  FRAME_HEADER_BYTES,
  FRAME_MAGIC,
  fileName,
  parseFileName,
} from '../../../src/durable/format/format.js'
import { beginFrame, type FrameHeader, finishFrame, readFrame } from '../../../src/durable/format/frame.js'
import { FrameScanner } from '../../../src/durable/format/frame-scanner.js'
import { ByteWriter } from '../../../src/values/bytes/byte-writer.js'
import { SimulatedDisk } from '../../helpers/durable/simulated-disk.js'

const ID = Buffer.alloc(16, 5)
const SEED = checksum(ID)
const COUNTERS = Object.assign(new Counters(), {
  hits: 1,
  misses: 2,
  evictions: 3,
  expirations: 4,
  sets: 2 ** 52,
  deletes: 6,
})

type Changes = Partial<Record<keyof FrameHeader, unknown>>

const header = (changes: Changes = {}): FrameHeader =>
  ({
    kind: 'events',
    flags: 0,
    firstSequence: 2 ** 40,
    count: 3,
    previousChecksum: 0xdeadbeef,
    durableSequence: 2 ** 40 - 1,
    writtenAtMs: 1_700_000_000_000.5,
    ...changes,
  }) as FrameHeader

function frame(payload: Uint8Array, changes: Changes = {}): Buffer {
  const writer = new ByteWriter(16)
  beginFrame(writer)
  writer.reserve(payload.length)
  writer.bytes.set(payload, writer.length)
  writer.length += payload.length
  finishFrame(writer, 0, header(changes), COUNTERS, SEED)
  return Buffer.from(writer.bytes.subarray(0, writer.length))
}

const read = (bytes: Buffer, seed = SEED) => readFrame(bytes, 0, 0, bytes.length, seed)

// ── frames ──

test('a frame is read as it was written', (t) => {
  for (const kind of ['events', 'rows', 'recency', 'seal', 'end'] as const) {
    const bytes = frame(Buffer.from('payload'), { kind, flags: 1 })
    const found = read(bytes)
    if ('problem' in found) return t.fail(found.reason)
    t.like(found, { ...header({ kind, flags: 1 }), offset: 0, length: bytes.length, payloadStart: 96, payloadEnd: 103 })
    t.deepEqual({ ...found.counters }, { ...COUNTERS })
    t.is(found.checksum, bytes.readUInt32LE(FRAME.checksum))
  }
})

test('every flipped bit of a frame makes it unsound or incomplete', (t) => {
  const bytes = frame(Buffer.from('some payload'))
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = Buffer.from(bytes)
    damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7))
    t.true('problem' in read(damaged), `bit ${bit}`)
  }
})

test('a frame of another journal is unsound', (t) => {
  t.like(read(frame(Buffer.from('x')), checksum(Buffer.alloc(16, 6))), { problem: 'unsound' })
})

test('zeros are not a frame, and neither is a frame with a header of zeros', (t) => {
  t.like(read(Buffer.alloc(500)), { problem: 'unsound', reason: 'no frame begins here' })
  const bytes = frame(Buffer.from('x'))
  bytes.fill(0, FRAME.kind, FRAME_HEADER_BYTES)
  t.like(read(bytes), { problem: 'unsound' })
})

test('a length beyond the end of the file, or of any frame, is unsound at once', (t) => {
  const bytes = frame(Buffer.from('x'))
  for (const length of [2, 1_000, 2 ** 28, 2 ** 31, 2 ** 32 - 1]) {
    bytes.writeUInt32LE(length, FRAME.payloadBytes)
    t.like(read(bytes), { problem: 'unsound' })
    // In a file that is large enough, too, if no frame is that large.
    if (length > 2 ** 28) t.like(readFrame(bytes, 0, 0, 2 ** 33, SEED), { problem: 'unsound' })
  }
})

test('a frame that is cut off is incomplete, and says how much it needs', (t) => {
  const bytes = frame(Buffer.alloc(100))
  t.like(readFrame(bytes.subarray(0, 50), 0, 0, bytes.length, SEED), { problem: 'incomplete', needed: 96 })
  t.like(readFrame(bytes.subarray(0, 150), 0, 0, bytes.length, SEED), { problem: 'incomplete', needed: 196 })
})

test('a frame of an unknown kind is from a newer daybook: no crash makes one', (t) => {
  const bytes = frame(Buffer.from('x'))
  bytes[FRAME.kind] = 9
  bytes.writeUInt32LE(checksum(bytes.subarray(8), SEED), FRAME.checksum)
  t.like(read(bytes), { problem: 'newer', reason: 'a frame of kind 9' })
})

test('a sequence of more than 53 bits is nonsense', (t) => {
  const bytes = frame(Buffer.from('x'))
  bytes.fill(0xff, FRAME.firstSequence, FRAME.firstSequence + 8)
  bytes.writeUInt32LE(checksum(bytes.subarray(8), SEED), FRAME.checksum)
  t.like(read(bytes), { problem: 'nonsense' })
})

// ── file headers ──

const LARGE = (2 ** 45) as Sequence
const fileHeader = () =>
  encodeFileHeader({ kind: 'segment', journalId: ID, sequence: LARGE, previousChecksum: 77, createdAtMs: 1.5 })
const decode = (bytes: Buffer, sequence = LARGE) => decodeFileHeader(bytes, 'file', { kind: 'segment', sequence })

test('a file header is read as it was written', (t) => {
  const bytes = fileHeader()
  t.is(bytes.length, 64)
  t.deepEqual(decode(bytes), {
    version: 2,
    kind: 'segment',
    journalId: ID,
    sequence: 2 ** 45,
    previousChecksum: 77,
    createdAtMs: 1.5,
    checksum: bytes.readUInt32LE(60),
  })
})

test('every flipped bit and every length of a file header is a CorruptionError', (t) => {
  for (let bit = 0; bit < 64 * 8; bit++) {
    const damaged = fileHeader()
    damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7))
    t.throws(() => decode(damaged), { code: 'CORRUPTION' }, `bit ${bit}`)
  }
  for (let length = 0; length < 64; length++)
    t.throws(() => decode(fileHeader().subarray(0, length)), { code: 'CORRUPTION' })
})

test('a file header of another kind or sequence is a CorruptionError', (t) => {
  t.throws(() => decode(fileHeader(), 5 as Sequence), { code: 'CORRUPTION', message: /name and its header/ })
  t.throws(() => decodeFileHeader(fileHeader(), 'file', { kind: 'snapshot', sequence: LARGE }), {
    code: 'CORRUPTION',
  })
})

test('a sound header of a future version is UNSUPPORTED_VERSION, whatever else it contains', (t) => {
  const bytes = fileHeader()
  bytes.writeUInt32LE(3, FILE.version)
  bytes.fill(0xee, FILE.kind, FILE.checksum)
  bytes.writeUInt32LE(checksum(bytes.subarray(0, FILE.checksum)), FILE.checksum)
  t.throws(() => decode(bytes), { code: 'UNSUPPORTED_VERSION', message: /version 3/ })
})

test('file names have the sequence in 16 digits, and nothing else is a file name', (t) => {
  t.is(fileName(42 as Sequence, 'segment'), '0000000000000042.segment')
  t.is(fileName((2 ** 53 - 1) as Sequence, 'snapshot'), '9007199254740991.snapshot')
  t.deepEqual(parseFileName('0000000000000042.loaded'), { sequence: 42 as Sequence, kind: 'loaded' })
  for (const name of [
    '42.segment',
    '0000000000000042.segment.5.broken',
    '0000000000000042.SEGMENT',
    'x0000000000000042.segment',
    '0000000000000042.segment\n',
    '-000000000000042.segment',
    '9007199254740992.segment',
    '9999999999999999.snapshot',
  ])
    t.is(parseFileName(name), undefined, name)
})

// ── the scanner ──

function scannerOf(content: Uint8Array): FrameScanner {
  const disk = SimulatedDisk.of(new Map([['/f', content]]))
  return new FrameScanner(disk.process().open('/f'), SEED)
}

test('frames are scanned in order, across the boundaries of reads', async (t) => {
  const sizes = [0, 1, 5_000_000, 10, 4_194_304 - 96, 3, 9_000_000, 0]
  const frames = sizes.map((size, at) => frame(new Uint8Array(size), { firstSequence: at + 1 }))
  const scanner = scannerOf(Buffer.concat([Buffer.alloc(64), ...frames]))
  for (const [at, bytes] of frames.entries()) {
    const scanned = await scanner.next()
    if (scanned?.frame === undefined) return t.fail(`frame ${at}`)
    t.is(scanned.frame.firstSequence, (at + 1) as Sequence)
    t.is(scanned.frame.length, bytes.length)
    t.is(scanned.frame.payloadEnd - scanned.frame.payloadStart, sizes[at] as number)
  }
  t.is(await scanner.next(), undefined)
})

test('the scanner stops at anything that is not a frame, and returns where', async (t) => {
  const good = frame(Buffer.from('good'))
  const scanner = scannerOf(Buffer.concat([Buffer.alloc(64), good, Buffer.from('garbage'), good]))
  t.truthy((await scanner.next())?.frame)
  t.like(await scanner.next(), { frame: undefined, offset: 64 + good.length })
})

test('a sound frame is found after damage of any length', async (t) => {
  const magic = Buffer.alloc(4)
  magic.writeUInt32LE(FRAME_MAGIC)
  for (const gap of [1, 3, 4, 95, 96, 100, 4_194_300, 4_194_303, 4_194_304, 8_400_000]) {
    const noise = Buffer.alloc(gap, magic)
    const scanner = scannerOf(
      Buffer.concat([Buffer.alloc(64), noise, frame(Buffer.from('found'), { firstSequence: 9 })]),
    )
    const found = await scanner.findFrame(64, ({ firstSequence }) => firstSequence === 9)
    t.is(found?.offset, 64 + gap, `after ${gap} bytes`)
  }
  const none = scannerOf(Buffer.concat([Buffer.alloc(64), Buffer.alloc(1_000, magic)]))
  t.is(await none.findFrame(64, () => true), undefined)
})

// Serial: no other test allocates meanwhile.
test.serial('a length of 2^32 − 1 does not make the scanner allocate that much', async (t) => {
  const bytes = frame(Buffer.alloc(10))
  bytes.writeUInt32LE(2 ** 32 - 1, FRAME.payloadBytes)
  const before = process.memoryUsage().arrayBuffers
  t.like(await scannerOf(Buffer.concat([Buffer.alloc(64), bytes])).next(), { frame: undefined })
  t.true(process.memoryUsage().arrayBuffers - before < 16 * 1024 * 1024)
})

test('the frame of a large turn is read like any other: sound, followed by one, and damaged', async (t) => {
  const large = frame(new Uint8Array(3_500_000).fill(7))
  const small = frame(Buffer.from('payload'))
  const header = new Uint8Array(64)
  const scanner = scannerOf(Buffer.concat([header, small, large, small]))
  const lengths: (number | undefined)[] = []
  for (let scanned = await scanner.next(); scanned !== undefined; scanned = await scanner.next())
    lengths.push(scanned.frame?.length)
  t.deepEqual(lengths, [small.length, large.length, small.length])
  for (const place of [100, 2_000_000, large.length - 1]) {
    const damaged = Buffer.from(large)
    damaged[place] = 8
    const found = await scannerOf(Buffer.concat([header, damaged, small])).next()
    t.like(found, { frame: undefined, offset: 64, isTorn: true, reason: 'the checksum of the frame does not match' })
    const next = await scannerOf(Buffer.concat([header, damaged, small])).findFrame(64, () => true)
    t.is(next?.length, small.length)
  }
})
