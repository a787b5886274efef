/**
 * A journal in files. Before: `decide/`; after `append`: `evolve/`. The steps after `append`: `pending-frames` (events become
 * bytes), `durability` (bytes are written and synced), `segments` (where they go).
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type CacheEvent, setEvents } from '../../core/model/event.js'
import type { Note } from '../../core/model/note.js'
import { NO_SEQUENCE, type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import type { StoredValue } from '../../core/model/stored-value.js'
import { CacheClosedError, CacheError, CacheLockedError, reasonOf } from '../../errors.js'
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
import { fileName } from '../format/format.js'
import { encodeOrderOfBirths } from '../format/use-order.js'
import { noteOf } from '../history/lock-file.js'
import { openDirectory, unreadable } from '../recovery/open-directory.js'
import { newJournal, type OnCorruption, type Recovered, recover } from '../recovery/recover.js'
import { writeCompaction } from '../snapshot/compact.js'
import { NO_RETENTION } from '../snapshot/retention.js'
import { writeSnapshot } from '../snapshot/write-snapshot.js'
import { removeIfThere } from '../storage/replace-file.js'
import type { Storage, StorageLock } from '../storage/storage.js'
import { Durability } from './durability.js'
import { writeAtExit } from './exit-flush.js'
import { PendingFrames } from './pending-frames.js'
import { isWriteFailure } from './refusal.js'
import { Segments } from './segments.js'

/** A key or a text with no more characters than this is far from filling a frame. */
const SMALL = 16 * 1024

const NO_LOCK: StorageLock = { write: () => undefined, release: () => undefined }

/** The parts of an open journal. One cache uses it, from open() to close(). */
interface Opened {
  session: JournalSession
  lock: StorageLock
  segments: Segments
  durability: Durability
  /** Whether the journal ends with an order of use without its seal. The next seal must not complete it. */
  hasLooseRecency: boolean
  forgetExit: () => void
}

export class FileJournal implements Journal {
  readonly directory: string
  readonly #storage: Storage
  readonly #newJournalId: () => Buffer
  readonly #onCorruption: OnCorruption
  readonly #pending = new PendingFrames()
  onChange: (() => void) | undefined
  #opened: Opened | undefined
  /** As of the last close. */
  #closedHealth: JournalHealth = { status: 'writable' }
  #closedPublished = NO_SEQUENCE
  readonly #listeners = new Set<() => void>()

  /** @param newJournalId Returns 16 random bytes, for a new journal. */
  constructor(
    storage: Storage,
    directory: string,
    newJournalId: () => Buffer = () => randomBytes(16),
    onCorruption: OnCorruption = 'refuse',
  ) {
    this.#storage = storage
    this.directory = directory
    this.#newJournalId = newJournalId
    this.#onCorruption = onCorruption
  }

