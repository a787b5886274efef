/**
 * The segments of an open journal: the current one, when the next one begins, and their totals. Third step after `append`, and
 * the last of opening. Before: `durability`; when opening, `recovery/rewrite-unproven`.
 */
import type { Counters } from '../../core/model/counters.js'
import { type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import type { CompactionThresholds, JournalFigures, JournalSession } from '../contract.js'
import { FILE_HEADER_BYTES, SEAL_HAS_SUCCESSOR } from '../format/format.js'
import type { FinishedFrames } from '../format/frame.js'
import type { Recovered } from '../recovery/recover.js'
import type { Reach } from '../snapshot/retention.js'
import type { Storage } from '../storage/storage.js'
import type { PendingFrames } from './pending-frames.js'
import { SegmentWriter } from './segment-writer.js'

const SEGMENT_BYTES_DEFAULT = 64 * 1024 * 1024
/** With this many segments the journal is compacted, even if they are small, after many short runs. */
const SEGMENTS_MAX = 64

/** The seal of a segment was written but could not be forced to disk. No frame may be written after it. */
export class UnsyncedSealError extends Error {
  override readonly cause: Error

  constructor(cause: Error) {
    super(cause.message)
    this.cause = cause
  }
}

/** The segments that a snapshot replaces, as of its moment. */
export type CoveredSegments = Pick<Segments, 'count' | 'sealedBytes'>

export class Segments {
  readonly journalId: Buffer
  readonly #storage: Storage
  readonly #directory: string
  readonly #thresholds: CompactionThresholds | false
  readonly #segmentBytes: number
  #current: SegmentWriter
  /** The size at which the current segment is full. */
  #rotateAtBytes: number
  /** After a failed compaction, the journal must grow to this size before the next one. */
  #compactAgainAtBytes = 0
  #snapshotSequence: Sequence
  #snapshotBytes: number
  #reach: Reach
  /** Segments after the snapshot, and the bytes of all of them except the current one. */
  count: number
  sealedBytes: number
  /** The counters in the seal of a clean close, while that is the last frame. */
  #sealedCounters: Readonly<Counters> | undefined

  /** Opens the last segment for writing, or creates the first one. */
  constructor(storage: Storage, directory: string, recovered: Recovered, session: JournalSession, newId: () => Buffer) {
    this.#storage = storage
    this.#directory = directory
    this.#thresholds = session.compaction
    this.#segmentBytes = session.compaction === false ? SEGMENT_BYTES_DEFAULT : session.compaction.segmentBytes
    this.#rotateAtBytes = this.#segmentBytes
    this.#snapshotSequence = recovered.snapshotSequence
    this.#snapshotBytes = recovered.snapshotBytes
    const oldestSequence = sequenceAfter(recovered.nextSequence, -1)
    this.#reach = recovered.reach ?? { oldestSequence, oldestTimeMs: session.clock.now(), historyBytes: 0 }
    this.count = recovered.segments
    this.sealedBytes = recovered.sealedBytes
    this.#sealedCounters = recovered.sealedCounters
    this.journalId = recovered.journalId ?? newId()
    this.#current =
      recovered.position === undefined
        ? this.#create(recovered.nextSequence, 0, session.clock.now())
        : SegmentWriter.reopen(storage, directory, recovered.position)
  }

  #create(sequence: Sequence, previousChecksum: number, createdAtMs: number): SegmentWriter {
    const { journalId } = this
    return SegmentWriter.create(this.#storage, this.#directory, { journalId, sequence, previousChecksum, createdAtMs })
  }

  // ── the current segment ──

  /** The checksum that the next frame must name. */
  get lastChecksum(): number {
    return this.#current.lastChecksum
  }

  /** The checksum of the last frame before the current segment. */
  get previousChecksum(): number {
    return this.#current.previousChecksum
  }

  get isOlder(): boolean {
    return this.#current.isOlder
  }

  get hasEvents(): boolean {
    return this.#current.hasEvents
  }

  get hasFrames(): boolean {
    return this.#current.offset > FILE_HEADER_BYTES
  }

  get isFull(): boolean {
    return this.#current.offset >= this.#rotateAtBytes && this.#current.hasEvents
  }

  /** Whether the journal already ends with a seal that has these counters. */
  isSealedWith(counters: Readonly<Counters>): boolean {
    return this.#sealedCounters?.equals(counters) === true
  }

  append(frames: FinishedFrames): void {
    this.#sealedCounters = undefined
    this.#current.append(frames)
  }

  sync(): Promise<void> {
    return this.#current.sync()
  }

  close(): void {
    this.#current.close()
  }

  // ── rotation ──

  /**
   * Creates the next segment and syncs its directory, then seals and syncs the current one; only then may the next one get a
   * frame. So damage in any segment but the last is never a torn write. (The last of these fsyncs blocks, because a frame may
   * wait neither in memory nor in the next segment: docs/decisions/0004.)
   * @param frames Must be empty.
   * @throws UnsyncedSealError if the seal may or may not be on disk. After any other error the current segment stays in use.
   */
  rotate(frames: PendingFrames): void {
    const old = this.#current
    let next: SegmentWriter | undefined
    try {
      const seal = frames.finishAs('seal', SEAL_HAS_SUCCESSOR)
      const { checksum, header } = seal.frames[0] as (typeof seal.frames)[number] // one, because nothing was pending
      next = this.#create(frames.first, checksum, header.writtenAtMs)
      this.append(seal)
      frames.written()
    } catch (error) {
      frames.drop()
      next?.discard(this.#storage)
      throw error
    }
    try {
      old.syncNow()
    } catch (error) {
      next.close()
      throw new UnsyncedSealError(error as Error)
    }
    this.count++
    this.sealedBytes += old.offset
    this.#rotateAtBytes = this.#segmentBytes
    this.#current = next
    old.close()
  }

  /** After a failed rotation: the current segment grows by the size of another one before the next attempt. */
  postponeRotation(): void {
    this.#rotateAtBytes = this.#current.offset + this.#segmentBytes
  }

  // ── compaction ──

  get bytes(): number {
    return this.sealedBytes + this.#current.offset
  }

  get isDueForCompaction(): boolean {
    if (this.#thresholds === false || this.bytes < this.#compactAgainAtBytes) return false
    const { journalBytes, factor } = this.#thresholds
    return this.bytes >= Math.max(journalBytes, factor * this.#snapshotBytes) || this.count >= SEGMENTS_MAX
  }

  /** After a failed compaction: the journal doubles before the next one. */
  postponeCompaction(): void {
    this.#compactAgainAtBytes = 2 * this.bytes
  }

  /** The segments that a snapshot covers if it begins now, just after a rotation. */
  get covered(): CoveredSegments {
    return { count: this.count - 1, sealedBytes: this.sealedBytes }
  }

  /** A snapshot has replaced the segments that it covers. Segments that began while it was written stay. */
  compacted(sequence: Sequence, snapshotBytes: number, covered: CoveredSegments, reach: Reach | undefined): void {
    this.#reach = reach ?? this.#reach
    this.#snapshotSequence = sequence
    this.#snapshotBytes = snapshotBytes
    this.count -= covered.count
    this.sealedBytes -= covered.sealedBytes
  }

  get figures(): Omit<JournalFigures, 'sequence' | 'durableSequence' | 'pendingBytes'> {
    return {
      bytes: this.bytes,
      segments: this.count,
      snapshotSequence: this.#snapshotSequence,
      snapshotBytes: this.#snapshotBytes,
      ...this.#reach,
    }
  }
}
