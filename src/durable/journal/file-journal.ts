/**
 * Fifth and last stop on the path of a message: events to frames, frames to segments. Before: `evolve/`.
 *
 *   append ─► pending frame ─► (end of the event-loop turn, or the buffer is full) ─► segment ─► (fsync policy) ─► durable
 *
 * Writes are synchronous and in order, so what a call appended survives the process as soon as the event loop turns. Only
 * fsync leaves the main thread; one fsync serves all who wait for one. When a write fails, the frame stays pending and is
 * tried again each second; when an fsync fails, the journal is dead until it is reopened, because the page cache may have
 * dropped the pages (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020).
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Counters } from '../../core/model/counters.js'
import type { CacheEvent } from '../../core/model/event.js'
import type { StoredValue } from '../../core/model/stored-value.js'
import { CacheClosedError, CacheError, CacheLockedError, JournalWriteError } from '../../errors.js'
import type {
  CompactionReport,
  CompactionRequest,
  Journal,
  JournalFigures,
  JournalHealth,
  JournalSession,
  RecoveryReport,
  SnapshotSource,
} from '../contract.js'
import { ByteWriter } from '../format/byte-writer.js'
import { checksum } from '../format/checksum.js'
import { encodeEvent, encodeSet } from '../format/encode-event.js'
import { FRAME_BYTES_MAX, FRAME_HEADER_BYTES, type FrameKind, fileName, SEAL_HAS_SUCCESSOR } from '../format/format.js'
import { beginFrame, finishFrame } from '../format/frame.js'
import { openDirectory } from '../recovery/open-directory.js'
import { recover } from '../recovery/recover.js'
import { writeCompaction } from '../snapshot/compact.js'
import { writeSnapshot } from '../snapshot/write-snapshot.js'
import { removeIfThere } from '../storage/replace-file.js'
import type { Storage, StorageLock } from '../storage/storage.js'
import { writeAtExit } from './exit-flush.js'
import { refusal } from './refusal.js'
import { SegmentWriter } from './segment-writer.js'

/** Pending bytes at which a frame is written at once instead of at the end of the turn. */
const PENDING_BYTES_MAX = 256 * 1024
/** Characters of a key or a text that are far from filling a frame. */
const SMALL = 16 * 1024
const WRITE_RETRY_MS = 1_000
const SYNC_INTERVAL_MS = 1_000
/** A recency frame holds about this many bytes of keys; the order of use of a large cache takes several. */
const RECENCY_FRAME_BYTES = 1024 * 1024
/** Segments that are not large but many, from many short runs, are also a reason to compact. */
const SEGMENTS_MAX = 64

const WRITABLE: JournalHealth = { status: 'writable' }

export class FileJournal implements Journal {
  readonly directory: string
  readonly #storage: Storage
  readonly #newJournalId: () => Buffer
  onChange: (() => void) | undefined
  #health: JournalHealth = WRITABLE

  // What open() finds. A journal is used by one cache, from open() to close().
  #opened: Opened | undefined

  readonly #pending = new ByteWriter(PENDING_BYTES_MAX + 64 * 1024)
  #pendingCount = 0
  #isWriteQueued = false

  #appended = 0
  #written = 0
  #durable = 0
  /** Durable as well, once the fsync that is on its way has succeeded. */
  #durableThen = 0
  /** The durable sequence that the last frame's header tells. */
  #durableTold = 0
  /** And that of the frame that is being made. */
  #durableInFrame = 0
  /** The checksum of the pending frame, once it was finished and could not be written. */
  #stalledFrame: number | undefined
  #syncing: Promise<void> | undefined
  #syncTimer: unknown
  #retryTimer: unknown

  /** `newJournalId`: 16 random bytes, for a journal that begins here. */
  constructor(storage: Storage, directory: string, newJournalId: () => Buffer = () => randomBytes(16)) {
    this.#storage = storage
    this.directory = directory
    this.#newJournalId = newJournalId
  }

