/**
 * The layout of the journal's files: only numbers and offsets. docs/format.md describes it in words, with a grammar and a worked
 * example, whose bytes are also a golden file in the tests. All numbers are little-endian.
 */
import type { Sequence } from '../../core/model/sequence.js'

/** The format version that this code writes. It also reads version 1. */
export const VERSION = 2

/** ── File header: the same layout in every version, in segments, snapshots, loaded and saved files ── */
export const FILE_HEADER_BYTES = 64
export const FILE_MAGIC = 'daybook\n'
export const FILE = {
  magic: 0, // 8 bytes
  version: 8, // u32
  kind: 12, // u32, FILE_KIND
  journalId: 16, // 16 bytes, random
  sequence: 32, // u64: the first sequence of a segment, the sequence of a snapshot
  previousChecksum: 40, // u32: of the last frame before this file
  createdAtMs: 48, // f64, epoch milliseconds
  checksum: 60, // u32: crc32 of bytes 0–59
} as const
/** A saved file is what `save()` writes: a snapshot that belongs to no journal. */
export const FILE_KIND = { segment: 1, snapshot: 2, loaded: 3, saved: 4 } as const
export type FileKind = keyof typeof FILE_KIND

/** ── Frame: a header and a payload; valid as a whole or not at all ── */
export const FRAME_HEADER_BYTES = 96
export const FRAME_MAGIC = 0xdab0_0cf1
export const FRAME = {
  magic: 0, // u32
  checksum: 4, // u32: crc32 of bytes 8 to the end of the payload, begun with the crc32 of the journal id
  payloadBytes: 8, // u32
  kind: 12, // u8, FRAME_KIND
  flags: 13, // u8: SEAL_HAS_SUCCESSOR, FRAME_HAS_NOTES
  // 14: u16, zero
  firstSequence: 16, // u64: the number of the first event (of the next one, if there is none); of a row: 1, 2, …
  count: 24, // u32: events, rows or keys in the payload
  previousChecksum: 28, // u32: of the frame before; of the file header for the first frame of a file
  durableSequence: 32, // u64: the last event known to be on disk when this frame was made
  writtenAtMs: 40, // f64, epoch milliseconds
  counters: 48, // 6 × u64: hits, misses, evictions, expirations, sets, deletes
} as const
export const FRAME_KIND = { events: 1, rows: 2, recency: 3, seal: 4, end: 5 } as const
export type FrameKind = keyof typeof FRAME_KIND
export const SEAL_HAS_SUCCESSOR = 1
/** Notes follow the items. */
export const FRAME_HAS_NOTES = 2
const FLAGS_MASK = SEAL_HAS_SUCCESSOR | FRAME_HAS_NOTES
export const isUnknownFlags = (flags: number) => (flags & ~FLAGS_MASK) !== 0
/** The kinds of notes. */
export const NOTE = { limits: 1, order: 2, client: 3, answer: 4, forgotten: 5 } as const
/** The first byte of an answer, if it is not that of a primitive (`values/plain/tags.ts`): bytes, or none, because they were too many. */
export const ANSWER = { bytes: 10, done: 32 } as const

/** The largest frame, including its header. A change that needs a larger one is refused with a `RangeError`. */
export const FRAME_BYTES_MAX = 256 * 1024 * 1024

/** ── Payload: events, one after the other ── */
export const EVENT_TYPE = {
  set: 1,
  deleted: 2,
  expired: 3,
  evicted: 4,
  rescheduled: 5,
  cleared: 6,
  loaded: 7,
  limited: 8,
} as const
export const EVENT_TYPE_LAST = EVENT_TYPE.limited
export const EVENT_TYPE_MASK = 0x0f
/** The event has a deadline: an f64 of epoch milliseconds at its end. */
export const EVENT_HAS_DEADLINE = 0x10
/** The encoding of the key (TEXT in values/bytes/text.ts), shifted into the event's first byte. */
export const KEY_TEXT_SHIFT = 5
export const KEY_TEXT_MASK = 0x03
/** A `set` or `rescheduled` event ends with an extension: a varint of bytes, and in them parts. */
export const EVENT_HAS_EXTENSION = 0x80
/** The kinds of parts. Each part is its kind, a varint of bytes, and the bytes. */
export const PART = {
  /** An f64 of epoch milliseconds. */
  freshUntil: 1,
  /** Texts: for each its encoding (TEXT), a varint of bytes, and the bytes. Only in a `set` event. */
  tags: 2,
} as const

/** The first byte of a value, if it is not that of a primitive (`values/plain/tags.ts`). */
export const VALUE = {
  /** Node's `v8.serialize`, with a varint of bytes. */
  structured: 9,
  /** The bytes of a Uint8Array, with a varint of bytes. */
  bytes: 10,
  /** The same for a Buffer. */
  buffer: 11,
  /** Node's `v8.serialize` of a value and the records of its errors, with a varint of bytes. */
  errors: 12,
  /** Plain data: a u32 of bytes, and its parts (`values/plain/tags.ts`). */
  plain: 13,
} as const

/** ── File names ── */
export const LOCK_NAME = 'LOCK'
const SEQUENCE_DIGITS = 16
export function fileName(sequence: Sequence, kind: Exclude<FileKind, 'saved'>): string {
  return `${String(sequence).padStart(SEQUENCE_DIGITS, '0')}.${kind}`
}
const NAME = /^(\d{16})\.(segment|snapshot|loaded)$/
export function parseFileName(name: string): { sequence: Sequence; kind: Exclude<FileKind, 'saved'> } | undefined {
  const match = NAME.exec(name)
  const sequence = Number(match?.[1])
  if (!Number.isSafeInteger(sequence)) return undefined // also for another name: NaN. No event has such a number
  return { sequence: sequence as Sequence, kind: match?.[2] as Exclude<FileKind, 'saved'> }
}