  async open(session: JournalSession): Promise<RecoveryReport> {
    if (this.#opened !== undefined)
      throw new CacheLockedError('This journal is already open', { advice: 'Close the other cache first.' })
    const { directory } = this
    const lock = await openDirectory(this.#storage, directory)
    try {
      const recovered = await recover(this.#storage, directory, session.receiver, {
        onCorruption: this.#onCorruption,
        newJournalId: this.#newJournalId,
        clock: session.clock,
      })
      return this.#begin(session, lock, recovered)
    } catch (error) {
      lock.release()
      throw unreadable(directory, error)
    }
  }

  /** {@link open} without waiting, of a journal that has never been open and whose files nobody else can have. */
  openNew(session: JournalSession): RecoveryReport {
    session.receiver.progress(0, 0)
    return this.#begin(session, NO_LOCK, newJournal())
  }

  #begin(session: JournalSession, lock: StorageLock, recovered: Recovered): RecoveryReport {
    const { directory } = this
    const segments = new Segments(this.#storage, directory, recovered, session, this.#newJournalId)
    const isNew = recovered.report.frames === 0 && recovered.report.snapshot === undefined
    if (isNew) session.receiver.limits(session.limits)
    if (!recovered.isNoted) lock.write(noteOf(segments.journalId))
    const { durableSequence, hasLooseRecency, report } = recovered
    const durability = new Durability(session, this.#pending, segments, durableSequence, () => this.onChange?.())
    durability.onProgress = () => this.#tellPublished()
    this.#pending.begin(recovered.nextSequence, () => durability.context())
    const isOlder = segments.isOlder
    if (isOlder) beginNewVersion(segments, durability, hasLooseRecency)
    if (!recovered.hasLimits) this.#pending.noteLimits(session.limits)
    const forgetExit = writeAtExit(() => durability.writeAtExit())
    const isLoose = hasLooseRecency && !isOlder
    this.#opened = { session, lock, segments, durability, hasLooseRecency: isLoose, forgetExit }
    return report
  }

  get #open(): Opened {
    if (this.#opened === undefined) throw notOpen()
    return this.#opened
  }

  get health(): JournalHealth {
    return this.#opened?.durability.health ?? this.#closedHealth
  }

  // ── for those who read its files while it is open ──

  /** Writes what is pending now, if it can be written, and returns the last sequence that is written. */
  writePending(): Sequence {
    const { durability } = this.#open
    durability.write()
    return durability.written
  }

  /** The last sequence that a crash does not take back. After a close: as of then. */
  get published(): Sequence {
    if (this.#opened === undefined) return this.#closedPublished
    const { durability, session } = this.#opened
    return session.fsync === 'never' ? durability.written : durability.durable
  }

  get isOpen(): boolean {
    return this.#opened !== undefined
  }

  /** Calls `listener` when {@link published} has grown, and when the journal is closed. Returns the function that stops it. */
  onPublished(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #tellPublished(): void {
    for (const listener of this.#listeners) listener()
  }

  append(events: readonly CacheEvent[], note?: Note): number {
    const { durability } = this.#open
    durability.prepare()
    this.#pending.add(events, note)
    const sequence = this.#pending.first + this.#pending.count - events.length
    if (durability.isExiting) durability.write()
    return sequence
  }

  appendSet(key: string, value: StoredValue, expiresAtMs: number, evicted?: string, note?: Note): number {
    const pending = this.#pending
    const isSmall = key.length <= SMALL && isSmallValue(value) && (evicted === undefined || evicted.length <= SMALL)
    if (isSmall && pending.isReady) return pending.addSet(key, value, expiresAtMs, evicted, note)
    return this.append(setEvents(key, value, expiresAtMs, evicted), note) // handles values that fill a frame
  }

  flush(): Promise<number> {
    return this.#opened === undefined ? Promise.reject(notOpen()) : this.#opened.durability.flush()
  }

  async compact(request: CompactionRequest): Promise<CompactionReport> {
    const { durability, segments, session } = this.#open
    await durability.flush()
    // No await from here to freeze(): the segment must end at the sequence whose state is frozen.
    durability.write()
    const hasOlderFrames = !segments.hasEvents && segments.hasFrames // of an earlier close
    this.#endSegment()
    durability.refuseUnlessWritable()
    const sequence = durability.written
    const { covered } = segments
    try {
      const { report, reach } = await writeCompaction({
        storage: this.#storage,
        directory: this.directory,
        journalId: segments.journalId,
        sequence,
        previousChecksum: segments.previousChecksum,
        request: hasOlderFrames ? { ...request, freeze: () => this.#withOrder(request.freeze()) } : request,
        clock: session.clock,
        retention: session.retention ?? NO_RETENTION,
      })
      segments.compacted(sequence, report.bytes, covered, reach)
      return report
    } catch (error) {
      segments.postponeCompaction()
      throw error
    }
  }

  /** Ensures that no event after the snapshot is older than the snapshot. */
  #endSegment(): void {
    const { durability, segments } = this.#open
    try {
      if (segments.hasEvents) durability.rotate()
    } catch (error) {
      segments.postponeCompaction()
      throw notEnded(error)
    }
  }

  /** Replaces what the older frames behind the snapshot say: the counters, and the order of use, whose ranks are those of other rows. */
  #withOrder(source: SnapshotSource): SnapshotSource {
    const { durability } = this.#open
    try {
      durability.writeAs('seal', encodeOrderOfBirths(source.count))
      durability.writeAs('events') // it is not closed
      return source
    } catch (error) {
      source.release()
      throw notEnded(error)
    }
  }

  async stage(source: SnapshotSource, progress: (done: number, total: number) => void) {
    const { durability, segments, session } = this.#open
    durability.refuseUnlessWritable()
    const sequence = sequenceAfter(this.#pending.last) // later than that of any existing file
    const file = fileName(sequence, 'loaded')
    const path = join(this.directory, file)
    removeIfThere(this.#storage, `${path}.tmp`)
    const { checksum, entries } = await writeSnapshot({
      storage: this.#storage,
      path,
      temporary: `${path}.tmp`,
      kind: 'loaded',
      journalId: segments.journalId,
      sequence,
      previousChecksum: 0,
      createdAtMs: session.clock.now(),
      source,
      progress,
    })
    return { file, checksum, entries }
  }

  get isDueForCompaction(): boolean {
    return this.#opened?.durability.isDueForCompaction ?? false
  }

  figures(): JournalFigures {
    const { durability, segments } = this.#open
    return {
      sequence: this.#pending.last,
      durableSequence: durability.durable,
      pendingBytes: this.#pending.bytes,
      ...segments.figures,
    }
  }

  async close(order?: Uint8Array, { force = false }: { force?: boolean } = {}): Promise<void> {
    const opened = this.#opened
    if (opened === undefined) return
    const { segments, durability } = opened
    durability.beginClose(force ? 'in any case' : 'if all is written')
    try {
      await durability.flush()
      // After a failed fsync nothing more is written: the last frame may be a seal that names the next segment.
      if (durability.health.status !== 'failed') {
        this.#writeLast(opened, order)
        await segments.sync()
      }
    } catch (error) {
      if (isWriteFailure(error)) {
        if (!force) {
          durability.stayOpen()
          throw error
        }
        await segments.sync().catch(() => undefined) // what was written before may still become durable
      }
      this.#release(opened)
      throw error
    }
    this.#release(opened)
  }

  /** The seal, with the order of use. */
  #writeLast(opened: Opened, order: Uint8Array | undefined): void {
    const { session, segments, durability } = opened
    try {
      if (opened.hasLooseRecency) durability.writeAs('events')
      opened.hasLooseRecency = false
      // If nothing happened, the journal already ends with its seal, and stays as it is.
      if (order !== undefined || !segments.isSealedWith(session.counters)) durability.writeAs('seal', order)
    } catch (error) {
      throw durability.sealNotWritten(error)
    }
  }

  #release({ durability, segments, lock, forgetExit }: Opened): void {
    durability.endClose()
    forgetExit()
    segments.close()
    lock.release()
    this.#closedHealth = durability.health
    this.#closedPublished = this.published
    this.#opened = undefined
    this.#tellPublished()
  }
}

function isSmallValue(value: StoredValue): boolean {
  if (typeof value === 'object' && value !== null) return value.bytes !== undefined && value.bytes.length <= SMALL
  return typeof value !== 'string' || value.length <= SMALL
}

function notEnded(error: unknown): CacheError {
  if (error instanceof CacheError) return error
  const what = `The segment before the snapshot could not be ended: ${reasonOf(error)}`
  return new CacheError('COMPACTION_FAILED', what, { cause: error })
}

function notOpen(): CacheClosedError {
  return new CacheClosedError('This journal is not open', { advice: 'Open a cache on it first.' })
}

/** Ends the last segment, which an older daybook wrote, and begins one of the present version. */
function beginNewVersion(segments: Segments, durability: Durability, hasLooseRecency: boolean): void {
  try {
    if (hasLooseRecency) durability.writeAs('events')
    durability.rotate()
  } catch (error) {
    segments.close()
    throw error
  }
}
