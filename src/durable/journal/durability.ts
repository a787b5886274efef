/**
 * From taken to durable: when the pending frame is written, when what was written is forced to disk, and what happens when
 * either fails. Second step behind `append`. Before: `pending-frame`. After: `segments`.
 *
 *   pending frame ─► (end of the event-loop turn, or the frame is full) ─► segment ─► (fsync policy) ─► durable
 *
 * Writes are synchronous and in order, so what a call appended survives the process as soon as the event loop turns. Only
 * fsync leaves the main thread; one fsync serves all who wait for one. When a write fails, the frame stays pending and is
 * tried again every second. When an fsync fails, nothing more is written until the journal is reopened, because the page
 * cache may have dropped the pages (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020).
 */
import { NO_SEQUENCE, type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import { CacheClosedError, JournalWriteError } from '../../errors.js'
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
  /** Durable as well, once the fsync that is running has succeeded. */
  #durableThen = NO_SEQUENCE
  /** The durable sequence in the last written frame. */
  #recordedDurable: Sequence
  #syncing: Promise<void> | undefined
  #syncTimer: unknown
  #retryTimer: unknown
  #isExiting = false
  #isClosing = false
  #isClosed = false

  /** `durable`: what the journal's own frames say. What was read back may be in the page cache only. */
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

  get isDueForCompaction(): boolean {
    return this.#health === WRITABLE && this.#segments.isDueForCompaction
  }

  /** @throws JournalWriteError while nothing can be written. */
  refuseUnlessWritable(): void {
    if (this.#health !== WRITABLE) throw refusal(this.#health)
  }

  // ── write ──

  /**
   * Makes the pending frame ready to take events, and queues their write: at the end of this turn of the event loop, before any
   * immediate that the caller queues from now on, and without a timer.
   * @throws JournalWriteError while nothing can be written.
   */
  prepare(): void {
    if (this.#health !== WRITABLE) throw refusal(this.#health)
    // A full frame is written before these events and not with them: the counters in a frame count what is in it.
    if (this.#frame.isFull) this.writeFull()
    if (!this.#isWriteQueued) this.#queueWrite()
    this.#frame.isReady = !this.#isExiting
  }

  /** The process is ending, and this turn of the event loop does not end any more: from now on every append is written at once. */
  writeAtExit(): void {
    this.#isExiting = true
    this.#frame.isReady = false
    this.write()
  }

  /** Whether every append has to be followed by {@link write}. */
  get isExiting(): boolean {
    return this.#isExiting
  }

  /** @throws JournalWriteError when that fails. */
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
    this.#isWriteQueued = true // not before: the stack may run out in there
  }

  /** Writes the pending frame. When that fails the frame stays pending, and the journal takes nothing more. */
  write(): void {
    const frame = this.#frame
    if (frame.count === 0 || this.#health.status === 'failed' || this.#isClosed) return
    try {
      // Tried again byte for byte: of two different frames for one place, a power cut could keep the one that was given up.
      this.#append(frame.finished ?? frame.finish('events', 0, this.#context()))
    } catch (error) {
      this.#stall(error as Error)
      return
    }
    this.#armSyncTimer()
    // A first fsync off the main thread, so that the one within a rotation finds little left to do.
    if (this.#segments.isFull && this.#syncing === undefined) void this.#sync()
    if (this.isDueForCompaction) this.#onChange()
  }

  /** Writes the pending frame as one of another kind, or an empty one. Throws when that fails; the frame is dropped then. */
  writeAs(kind: FrameKind): void {
    try {
      this.#append(this.#frame.finish(kind, 0, this.#context()))
    } catch (error) {
      this.#frame.drop()
      throw error
    }
  }

  #append(finished: FinishedFrame): void {
    this.#segments.append(finished)
    this.#frame.written(finished)
    this.#recordedDurable = finished.header.durableSequence
  }

  #context(): FrameContext {
    const { counters, clock } = this.#session
    return {
      previousChecksum: this.#segments.lastChecksum,
      durableSequence: this.#durable,
      writtenAtMs: clock.now(),
      counters,
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

  /** Resolves with the durable sequence, once everything that was appended before this call is durable. */
  async flush(): Promise<Sequence> {
    const target = this.#frame.last
    if (this.#health.status === 'stalled') this.#retry()
    else if (this.#frame.count > 0) await nextTurn() // the write is queued; all who flush in one turn share it and one fsync
    // Now it is written, or the health says why not. A running fsync may have begun before that; one that begins now has not.
    if (this.#durable < target && this.#health === WRITABLE) await this.#syncing
    if (this.#durable < target && this.#health === WRITABLE) await this.#sync()
    if (this.#durable >= target) return this.#durable
    if (this.#health !== WRITABLE) throw this.#outcomeUnknown(target)
    /* c8 ignore next 4 -- close() flushes first, so this takes a journal that was closed and opened again in one turn */
    throw new CacheClosedError(
      'The cache was closed before the flush was done: what was pending is lost or durable as close() said.',
    )
  }

  #outcomeUnknown(target: Sequence): JournalWriteError {
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

  /** One fsync for everything written until it begins; a call that comes while it runs waits for the next one. Never rejects. */
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

  /** An fsync that no frame follows is recorded by an empty frame, so that damage before it is not taken for a torn tail. */
  #recordDurable(): void {
    if (this.#isClosing || this.#frame.count > 0) return
    if (this.#recordedDurable >= this.#durable || this.#health !== WRITABLE) return
    try {
      this.writeAs('events')
    } catch {
      // It would have held no event, and the next frame will say the same.
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
      this.#segments.postponeRotation() // a failed fsync has changed the health already
    }
  }

  /** Begins the next segment. Everything written until now is durable then. */
  rotate({ isSyncing = this.#syncing !== undefined } = {}): void {
    this.writeFull()
    try {
      this.#recordedDurable = this.#segments.rotate(this.#frame, this.#context()).durableSequence
    } catch (error) {
      if (!(error instanceof UnsyncedSealError)) throw error
      this.#setHealth({ status: 'failed', error: error.cause })
      throw refusal(this.#health)
    }
    // The system reports a lost write to one of two fsyncs that overlap: the running one may yet fail for what this one covered.
    if (isSyncing) this.#durableThen = this.written
    else this.#durable = this.written
  }

  // ── close ──

  /** From now on no frame is written but those that closing needs. */
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
