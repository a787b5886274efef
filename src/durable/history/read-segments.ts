/**
 * Reads segments in order and checks that every frame follows from the one before: by its sequence and by its
 * predecessor's checksum, across files too. Stops at the first place where that fails and says what is there; what it
 * means is decided in `damage.ts`.
 */

import type { Counters } from '../../core/model/counters.js'
import { CorruptionError } from '../../errors.js'
import { checksum } from '../format/checksum.js'
import { decodeFileHeader, type FileHeader } from '../format/file-header.js'
import { FILE_HEADER_BYTES, SEAL_HAS_SUCCESSOR } from '../format/format.js'
import type { Frame } from '../format/frame.js'
import { FrameScanner } from '../format/frame-scanner.js'
import type { JournalFile } from '../format/journal-files.js'
import type { SegmentPosition } from '../journal/segment-writer.js'
import { readAll, type Storage, type StorageFile } from '../storage/storage.js'

/** What the first segment must follow from: the snapshot, or nothing. */
export interface ChainStart {
  /** `undefined` when the first segment tells. */
  journalId: Buffer | undefined
  nextSequence: number
  previousChecksum: number
}

export type FrameVisitor = (frame: Frame, bytes: Buffer, segment: JournalFile) => void | Promise<void>

/** Where reading ended. */
export interface ChainEnd {
  journalId: Buffer | undefined
  nextSequence: number
  /** The highest sequence that any frame says is durable. */
  durableSequence: number
  /** The last segment with a sound header, and the place after its last sound frame. */
  position: (SegmentPosition & { file: JournalFile }) | undefined
  /** Whether the last frame is a seal, and whether it names a successor. */
  seal: 'closed' | 'continued' | undefined
  /** As the last frame tells them. */
  counters: Readonly<Counters> | undefined
  frames: number
  /** Files without frames that are no part of the chain. */
  strays: JournalFile[]
  /** The place from which on no frame is known to be on disk; `undefined`: from the first one. */
  unproven: { file: JournalFile; offset: number } | undefined
  /** What keeps the chain from going on, if it is not simply over. */
  stop: ChainStop | undefined
}

export interface ChainStop {
  kind:
    | 'unsound header' // of this segment; none of its frames was read
    | 'unsound frame' // a torn write or damage
    | 'foreign frame' // sound, but not the one that follows
  file: JournalFile
  /** The place of the segment among those read. */
  index: number
  offset: number
  reason: string
  /** For a header: what decoding it threw. */
  error?: unknown
}

/** A frame of events of which no later one has said yet that it is durable. */
interface UnprovenFrame {
  /** Of its last event. */
  sequence: number
  file: JournalFile
  /** The place behind it. */
  offset: number
}

/** A queue; not an array's shift(), which moves all the rest and, under `everysec`, may have a second's frames to move. */
class UnprovenFrames {
  readonly #frames: UnprovenFrame[] = []
  #first = 0

  add(frame: UnprovenFrame): void {
    this.#frames.push(frame)
  }

  /** The last of those that are durable with this sequence; they are unproven no more. */
  prove(durableSequence: number): UnprovenFrame | undefined {
    let last: UnprovenFrame | undefined
    for (let next = this.#frames[this.#first]; next !== undefined && next.sequence <= durableSequence; ) {
      last = next
      next = this.#frames[++this.#first]
    }
    if (last !== undefined && this.#first > 1_000 && this.#first * 2 > this.#frames.length) {
      this.#frames.splice(0, this.#first)
      this.#first = 0
    }
    return last
  }
}

export async function readSegments(
  storage: Storage,
  segments: readonly JournalFile[],
  start: ChainStart,
  visit: FrameVisitor,
): Promise<ChainEnd> {
  const end: ChainEnd = {
    journalId: start.journalId,
    nextSequence: start.nextSequence,
    durableSequence: start.nextSequence - 1,
    position: undefined,
    seal: undefined,
    counters: undefined,
    frames: 0,
    strays: [],
    unproven: undefined,
    stop: undefined,
  }
  let previousChecksum = start.previousChecksum
  const unproven = new UnprovenFrames()
  for (const [index, segment] of segments.entries()) {
    if (segment.bytes <= FILE_HEADER_BYTES && segment.sequence !== end.nextSequence) {
      end.strays.push(segment)
      continue
    }
    const file = storage.open(segment.path, 'read')
    try {
      const header = await readHeader(file, segment, end, previousChecksum)
      if ('reason' in header) {
        end.stop = { kind: 'unsound header', file: segment, index, offset: 0, ...header }
        return end
      }
      await readFrames(file, segment, index, header, end, unproven, visit)
      if (end.stop !== undefined) return end
      previousChecksum = (end.position as SegmentPosition).lastChecksum // readFrames has set it
    } finally {
      file.close()
    }
  }
  return end
}