  async open(session: JournalSession): Promise<RecoveryReport> {
    if (this.#opened !== undefined)
      throw new CacheLockedError('This journal is open already: close the other cache first. Nothing was changed.')
    const lock = openDirectory(this.#storage, this.directory)
    try {
      const { report, journalId, segment, base, hasLooseRecency, sealedCounters } = await recover(
        this.#storage,
        this.directory,
        lock,
        session,
        this.#newJournalId,
      )
      const segmentBytes = session.compaction === false ? SEGMENT_BYTES_DEFAULT : session.compaction.segmentBytes
      this.#opened = {
        session,
        lock,
        journalId,
        seed: checksum(journalId),
        segment,
        base,
        segmentBytes,
        rotateAtBytes: segmentBytes,
        compactAgainAtBytes: 0,
        hasLooseRecency,
        sealedCounters,
        forgetExit: writeAtExit(() => this.#writeAtExit()),
      }
      this.#health = WRITABLE
      this.#appended = this.#written = report.sequence
      // What was read back may lie in the page cache only; the first fsync of whatever kind makes it durable.
      this.#durable = this.#durableTold = base.durableSequence
      this.#durableThen = 0
      this.#stalledFrame = undefined
      this.#pending.clear()
      this.#pendingCount = 0
      return report
    } catch (error) {
      lock.release()
      throw error
    }
  }

  get #open(): Opened {
    if (this.#opened === undefined) throw new CacheClosedError('This journal is not open: open a cache on it first.')
    return this.#opened
  }

  get health(): JournalHealth {
    return this.#health
  }

  // ── append ──

  append(events: readonly CacheEvent[]): number {
    if (this.#opened === undefined || this.#health !== WRITABLE) throw this.#refusal()
    // A full buffer is written before these events and not with them: they are counted only when they have been taken, and
    // the counters of a frame count what is in the frame.
    if (this.#pending.length >= PENDING_BYTES_MAX) this.#writePending()
    if (this.#health !== WRITABLE) throw this.#refusal()
    if (!this.#isWriteQueued) this.#queueWrite()
    this.#encode(events) // the last that may fail, be it for want of stack
    const first = this.#appended + 1
    this.#appended += events.length
    return first
  }

  appendSet(key: string, value: StoredValue, expiresAtMs: number): number {
    // A large value may outgrow the frame; the general way knows what to do then.
    if (key.length > SMALL || (typeof value === 'string' ? value.length > SMALL : typeof value === 'object')) {
      return this.append([{ type: 'set', key, value, expiresAtMs }])
    }
    if (this.#pending.length >= PENDING_BYTES_MAX) this.#writePending()
    if (this.#opened === undefined || this.#health !== WRITABLE) throw this.#refusal()
    if (!this.#isWriteQueued) this.#queueWrite()
    const pending = this.#pending
    const before = pending.length
    try {
      if (before === 0) beginFrame(pending)
      encodeSet(pending, key, value, expiresAtMs)
    } catch (error) {
      pending.length = before // even a stack that ran out leaves no half event in a frame
      throw error
    }
    this.#pendingCount++
    return ++this.#appended
  }

  /**
   * At the end of this turn of the event loop: before any immediate that the caller queues from now on, and never by a timer,
   * so that nothing waits for the clock.
   */
  #queueWrite(): void {
    setImmediate(() => {
      this.#isWriteQueued = false
      this.#writePending()
      const { session } = this.#opened ?? {}
      if (session?.fsync === 'always' && this.#durable < this.#written) this.#sync().catch(ignore)
    })
    this.#isWriteQueued = true // not before: the stack may run out in there
  }

  #encode(events: readonly CacheEvent[]): void {
    const pending = this.#pending
    if (pending.length === 0) beginFrame(pending)
    const before = pending.length
    try {
      for (const event of events) encodeEvent(pending, event)
    } catch (error) {
      pending.length = before
      if (this.#pendingCount === 0) pending.clear()
      throw error
    }
    if (pending.length > FRAME_BYTES_MAX) {
      const bytes = pending.length - before
      pending.length = before
      if (before > FRAME_HEADER_BYTES) {
        this.#writePending() // the turns before this one get a frame of their own
        if (this.#health.status !== 'writable') throw this.#refusal()
        this.#encode(events)
        return
      }
      pending.clear()
      throw new RangeError(
        `This change needs ${bytes} bytes in the journal; one frame holds ${FRAME_BYTES_MAX - FRAME_HEADER_BYTES}. Nothing was changed: make it in several smaller ones.`,
      )
    }
    this.#pendingCount += events.length
  }

  #refusal(): Error {
    if (this.#opened === undefined) return new CacheClosedError('This journal is not open: open a cache on it first.')
    return refusal(this.#health)
  }

  // ── write ──

  #writePending(): void {
    if (this.#pendingCount === 0 || this.#opened === undefined || this.#health.status === 'failed') return
    try {
      // Tried again byte for byte: of two different frames for one place, a power cut could keep the one that was given up.
      this.#stalledFrame ??= this.#finishFrame('events', this.#pendingCount)
      this.#appendFrame(this.#stalledFrame)
    } catch (error) {
      this.#stall(error as Error)
      return
    }
    this.#written = this.#appended
    this.#armSyncTimer()
    if (this.#isSegmentFull && this.#syncing === undefined) this.#prepareRotation()
    if (this.isDueForCompaction) this.onChange?.()
  }

  /** Makes a frame of what `#pending` holds and appends it to the segment. Throws when that fails; the frame stays then. */
  #writeFrame(kind: FrameKind, count: number): void {
    this.#appendFrame(this.#finishFrame(kind, count))
  }

  #finishFrame(kind: FrameKind, count: number, flags = 0): number {
    const { session, seed, segment } = this.#open
    this.#durableInFrame = this.#durable
    if (this.#pending.length === 0) beginFrame(this.#pending)
    const header = {
      kind,
      flags,
      firstSequence: this.#written + 1,
      count,
      previousChecksum: segment.lastChecksum,
      durableSequence: this.#durable,
      writtenAtMs: session.clock.now(),
    }
    return finishFrame(this.#pending, 0, header, session.counters, seed)
  }

  #appendFrame(sum: number): void {
    const pending = this.#pending
    const opened = this.#open
    opened.sealedCounters = undefined
    opened.segment.append(pending.bytes.subarray(0, pending.length), sum)
    // First of all, and without a call: what was written must not be written again.
    pending.length = 0
    this.#pendingCount = 0
    this.#stalledFrame = undefined
    this.#durableTold = this.#durableInFrame
    pending.clear()
  }

  /** What the callers were answered stays pending; until it is written, nothing more is taken. */
  #stall(error: Error): void {
    this.#setHealth({ status: 'stalled', error })
    this.#retryTimer ??= this.#open.session.clock.setTimeout(() => {
      this.#retryTimer = undefined
      if (this.#health.status === 'stalled') this.#retry()
    }, WRITE_RETRY_MS)
  }

  #retry(): void {
    this.#writePending()
    if (this.#pendingCount > 0) return
    this.#setHealth(WRITABLE)
    if (this.#open.session.fsync === 'always') this.#sync().catch(ignore)
  }

  #writeAtExit(): void {
    this.#writePending()
  }

  #setHealth(health: JournalHealth): void {
    if (this.#health.status === 'failed') return // for good
    const isChange = this.#health.status !== health.status
    this.#health = health
    if (isChange) this.onChange?.()
  }

  // ── fsync ──

  async flush(): Promise<number> {
    const opened = this.#open
    const target = this.#appended
    if (this.#health.status === 'stalled') this.#retry()
    else if (this.#pendingCount > 0) await nextTurn() // the write is queued; all who flush in one turn share it and one fsync
    while (this.#durable < target || this.#written < target) {
      if (this.#health.status !== 'writable') throw this.#outcomeUnknown(target)
      /* c8 ignore next 4 -- close() flushes first, so this waits for a journal that was closed and opened again in one turn */
      if (this.#opened !== opened)
        throw new CacheClosedError(
          'The cache was closed before the flush was done: what was pending is lost or durable as close() said.',
        )
      await (this.#syncing?.catch(ignore) ?? this.#sync())
    }
    return this.#durable
  }

  #outcomeUnknown(target: number): JournalWriteError {
    const { error, status } = this.#health as Exclude<JournalHealth, { status: 'writable' }>
    return new JournalWriteError(
      status === 'failed' ? 'OUTCOME_UNKNOWN' : 'JOURNAL_WRITE_FAILED',
      `Outcome unknown: sequences ${this.#durable + 1} to ${target} may or may not be on disk (${error.message}). ` +
        (status === 'failed'
          ? 'Close the cache and open it again to see what was kept.'
          : 'They stay pending and are tried again every second: make room, then flush again.'),
      { cause: error },
    )
  }

  /** One fsync for everything written until it begins; whoever comes while it runs waits for the next one. */
  async #sync(): Promise<void> {
    if (this.#syncing !== undefined) await this.#syncing.catch(ignore)
    if (this.#health.status === 'failed') return
    this.#syncing ??= this.#syncOnce().finally(() => {
      this.#syncing = undefined
    })
    await this.#syncing
  }

  async #syncOnce(): Promise<void> {
    const { segment } = this.#open
    const target = this.#written
    try {
      await segment.sync()
    } catch (error) {
      this.#setHealth({ status: 'failed', error: error as Error })
      return
    }
    this.#durable = Math.max(this.#durable, target, this.#durableThen)
    setImmediate(() => this.#tellDurable())
    if (this.#isSegmentFull) this.#rotateWhenFull()
  }

  /** An fsync that no frame follows within this moment is recorded by an empty frame: damage before it is then no torn tail. */
  #tellDurable(): void {
    if (this.#opened === undefined || this.#opened.isClosing === true) return
    if (this.#pendingCount > 0 || this.#durableTold >= this.#durable || this.#health.status !== 'writable') return
    try {
      this.#writeFrame('events', 0)
    } catch {
      this.#pending.clear() // nothing of anybody's is in it; the next real frame will say
    }
  }

  #armSyncTimer(): void {
    const { session } = this.#open
    if (session.fsync !== 'everysec' || this.#syncTimer !== undefined) return
    this.#syncTimer = session.clock.setTimeout(() => {
      this.#syncTimer = undefined
      if (this.#opened !== undefined && this.#durable < this.#written) this.#sync().catch(ignore)
    }, SYNC_INTERVAL_MS)
  }

  // ── segments ──

  get #isSegmentFull(): boolean {
    const { segment, rotateAtBytes } = this.#open
    return segment.offset >= rotateAtBytes && segment.sequence <= this.#written
  }

  /** A first fsync off the main thread, so that the one within {@link rotate} finds little left to do. */
  #prepareRotation(): void {
    this.#sync().catch(ignore)
  }

  #rotateWhenFull(): void {
    const opened = this.#open
    try {
      this.#rotate(false)
    } catch {
      // The segment goes on growing, and a new one is tried again later; a failed fsync has said so already.
      opened.rotateAtBytes = opened.segment.offset + opened.segmentBytes
    }
  }

  /**
   * The next segment is created and its directory synced, the old one is sealed and synced, and only then does the next
   * one get a frame; so damage in any segment but the last is never a torn write. (The last of these fsyncs blocks, because
   * a frame may wait neither in memory nor in the next segment: docs/decisions/0004.)
   */
  #rotate(isSyncOnItsWay: boolean): void {
    this.#writePending()
    if (this.#health.status !== 'writable') throw this.#refusal()
    const opened = this.#open
    const old = opened.segment
    const sum = this.#finishFrame('seal', 0, SEAL_HAS_SUCCESSOR)
    let next: SegmentWriter | undefined
    try {
      next = SegmentWriter.create(this.#storage, this.directory, {
        journalId: opened.journalId,
        sequence: this.#written + 1,
        previousChecksum: sum,
        createdAtMs: opened.session.clock.now(),
      })
      this.#appendFrame(sum)
    } catch (error) {
      this.#pending.clear()
      next?.discard(this.#storage)
      throw error
    }
    try {
      old.syncNow()
    } catch (error) {
      this.#setHealth({ status: 'failed', error: error as Error })
      next.close()
      throw this.#refusal()
    }
    // The system tells of a lost write to one of two fsyncs that overlap: the one on its way may yet say what this one did not.
    if (isSyncOnItsWay) this.#durableThen = this.#written
    else this.#durable = this.#written
    opened.base.segments++
    opened.base.sealedBytes += old.offset
    opened.segment = next
    opened.rotateAtBytes = opened.segmentBytes
    old.close()
  }

  // ── compaction ──

  get isDueForCompaction(): boolean {
    if (this.#opened === undefined || this.#health.status !== 'writable') return false
    const { session, base, compactAgainAtBytes } = this.#opened
    if (session.compaction === false || this.#journalBytes < compactAgainAtBytes) return false
    const { journalBytes, factor } = session.compaction
    return this.#journalBytes >= Math.max(journalBytes, factor * base.snapshotBytes) || base.segments >= SEGMENTS_MAX
  }

  get #journalBytes(): number {
    const { segment, base } = this.#open
    return base.sealedBytes + segment.offset
  }

  async compact(request: CompactionRequest): Promise<CompactionReport> {
    const opened = this.#open
    await this.flush()
    // From here to freeze() without an await: the segment ends at the very sequence whose state is frozen.
    this.#writePending()
    if (opened.segment.sequence <= this.#written) this.#rotateForCompaction()
    if (this.#health.status !== 'writable') throw this.#refusal()
    const sequence = this.#written
    const before = { ...opened.base }
    try {
      const report = await writeCompaction({
        storage: this.#storage,
        directory: this.directory,
        journalId: opened.journalId,
        sequence,
        previousChecksum: opened.segment.previousChecksum,
        request,
        clock: opened.session.clock,
      })
      opened.base.snapshotSequence = sequence
      opened.base.snapshotBytes = report.bytes
      // Segments that were begun while the snapshot was written are still needed.
      opened.base.segments -= before.segments - 1
      opened.base.sealedBytes -= before.sealedBytes
      return report
    } catch (error) {
      opened.compactAgainAtBytes = 2 * this.#journalBytes
      throw error
    }
  }

  async stage(source: SnapshotSource, progress: (done: number, total: number) => void) {
    const { journalId, session } = this.#open
    if (this.#health.status !== 'writable') throw this.#refusal()
    const sequence = this.#appended + 1 // later than any event that a file here belongs to
    const file = fileName(sequence, 'loaded')
    const path = join(this.directory, file)
    removeIfThere(this.#storage, `${path}.tmp`)
    const { checksum, entries } = await writeSnapshot({
      storage: this.#storage,
      path,
      temporary: `${path}.tmp`,
      kind: 'loaded',
      journalId,
      sequence,
      previousChecksum: 0,
      createdAtMs: session.clock.now(),
      source,
      progress,
    })
    return { file, checksum, entries }
  }

  #rotateForCompaction(): void {
    try {
      this.#rotate(this.#syncing !== undefined)
    } catch (error) {
      this.#open.compactAgainAtBytes = 2 * this.#journalBytes
      if (error instanceof CacheError) throw error
      throw new CacheError(
        'COMPACTION_FAILED',
        `The next segment could not be begun: ${(error as Error).message}. Nothing was removed and the cache goes on; make room or call compact() again.`,
        { cause: error },
      )
    }
  }

  figures(): JournalFigures {
    const { base } = this.#open
    return {
      sequence: this.#appended,
      durableSequence: this.#durable,
      pendingBytes: this.#pendingCount === 0 ? 0 : this.#pending.length,
      bytes: this.#journalBytes,
      segments: base.segments,
      snapshotSequence: base.snapshotSequence,
      snapshotBytes: base.snapshotBytes,
    }
  }

  // ── close ──

  async close(recency: Iterable<string>): Promise<void> {
    const opened = this.#opened
    if (opened === undefined) return
    opened.isClosing = true
    const { clock } = opened.session
    try {
      await this.flush()
      // After a failed fsync nothing more is written: a seal may stand there that was to be the segment's last frame.
      if (this.#health.status !== 'failed') {
        if (opened.hasLooseRecency) this.#writeFrame('events', 0)
        this.#writeRecency(recency)
        // A journal that nothing happened to ends with its seal already, and stays as it is.
        if (opened.sealedCounters?.equals(opened.session.counters) !== true) this.#writeFrame('seal', 0)
        await opened.segment.sync()
      }
    } finally {
      clock.clearTimeout(this.#syncTimer)
      clock.clearTimeout(this.#retryTimer)
      this.#syncTimer = this.#retryTimer = undefined
      opened.forgetExit()
      opened.segment.close()
      opened.lock.release()
      this.#opened = undefined
    }
  }

  #writeRecency(recency: Iterable<string>): void {
    const pending = this.#pending
    let count = 0
    for (const key of recency) {
      if (count === 0) beginFrame(pending)
      pending.reserve(1)
      const at = pending.length++
      const text = pending.putText(key)
      pending.bytes[at] = text
      count++
      if (pending.length >= RECENCY_FRAME_BYTES) {
        this.#writeFrame('recency', count)
        count = 0
      }
    }
    if (count > 0) this.#writeFrame('recency', count)
  }
}

export const SEGMENT_BYTES_DEFAULT = 64 * 1024 * 1024

/** What the journal keeps count of, from recovery on. */
export interface JournalBase {
  durableSequence: number
  snapshotSequence: number
  snapshotBytes: number
  segments: number
  /** Bytes of all segments but the open one. */
  sealedBytes: number
}

interface Opened {
  session: JournalSession
  lock: StorageLock
  journalId: Buffer
  seed: number
  segment: SegmentWriter
  base: JournalBase
  segmentBytes: number
  /** The size at which the open segment is full. */
  rotateAtBytes: number
  /** After a failed compaction: not before the journal has grown to this. */
  compactAgainAtBytes: number
  /** The journal ends with an order of use whose seal was never written: not to be taken for that of the next close. */
  hasLooseRecency: boolean
  /** What the closing seal tells, while that is the last frame. */
  sealedCounters: Readonly<Counters> | undefined
  forgetExit: () => void
  isClosing?: true
}

function ignore(): void {
  // Whoever waits for the fsync is told; the journal's health says it to everybody else.
}
