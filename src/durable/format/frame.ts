/** One frame: a header and a payload. */
import { Counters } from '../../core/model/counters.js'
import type { Sequence } from '../../core/model/sequence.js'
import type { ByteWriter } from '../../values/bytes/byte-writer.js'
import { checksum } from './checksum.js'
import {
  FRAME,
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  FRAME_KIND,
  FRAME_MAGIC,
  type FrameKind,
  isUnknownFlags,
} from './format.js'
import { readU64, writeU64 } from './u64.js'

export interface FrameHeader {
  kind: FrameKind
  flags: number
  firstSequence: Sequence
  count: number
  previousChecksum: number
  durableSequence: Sequence
  writtenAtMs: number
}

/** Frames that are ready to be written with one write, in order. `bytes` includes their headers. */
export interface FinishedFrames {
  frames: readonly { header: FrameHeader; checksum: number }[]
  bytes: Uint8Array
}

/** A frame that was read, with a matching checksum. */
export interface Frame extends FrameHeader {
  counters: Counters
  checksum: number
  /** Bytes from the start of the file to the frame. */
  offset: number
  /** Bytes of header and payload. */
  length: number
  /** Where the payload is in the buffer. */
  payloadStart: number
  payloadEnd: number
}

/** Leaves room for a header at the writer's end. Write the payload next, then call {@link finishFrame}. */
export function beginFrame(writer: ByteWriter): void {
  writer.skip(FRAME_HEADER_BYTES)
}

/** Fills in the header of the frame that begins at `start` and ends at the writer's end. Returns the frame's checksum. */
export function finishFrame(
  writer: ByteWriter,
  start: number,
  header: FrameHeader,
  counters: Readonly<Counters>,
  seed: number,
): number {
  const { bytes, length } = writer
  bytes.writeUInt32LE(FRAME_MAGIC, start + FRAME.magic)
  bytes.writeUInt32LE(length - start - FRAME_HEADER_BYTES, start + FRAME.payloadBytes)
  bytes[start + FRAME.kind] = FRAME_KIND[header.kind]
  bytes[start + FRAME.flags] = header.flags
  bytes.writeUInt16LE(0, start + FRAME.flags + 1)
  writeU64(bytes, start + FRAME.firstSequence, header.firstSequence)
  bytes.writeUInt32LE(header.count, start + FRAME.count)
  bytes.writeUInt32LE(header.previousChecksum, start + FRAME.previousChecksum)
  writeU64(bytes, start + FRAME.durableSequence, header.durableSequence)
  bytes.writeDoubleLE(header.writtenAtMs, start + FRAME.writtenAtMs)
  writeCounters(bytes, start + FRAME.counters, counters)
  const sum = checksum(bytes.subarray(start + FRAME.payloadBytes, length), seed)
  bytes.writeUInt32LE(sum, start + FRAME.checksum)
  return sum
}

const KINDS = new Map<number, FrameKind>(
  Object.entries(FRAME_KIND).map(([kind, number]) => [number, kind as FrameKind]),
)

/** Why a frame cannot be read. */
export type FrameProblem =
  /** The bytes end before the frame does. */
  | { problem: 'incomplete'; reason: string; needed: number }
  /** Its checksum takes long, and nobody has computed it yet. */
  | { problem: 'large'; reason: string; length: number }
  /** The bytes are not a sound frame: torn, damaged, or something else. */
  | { problem: 'unsound'; reason: string; summedBytes?: number }
  /** The checksum matches, so no crash did this, but no daybook writes such a header. */
  | { problem: 'nonsense'; reason: string }
  /** The checksum matches, and a newer daybook wrote it. */
  | { problem: 'newer'; reason: string }

/**
 * The frame at `at` in `bytes`, if it is complete and its checksum matches. `offset` is that of `bytes[0]` in the file, and
 * `fileBytes` the file's size: a length that exceeds it is refused before anything is allocated. A frame of more than `atOnceBytes` is
 * `'large'`, unless `sum` is given: {@link sumInSlices}.
 */
