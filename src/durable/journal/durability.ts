/**
 * Decides when the pending frame is written, when what was written is forced to disk, and what happens if either fails. Second
 * step after `append`. Before: `pending-frame`. After: `segments`.
 *
 *   pending frame ─► (end of the event-loop turn, or the frame is full) ─► segment ─► (fsync policy) ─► durable
 *
 * Writes are synchronous and in order, so what a call appended survives the process as soon as the event loop turns. Only
 * fsync runs off the main thread, and one fsync serves all callers that wait for one. If a write fails, the frame stays pending
 * and is retried every second. If an fsync fails, nothing more is written until the journal is reopened, because the page cache
 * may have dropped the pages (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020).
 */
import { NO_SEQUENCE, type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import { CacheClosedError, JournalWriteError, reasonOf } from '../../errors.js'
import type { JournalHealth, JournalSession } from '../contract.js'
import { checksum } from '../format/checksum.js'
import type { FrameKind } from '../format/format.js'
import type { FinishedFrame } from '../format/frame.js'
import { nextTurn, queueTask } from '../storage/event-loop.js'
import type { FrameContext, PendingFrame } from './pending-frame.js'
import { refusal } from './refusal.js'
import { type Segments, UnsyncedSealError } from './segments.js'

const WRITE_RETRY_MS = 1_000
const SYNC_INTERVAL_MS = 1_000

const WRITABLE: JournalHealth = { status: 'writable' }

/** What a failed write means while the journal stays open, and what it means to closing. */
const PENDING = { consequence: 'They stay pending, and reads still work.' }
const LOST = { consequence: 'They may be lost.', advice: 'Open the cache again to see what was kept.' }

export class Durability {
  readonly #session: JournalSession
  readonly #frame: PendingFrame
  readonly #segments: Segments
  readonly #onChange: () => void
  /** The checksum of the journal id, with which every frame's checksum begins. */
  readonly #seed: number
  #health: JournalHealth = WRITABLE
  #isWriteQueued = false
  #durable: Sequence
  /** Durable once the running fsync has succeeded. */
  #durableThen = NO_SEQUENCE
  /** The durable sequence in the last written frame. */
  #recordedDurable: Sequence
  #syncing: Promise<void> | undefined
  #syncTimer: unknown
  #retryTimer: unknown
  /** Whether the next frame says what the limits are. */
  #notesLimits = false
  #isExiting = false
  #isClosing = false
  #isClosed = false

  /** @param durable As the journal's frames say. What was read after that may only be in the page cache. */
  constructor(
    session: JournalSession,
    frame: PendingFrame,
    segments: Segments,
    durable: Sequence,
    onChange: () => void,
  ) {
    this.#session = session
    this.#frame = frame
    this.#segments = segments
    this.#onChange = onChange
    this.#seed = checksum(segments.journalId)
    this.#durable = this.#recordedDurable = durable
  }

  get health(): JournalHealth {
    return this.#health
  }

  get durable(): Sequence {
    return this.#durable
  }

  /** The journal does not say yet what the limits of the cache are. Its next frame does. */
  noteLimits(): void {
    this.#notesLimits = true
  }

  get isDueForCompaction(): boolean {
    return this.#health === WRITABLE && this.#segments.isDueForCompaction
  }

  /** @throws JournalWriteError while nothing can be written. */
  refuseUnlessWritable(): void {
    if (this.#health !== WRITABLE) throw refusal(this.#health)
  }

  // ── write ──

  /**
   * Prepares the pending frame for events, and queues their write: at the end of this turn of the event loop, before any
   * immediate that the caller queues from now on.
   * @throws JournalWriteError while nothing can be written.
   */
  prepare(): void {
    if (this.#health !== WRITABLE) throw refusal(this.#health)
    // A full frame is written without the new events, because its counters are as of its last event.
    if (this.#frame.isFull) this.writeFull()
    if (!this.#isWriteQueued) this.#queueWrite()
    this.#frame.isReady = !this.#isExiting
  }

  /** The process is exiting, so this turn of the event loop will not end. From now on every append is written at once. */
  writeAtExit(): void {
    this.#isExiting = true
    this.#frame.isReady = false
    this.write()
  }

  /** Whether every append must be followed by {@link write}. */
  get isExiting(): boolean {
    return this.#isExiting
  }

  /** @throws JournalWriteError if the write fails. */
  writeFull(): void {
    this.write()
    this.refuseUnlessWritable()
  }

  #queueWrite(): void {
    queueTask(() => {
      this.#isWriteQueued = this.#frame.isReady = false
      this.write()
      if (this.#session.fsync === 'always' && this.#durable < this.written) void this.#sync()
    })
    this.#isWriteQueued = true // not before: queueTask() may overflow the stack
  }

  /** Writes the pending frame. If that fails, the frame stays pending and the journal stalls. */
  write(): void {
    const frame = this.#frame
    if (frame.count === 0 || this.#health.status === 'failed' || this.#isClosed) return
    try {
      // A retry writes the same bytes: of two different frames for one place, a power cut could keep the abandoned one.
      this.#append(frame.finished ?? frame.finish('events', 0, this.#context()))
    } catch (error) {
      this.#stall(error as Error)
      return
    }
    this.#armSyncTimer()
    // Fsync off the main thread first, so that the fsync in the rotation has little left to do.
    if (this.#segments.isFull && this.#syncing === undefined) void this.#sync()
    if (this.isDueForCompaction) this.#onChange()
  }

  /** Writes the pending frame, which may be empty, as a frame of this kind. Throws if that fails; the frame is dropped then. */
  writeAs(kind: FrameKind, order?: Uint8Array): void {
    try {
      this.#append(this.#frame.finish(kind, 0, this.#context(order)))
    } catch (error) {
      this.#frame.drop()
      throw error
    }
  }

  #append(finished: FinishedFrame): void {
    this.#segments.append(finished)
    this.#frame.written(finished)
    this.#recordedDurable = finished.header.durableSequence
    this.#notesLimits = false
  }

  #context(order?: Uint8Array): FrameContext {
    const { counters, limits, clock } = this.#session
    return {
      previousChecksum: this.#segments.lastChecksum,
      durableSequence: this.#durable,
      writtenAtMs: clock.now(),
      counters,
      notes: { limits: this.#notesLimits ? limits : undefined, order },
      seed: this.#seed,
    }
  }

  /** The last sequence that was written. */
  get written(): Sequence {
    return sequenceAfter(this.#frame.first, -1)
  }

  // ── health ──

  #stall(error: Error): void {
    this.#setHealth({ status: 'stalled', error })
    this.#retryTimer ??= this.#session.clock.setTimeout(() => {
      this.#retryTimer = undefined
      if (this.#health.status === 'stalled') this.#retry()
    }, WRITE_RETRY_MS)
  }

  #retry(): void {
    this.write()
    if (this.#frame.count > 0) return
    this.#setHealth(WRITABLE)
    if (this.#session.fsync === 'always') void this.#sync()
  }

  #setHealth(health: JournalHealth): void {
    if (this.#health.status === 'failed') return // until the journal is reopened
    const isChange = this.#health.status !== health.status
    this.#health = health
    this.#frame.isReady = false
    if (isChange) this.#onChange()
  }

  // ── fsync ──

  /** Resolves with the durable sequence once everything that was appended before this call is durable. */
  async flush(): Promise<Sequence> {
    const target = this.#frame.last
    if (this.#health.status === 'stalled') this.#retry()
    else if (this.#frame.count > 0) await nextTurn() // the write is queued; all flushes of one turn share it and one fsync
    // Now it is written, or the health says why not. A running fsync may have begun before the write, so another one follows.
    if (this.#durable < target && this.#health === WRITABLE) await this.#syncing
    if (this.#durable < target && this.#health === WRITABLE) await this.#sync()
    if (this.#durable >= target) return this.#durable
    if (this.#health !== WRITABLE) throw this.#outcomeUnknown(target)
    /* c8 ignore next 4 -- close() flushes first, so this takes a journal that was closed and reopened in one turn */
    throw new CacheClosedError('The cache was closed before the flush was done', {
      consequence: 'close() has reported whether what was pending is durable.',
    })
  }

  #outcomeUnknown(target: Sequence): JournalWriteError {
    const { error, status } = this.#health as Exclude<JournalHealth, { status: 'writable' }>
    const first = this.#durable + 1
    const changes = first === target ? `The change with sequence ${first}` : `The changes ${first} to ${target}`
    if (status === 'failed')
      return new JournalWriteError('OUTCOME_UNKNOWN', `${changes} could not be forced to disk (${reasonOf(error)})`, {
        cause: error,
      })
    return new JournalWriteError('JOURNAL_WRITE_FAILED', `${changes} could not be written (${reasonOf(error)})`, {
      ...(this.#isClosing ? LOST : PENDING),
      cause: error,
    })
  }

  /** One fsync for everything written before it begins. A call while it runs waits for the next one. Never rejects. */
  async #sync(): Promise<void> {
    if (this.#syncing !== undefined) await this.#syncing
    if (this.#health.status === 'failed' || this.#isClosed) return
    this.#syncing ??= this.#syncOnce().finally(() => {
      this.#syncing = undefined
    })
    await this.#syncing
  }

  async #syncOnce(): Promise<void> {
    const target = this.written
    try {
      await this.#segments.sync()
    } catch (error) {
      this.#setHealth({ status: 'failed', error: error as Error })
      return
    }
    this.#durable = Math.max(this.#durable, target, this.#durableThen) as Sequence
    queueTask(() => this.#recordDurable())
    if (this.#segments.isFull) this.#rotateWhenFull()
  }

  /** If no frame follows an fsync, an empty frame records it, so that damage before it is not mistaken for a torn tail. */
  #recordDurable(): void {
    if (this.#isClosing || this.#frame.count > 0) return
    if (this.#recordedDurable >= this.#durable || this.#health !== WRITABLE) return
    try {
      this.writeAs('events')
    } catch {
      // The frame has no events, and the next frame will record the same.
    }
  }

  #armSyncTimer(): void {
    const { fsync, clock } = this.#session
    if (fsync !== 'everysec' || this.#syncTimer !== undefined) return
    this.#syncTimer = clock.setTimeout(() => {
      this.#syncTimer = undefined
      if (this.#durable < this.written) void this.#sync()
    }, SYNC_INTERVAL_MS)
  }

  // ── rotation ──

  #rotateWhenFull(): void {
    try {
      this.rotate({ isSyncing: false })
    } catch {
      this.#segments.postponeRotation() // if an fsync failed, the health has changed already
    }
  }

  /** Begins the next segment. Afterwards everything written before is durable. */
  rotate({ isSyncing = this.#syncing !== undefined } = {}): void {
    this.writeFull()
    try {
      this.#recordedDurable = this.#segments.rotate(this.#frame, this.#context()).durableSequence
    } catch (error) {
      if (!(error instanceof UnsyncedSealError)) throw error
      this.#setHealth({ status: 'failed', error: error.cause })
      throw refusal(this.#health)
    }
    // The system reports a lost write to only one of two overlapping fsyncs: the running one may still fail for what this covered.
    if (isSyncing) this.#durableThen = this.written
    else this.#durable = this.written
  }

  // ── close ──

  /** From now on only frames that closing needs are written. */
  beginClose(): void {
    this.#isClosing = true
  }

  endClose(): void {
    this.#isClosed = true
    this.#frame.isReady = false
    this.#session.clock.clearTimeout(this.#syncTimer)
    this.#session.clock.clearTimeout(this.#retryTimer)
  }
}
