/**
 * Decides when the pending frames are written, when what was written is forced to disk, and what happens if either fails. Second
 * step after `append`. Before: `pending-frames`. After: `segments`.
 *
 *   pending frames ─► (end of the event-loop turn, or they are full) ─► segment ─► (fsync policy) ─► durable
 *
 * Writes are synchronous and in order, so what a call appended survives the process as soon as the event loop turns. Only
 * fsync runs off the main thread, and one fsync serves all callers that wait for one. If a write fails, the frames stay
 * pending and are retried every second. If an fsync fails, nothing more is written until the journal is reopened, because the page cache
 * may have dropped the pages (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020).
 */
import { NO_SEQUENCE, type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import { CacheClosedError, type JournalWriteError } from '../../errors.js'
import type { JournalHealth, JournalSession } from '../contract.js'
import { checksum } from '../format/checksum.js'
import type { FrameKind } from '../format/format.js'
import type { FinishedFrames } from '../format/frame.js'
import { nextTurn, queueTask } from '../storage/event-loop.js'
import type { FrameContext, PendingFrames } from './pending-frames.js'
import { refusal } from './refusal.js'
import { type Segments, UnsyncedSealError } from './segments.js'
import { type Closing, notForced, notWritten, sealNotWritten } from './unwritten.js'

const WRITE_RETRY_MS = 1_000
const SYNC_INTERVAL_MS = 1_000

const WRITABLE: JournalHealth = { status: 'writable' }

interface SharedFlush {
  /** The last sequence that somebody waits for. */
  target: Sequence
  done: Promise<Sequence>
}

export class Durability {
  readonly #session: JournalSession
  readonly #pending: PendingFrames
  readonly #segments: Segments
  readonly #onChange: () => void
  onProgress: (() => void) | undefined // called when more is written or durable
  /** The checksum of the journal id, with which every frame's checksum begins. */
  readonly #seed: number
  #health: JournalHealth = WRITABLE
  #isWriteQueued = false
  /** The flush of this turn of the event loop. */
  #shared: SharedFlush | undefined
  #durable: Sequence
  /** Durable once the running fsync has succeeded. */
  #durableThen = NO_SEQUENCE
  /** The durable sequence in the last written frame. */
  #recordedDurable: Sequence
  #syncing: Promise<void> | undefined
  #syncTimer: unknown
  #retryTimer: unknown
  #isExiting = false
  #closing: Closing | undefined
  #isClosed = false

  /** @param durable As the journal's frames say. What was read after that may only be in the page cache. */
  constructor(
    session: JournalSession,
    pending: PendingFrames,
    segments: Segments,
    durable: Sequence,
    onChange: () => void,
  ) {
    this.#session = session
    this.#pending = pending
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
   * Prepares the pending frame for events, and queues their write: at the end of this turn of the event loop, before any
   * immediate that the caller queues from now on.
   * @throws JournalWriteError while nothing can be written.
   */
  prepare(): void {
    if (this.#health !== WRITABLE) throw refusal(this.#health)
    if (this.#pending.isFull) this.writeFull()
    if (!this.#isWriteQueued) this.#queueWrite()
    this.#pending.isReady = !this.#isExiting
  }

  /** The process is exiting, so this turn of the event loop will not end. From now on every append is written at once. */
  writeAtExit(): void {
    this.#isExiting = true
    this.#pending.isReady = false
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
      this.#isWriteQueued = this.#pending.isReady = false
      this.#shared = undefined
      this.write()
      if (this.#session.fsync === 'always' && this.#durable < this.written) void this.#sync()
    })
    this.#isWriteQueued = true // not before: queueTask() may overflow the stack
  }

  /** Writes what is pending. If that fails, it stays pending and the journal stalls. */
  write(): void {
    if (this.#pending.count === 0 || this.#health.status === 'failed' || this.#isClosed) return
    try {
      // A retry writes the same bytes: of two different frames for one place, a power cut could keep the abandoned one.
      this.#append(this.#pending.finish())
    } catch (error) {
      this.#stall(error as Error)
      return
    }
    this.onProgress?.()
    this.#armSyncTimer()
    // Fsync off the main thread first, so that the fsync in the rotation has little left to do.
    if (this.#segments.isFull && this.#syncing === undefined) void this.#sync()
    if (this.isDueForCompaction) this.#onChange()
  }

  /** Writes what is pending (or nothing) as one frame of this kind. Throws if that fails; the frame is dropped then. */
  writeAs(kind: FrameKind, order?: Uint8Array): void {
    try {
      this.#append(this.#pending.finishAs(kind, 0, order))
    } catch (error) {
      this.#pending.drop()
      throw error
    }
  }

  #append(finished: FinishedFrames): void {
    this.#segments.append(finished)
    this.#pending.written()
    this.#recordedDurable = (finished.frames.at(-1) as (typeof finished.frames)[number]).header.durableSequence // at least one
  }

  /** For a frame that is complete now, and is the next one to be written. */
  context(): FrameContext {
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
    return sequenceAfter(this.#pending.first, -1)
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
    if (this.#pending.count > 0) return
    this.#setHealth(WRITABLE)
    if (this.#session.fsync === 'always') void this.#sync()
  }

  #setHealth(health: JournalHealth): void {
    if (this.#health.status === 'failed') return // until the journal is reopened
    const isChange = this.#health.status !== health.status
    this.#health = health
    this.#pending.isReady = false
    if (isChange) this.#onChange()
  }

  // ── fsync ──

  /**
   * Resolves with the durable sequence once everything that was appended before this call is durable. All who call it in one turn
   * of the event loop share the write that is queued, one fsync and one promise.
   */
  flush(): Promise<Sequence> {
    const target = this.#pending.last
    if (!this.#isWriteQueued || this.#health.status === 'stalled') return this.#flushNow(target)
    this.#shared ??= this.#share()
    this.#shared.target = target
    return this.#shared.done
  }

  #share(): SharedFlush {
    const shared: SharedFlush = {
      target: NO_SEQUENCE,
      done: nextTurn().then(() => this.#makeDurable(shared.target)),
    }
    return shared
  }

  async #flushNow(target: Sequence): Promise<Sequence> {
    if (this.#health.status === 'stalled') this.#retry()
    return this.#makeDurable(target)
  }

  async #makeDurable(target: Sequence): Promise<Sequence> {
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
    if (status === 'failed') return notForced(this.#durable + 1, target, error)
    const { first, count, bytes } = this.#pending
    return notWritten(first, target, error, { closing: this.#closing, count, bytes, written: this.written })
  }

  /** The error of a close that wrote every change, but not what follows the last one. */
  sealNotWritten(error: unknown): JournalWriteError {
    this.#pending.drop()
    return sealNotWritten(error, this.#closing)
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
    this.onProgress?.()
    if (this.#segments.isFull) this.#rotateWhenFull()
  }

  /** If no frame follows an fsync, an empty frame records it, so that damage before it is not mistaken for a torn tail. */
  #recordDurable(): void {
    if (this.#closing !== undefined || this.#pending.count > 0) return
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
      this.#segments.rotate(this.#pending)
      this.#recordedDurable = this.#durable
    } catch (error) {
      if (!(error instanceof UnsyncedSealError)) throw error
      this.#setHealth({ status: 'failed', error: error.cause })
      throw refusal(this.#health)
    }
    // The system reports a lost write to only one of two overlapping fsyncs: the running one may still fail for what this covered.
    if (isSyncing) this.#durableThen = this.written
    else this.#durable = this.written
    this.onProgress?.()
  }

  // ── close ──

  /** From now on only frames that closing needs are written. */
  beginClose(closing: Closing): void {
    this.#closing = closing
  }

  /** It could not be closed. */
  stayOpen(): void {
    this.#closing = undefined
  }

  endClose(): void {
    this.#isClosed = true
    this.#pending.isReady = false
    this.#session.clock.clearTimeout(this.#syncTimer)
    this.#session.clock.clearTimeout(this.#retryTimer)
  }
}
