/**
 * Reads segments in order and checks that every frame follows the one before it, also across files. Stops at the first one that
 * does not, and reports what is there. Before: `read-chain`. After: `format/frame-scanner`; each frame goes to `replay`.
 */
import type { Counters } from '../../core/model/counters.js'
import { LAST_SEQUENCE, type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import { CorruptionError } from '../../errors.js'
import { checksum } from '../format/checksum.js'
import { type FileHeader, readFileHeader } from '../format/file-header.js'
import { FILE_HEADER_BYTES } from '../format/format.js'
import type { Frame } from '../format/frame.js'
import { type FramePlace, moveAfter, whyNotNext } from '../format/frame-order.js'
import { FrameScanner } from '../format/frame-scanner.js'
import type { JournalFile } from '../format/journal-files.js'
import type { ReadableFile, ReadableStorage } from '../storage/storage.js'
import { UnprovenFrames } from './unproven-frames.js'

/** What the first segment must follow: a snapshot, or nothing. */
export interface ChainStart {
  /** `undefined` if the first segment decides it. */
  journalId: Buffer | undefined
  nextSequence: Sequence
  previousChecksum: number
}

/** Called with each frame and the buffer that holds it. Returns a promise only if reading must wait for it. */
export type FrameVisitor = (frame: Frame, bytes: Buffer, segment: JournalFile) => void | Promise<void>

/** A place in a segment where a frame may be written. */
export interface SegmentPosition extends FramePlace {
  /** The first sequence of the segment, which names its file. */
  sequence: Sequence
  /** The checksum of the last frame before this segment, as its header says. */
  previousChecksum: number
  offset: number
  /** Of the segment's format. */
  version: number
}

/** Where reading ended. */
export interface ChainEnd {
  journalId: Buffer | undefined
  nextSequence: Sequence
  /** The highest sequence that any frame says is durable. */
  durableSequence: Sequence
  /** The last segment with a sound header, and the place after its last sound frame. */
  position: (SegmentPosition & { file: JournalFile }) | undefined
  /** As of the last frame. */
  counters: Readonly<Counters> | undefined
  frames: number
  /** Files without frames that are not part of the chain. */
  strays: JournalFile[]
  /** Where the frames begin that are not known to be durable; `undefined`: with the first one. */
  unproven: { file: JournalFile; offset: number } | undefined
  /** Why the chain does not continue, unless it is complete. */
  stop: ChainStop | undefined
  /** Whether reading ended at the requested sequence. Nothing is known about what follows. */
  isEarly: boolean
}

export interface ChainStop {
  kind:
    | 'unsound header' // of this segment; none of its frames was read
    | 'unsound frame' // a torn write, or damage
    | 'foreign frame' // its checksum matches, but it does not follow, or no daybook wrote it
  file: JournalFile
  /** The index of the segment among those read. */
  index: number
  offset: number
  reason: string
  /** For a header: what decoding it threw. */
  error?: unknown
}

/** Reads every frame that holds an event up to sequence `to`. */
export async function readSegments(
  storage: ReadableStorage,
  segments: readonly JournalFile[],
  start: ChainStart,
  visit: FrameVisitor,
  to: Sequence = LAST_SEQUENCE,
): Promise<ChainEnd> {
  const reader = new SegmentReader(start, visit, to)
  for (const [index, segment] of segments.entries()) {
    if (!reader.canContinueWith(segment)) continue
    const file = storage.open(segment.path, 'read')
    try {
      await reader.read(file, segment, index)
    } finally {
      file.close()
    }
    if (reader.end.stop !== undefined || reader.end.isEarly) break
  }
  return reader.end
}

class SegmentReader {
  readonly end: ChainEnd
  readonly #visit: FrameVisitor
  readonly #to: Sequence
  readonly #unproven = new UnprovenFrames()
  /** The checksum that the next segment must name. */
  #previousChecksum: number

  constructor(start: ChainStart, visit: FrameVisitor, to: Sequence) {
    this.#visit = visit
    this.#to = to
    this.#previousChecksum = start.previousChecksum
    this.end = {
      journalId: start.journalId,
      nextSequence: start.nextSequence,
      durableSequence: sequenceAfter(start.nextSequence, -1),
      position: undefined,
      counters: undefined,
      frames: 0,
      strays: [],
      unproven: undefined,
      stop: undefined,
      isEarly: false,
    }
  }

  /** False for a file that is not part of the chain: a failed rotation created it, and a crash undid its removal. */
  canContinueWith(segment: JournalFile): boolean {
    if (segment.bytes > FILE_HEADER_BYTES || segment.sequence === this.end.nextSequence) return true
    this.end.strays.push(segment)
    return false
  }

  async read(file: ReadableFile, segment: JournalFile, index: number): Promise<void> {
    const header = await this.#readHeader(file, segment)
    if ('reason' in header) this.end.stop = { kind: 'unsound header', file: segment, index, offset: 0, ...header }
    else await this.#readFrames(file, segment, index, header)
  }

  /** The header, or the reason why it is unsound or does not follow. */
  async #readHeader(
    file: ReadableFile,
    segment: JournalFile,
  ): Promise<FileHeader | { reason: string; error?: unknown }> {
    const { end } = this
    let header: FileHeader
    try {
      header = await readFileHeader(file, { kind: 'segment', sequence: segment.sequence })
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error
      return { reason: error.message, error }
    }
    if (end.journalId !== undefined && !header.journalId.equals(end.journalId))
      return { reason: 'the file belongs to another journal' }
    end.journalId = header.journalId
    if (header.sequence !== end.nextSequence) {
      return {
        reason: `the file begins with sequence ${header.sequence}, but the sequences from ${end.nextSequence} on are missing`,
      }
    }
    const isAfterUnsealed = end.position !== undefined && end.position.seal !== 'continued'
    if (header.previousChecksum !== this.#previousChecksum || isAfterUnsealed)
      return { reason: 'the file does not follow the one before it' }
    return header
  }

  async #readFrames(file: ReadableFile, segment: JournalFile, index: number, header: FileHeader): Promise<void> {
    const { end } = this
    const place = {
      file: segment,
      sequence: header.sequence,
      previousChecksum: header.previousChecksum,
      version: header.version,
      offset: FILE_HEADER_BYTES,
      nextSequence: header.sequence,
      lastChecksum: header.checksum,
      seal: undefined as FramePlace['seal'],
    }
    end.position = place
    const scanner = new FrameScanner(file, checksum(header.journalId))
    for (;;) {
      const next = scanner.next()
      const scanned = next instanceof Promise ? await next : next
      if (scanned === undefined) break
      const { frame } = scanned
      if (frame === undefined) {
        const { offset, reason, isTorn } = scanned
        end.stop = { kind: isTorn ? 'unsound frame' : 'foreign frame', file: segment, index, offset, reason }
        break
      }
      const reason = whyNotNext(frame, place)
      if (reason !== undefined) {
        end.stop = { kind: 'foreign frame', file: segment, index, offset: frame.offset, reason }
        break
      }
      if (frame.firstSequence > this.#to) {
        end.isEarly = true
        break
      }
      const visiting = this.#visit(frame, scanned.bytes, segment)
      if (visiting !== undefined) await visiting
      this.#moveAfter(place, frame)
    }
    this.#previousChecksum = place.lastChecksum
  }

  #moveAfter(place: SegmentPosition & { file: JournalFile }, frame: Frame): void {
    const { end } = this
    moveAfter(place, frame, frame.checksum)
    place.offset = frame.offset + frame.length
    end.nextSequence = place.nextSequence
    end.counters = frame.counters
    end.frames++
    if (frame.durableSequence > end.durableSequence) end.durableSequence = frame.durableSequence
    end.unproven = this.#unproven.prove(frame.durableSequence) ?? end.unproven
    if (frame.kind === 'events' && frame.count > 0)
      this.#unproven.add({ sequence: sequenceAfter(place.nextSequence, -1), file: place.file, offset: place.offset })
  }
}