export function readFrame(
  bytes: Buffer,
  at: number,
  offset: number,
  fileBytes: number,
  seed: number,
  atOnceBytes = Number.POSITIVE_INFINITY,
  sum?: number,
): Frame | FrameProblem {
  const place = offset + at
  const left = bytes.length - at
  if (fileBytes - place < FRAME_HEADER_BYTES)
    return { problem: 'unsound', reason: 'the file ends in the middle of a frame header' }
  if (left < FRAME_HEADER_BYTES) return { problem: 'incomplete', reason: 'frame header', needed: FRAME_HEADER_BYTES }
  if (bytes.readUInt32LE(at + FRAME.magic) !== FRAME_MAGIC)
    return { problem: 'unsound', reason: 'no frame begins here' }
  const payloadBytes = bytes.readUInt32LE(at + FRAME.payloadBytes)
  const length = FRAME_HEADER_BYTES + payloadBytes
  if (length > FRAME_BYTES_MAX)
    return { problem: 'unsound', reason: `a frame of ${length} bytes is larger than any frame may be` }
  if (length > fileBytes - place) return { problem: 'unsound', reason: 'the file ends in the middle of a frame' }
  if (length > left) return { problem: 'incomplete', reason: 'frame', needed: length }
  if (length > atOnceBytes && sum === undefined) return { problem: 'large', reason: 'frame', length }
  const stored = bytes.readUInt32LE(at + FRAME.checksum)
  if ((sum ?? checksum(bytes.subarray(at + FRAME.payloadBytes, at + length), seed)) !== stored) {
    return { problem: 'unsound', reason: 'the checksum of the frame does not match', summedBytes: length }
  }
  const kind = KINDS.get(bytes[at + FRAME.kind] as number) // the header is complete
  if (kind === undefined) return { problem: 'newer', reason: `a frame of kind ${bytes[at + FRAME.kind]}` }
  const flags = bytes[at + FRAME.flags] as number
  if (isUnknownFlags(flags)) return { problem: 'newer', reason: `a frame with flags ${flags}` }
  const firstSequence = readU64(bytes, at + FRAME.firstSequence) as Sequence
  const durableSequence = readU64(bytes, at + FRAME.durableSequence) as Sequence
  const writtenAtMs = bytes.readDoubleLE(at + FRAME.writtenAtMs)
  const counters = readCounters(bytes, at + FRAME.counters)
  if (Number.isNaN(firstSequence) || Number.isNaN(durableSequence) || counters === undefined)
    return { problem: 'nonsense', reason: 'a number in the frame header is above 2^53 - 1' }
  if (!Number.isFinite(writtenAtMs))
    return { problem: 'nonsense', reason: 'the frame does not say when it was written' }
  return {
    kind,
    flags,
    firstSequence,
    count: bytes.readUInt32LE(at + FRAME.count),
    previousChecksum: bytes.readUInt32LE(at + FRAME.previousChecksum),
    durableSequence,
    writtenAtMs,
    counters,
    checksum: stored,
    offset: place,
    length,
    payloadStart: at + FRAME_HEADER_BYTES,
    payloadEnd: at + length,
  }
}

/** The checksum of the frame of this length at `at`. Each `yield` is a place where the caller may pause. */
export function* sumInSlices(
  bytes: Buffer,
  at: number,
  length: number,
  seed: number,
): Generator<undefined, number, undefined> {
  const end = at + length
  let sum = seed
  for (let start = at + FRAME.payloadBytes; start < end; start += SUM_SLICE_BYTES) {
    sum = checksum(bytes.subarray(start, Math.min(end, start + SUM_SLICE_BYTES)), sum)
    yield
  }
  return sum
}

const SUM_SLICE_BYTES = 1024 * 1024

const COUNTER_NAMES = ['hits', 'misses', 'evictions', 'expirations', 'sets', 'deletes'] as const

function writeCounters(bytes: Buffer, at: number, counters: Readonly<Counters>): void {
  let place = at
  for (const name of COUNTER_NAMES) {
    writeU64(bytes, place, counters[name])
    place += 8
  }
}

/** `undefined` if one of them is above 2^53 - 1. */
function readCounters(bytes: Buffer, at: number): Counters | undefined {
  const counters = new Counters()
  let place = at
  for (const name of COUNTER_NAMES) {
    const count = readU64(bytes, place)
    if (Number.isNaN(count)) return undefined
    counters[name] = count
    place += 8
  }
  return counters
}