/** Does not follow, or is none: the reason, which the caller judges together with what comes after. */
async function readHeader(
  file: StorageFile,
  segment: JournalFile,
  end: ChainEnd,
  previousChecksum: number,
): Promise<FileHeader | { reason: string; error?: unknown }> {
  const bytes = Buffer.alloc(FILE_HEADER_BYTES)
  const length = await readAll(file, bytes, 0, FILE_HEADER_BYTES, 0)
  let header: FileHeader
  try {
    header = decodeFileHeader(bytes.subarray(0, length), segment.path, { kind: 'segment', sequence: segment.sequence })
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error
    return { reason: error.message, error }
  }
  if (end.journalId !== undefined && !header.journalId.equals(end.journalId))
    return { reason: 'the file belongs to another journal' }
  end.journalId = header.journalId
  if (header.sequence !== end.nextSequence) {
    return {
      reason: `the file begins with sequence ${header.sequence}; sequences from ${end.nextSequence} on are missing`,
    }
  }
  const isEmptyAfterUnsealed = end.position !== undefined && end.seal !== 'continued'
  if (header.previousChecksum !== previousChecksum || isEmptyAfterUnsealed) {
    return { reason: 'the file does not follow from the one before it' }
  }
  return header
}

async function readFrames(
  file: StorageFile,
  segment: JournalFile,
  index: number,
  header: FileHeader,
  end: ChainEnd,
  unproven: UnprovenFrames,
  visit: FrameVisitor,
): Promise<void> {
  const position = {
    file: segment,
    sequence: header.sequence,
    previousChecksum: header.previousChecksum,
    offset: FILE_HEADER_BYTES,
    lastChecksum: header.checksum,
  }
  end.position = position
  end.seal = undefined
  const scanner = new FrameScanner(file, checksum(header.journalId))
  for (;;) {
    const next = scanner.next()
    const scanned = next instanceof Promise ? await next : next
    if (scanned === undefined) return
    const { frame } = scanned
    if (frame === undefined) {
      end.stop = { kind: 'unsound frame', file: segment, index, offset: scanned.offset, reason: scanned.reason }
      return
    }
    const reason = whyForeign(frame, end, position.lastChecksum)
    if (reason !== undefined) {
      end.stop = { kind: 'foreign frame', file: segment, index, offset: frame.offset, reason }
      return
    }
    const visiting = visit(frame, scanned.bytes, segment)
    if (visiting !== undefined) await visiting
    end.frames++
    end.durableSequence = Math.max(end.durableSequence, frame.durableSequence)
    end.unproven = unproven.prove(frame.durableSequence) ?? end.unproven
    if (frame.kind === 'events') end.nextSequence += frame.count
    if (frame.kind === 'events' && frame.count > 0)
      unproven.add({ sequence: end.nextSequence - 1, file: segment, offset: frame.offset + frame.length })
    end.seal = frame.kind !== 'seal' ? undefined : frame.flags & SEAL_HAS_SUCCESSOR ? 'continued' : 'closed'
    end.counters = frame.counters
    position.offset = frame.offset + frame.length
    position.lastChecksum = frame.checksum
  }
}

function whyForeign(frame: Frame, end: ChainEnd, lastChecksum: number): string | undefined {
  if (end.seal === 'continued') return 'a frame follows the seal of a segment that goes on in another file'
  if (frame.firstSequence !== end.nextSequence) {
    return `the frame that stands here begins with sequence ${frame.firstSequence}: frames are missing, doubled or swapped`
  }
  if (frame.previousChecksum !== lastChecksum)
    return 'the frame that stands here does not follow from the one before it'
  if (frame.kind === 'rows' || frame.kind === 'end') return `a frame of kind "${frame.kind}" has no place in a segment`
  if (!(frame.durableSequence < end.nextSequence)) return 'the frame says that later sequences are durable'
  return undefined
}
