/**
 * A journal in files. Before: `decide/`; after `append`: `evolve/`. The steps after `append`: `pending-frame` (events become
 * bytes), `durability` (bytes are written and synced), `segments` (where they go).
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { CacheEvent } from '../../core/model/event.js'
import { sequenceAfter } from '../../core/model/sequence.js'
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
import { openDirectory, unreadable } from '../recovery/open-directory.js'
import { recover } from '../recovery/recover.js'
import { writeCompaction } from '../snapshot/compact.js'
import { writeSnapshot } from '../snapshot/write-snapshot.js'
import { removeIfThere } from '../storage/replace-file.js'
import type { Storage, StorageLock } from '../storage/storage.js'
import { Durability } from './durability.js'
import { writeAtExit } from './exit-flush.js'
import { PendingFrame } from './pending-frame.js'
import { Segments } from './segments.js'

/** A key or a text with no more characters than this is far from filling a frame. */
const SMALL = 16 * 1024

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
  readonly #frame = new PendingFrame()
  onChange: (() => void) | undefined
  #opened: Opened | undefined
  /** As of the last close. */
  #closedHealth: JournalHealth = { status: 'writable' }

  /** @param newJournalId Returns 16 random bytes, for a new journal. */
  constructor(storage: Storage, directory: string, newJournalId: () => Buffer = () => randomBytes(16)) {
    this.#storage = storage
    this.directory = directory
    this.#newJournalId = newJournalId
  }

  async open(session: JournalSession): Promise<RecoveryReport> {
    if (this.#opened !== undefined)
      throw new CacheLockedError('This journal is already open', { advice: 'Close the other cache first.' })
    const { directory } = this
    const lock = openDirectory(this.#storage, directory)
    try {
      const recovered = await recover(this.#storage, directory, session.receiver)
      const segments = new Segments(this.#storage, directory, recovered, session, this.#newJournalId)
      const isNew = recovered.report.frames === 0 && recovered.report.snapshot === undefined
      if (isNew) session.receiver.limits(session.limits)
      if (!recovered.isNoted) lock.write(`${segments.journalId.toString('hex')}\n`)
      this.#frame.begin(recovered.nextSequence)
      const { durableSequence, hasLooseRecency, report } = recovered
      const durability = new Durability(session, this.#frame, segments, durableSequence, () => this.onChange?.())
      const isOlder = segments.isOlder
      if (isOlder) beginNewVersion(segments, durability, hasLooseRecency)
      if (!recovered.hasLimits) durability.noteLimits()
      const forgetExit = writeAtExit(() => durability.writeAtExit())
      const isLoose = hasLooseRecency && !isOlder
      this.#opened = { session, lock, segments, durability, hasLooseRecency: isLoose, forgetExit }
      return report
    } catch (error) {
      lock.release()
      throw unreadable(directory, error)
    }
  }

  get #open(): Opened {
    if (this.#opened === undefined)
      throw new CacheClosedError('This journal is not open', { advice: 'Open a cache on it first.' })
    return this.#opened
  }

  get health(): JournalHealth {
    return this.#opened?.durability.health ?? this.#closedHealth
  }

  append(events: readonly CacheEvent[]): number {
    const { durability } = this.#open
    durability.prepare()
    if (!this.#frame.add(events)) {
      durability.writeFull() // the turns before this one get a frame of their own
      this.#frame.add(events)
    }
    const sequence = this.#frame.first + this.#frame.count - events.length
    if (durability.isExiting) durability.write()
    return sequence
  }

  appendSet(key: string, value: StoredValue, expiresAtMs: number): number {
    const frame = this.#frame
    const isSmall =
      key.length <= SMALL && (typeof value === 'string' ? value.length <= SMALL : typeof value !== 'object')
    if (isSmall && frame.isReady) return frame.addSet(key, value, expiresAtMs)
    return this.append([{ type: 'set', key, value, expiresAtMs }]) // handles values that fill a frame
  }

  async flush(): Promise<number> {
    return this.#open.durability.flush()
  }

  async compact(request: CompactionRequest): Promise<CompactionReport> {
    const { durability, segments, session } = this.#open
    await durability.flush()
    // No await from here to freeze(): the segment must end at the sequence whose state is frozen.
    durability.write()
    this.#endSegment()
    durability.refuseUnlessWritable()
    const sequence = durability.written
    const { covered } = segments
    try {
      const report = await writeCompaction({
        storage: this.#storage,
        directory: this.directory,
        journalId: segments.journalId,
        sequence,
        previousChecksum: segments.previousChecksum,
        request,
        clock: session.clock,
      })
      segments.compacted(sequence, report.bytes, covered)
      return report
    } catch (error) {
      segments.postponeCompaction()
      throw error
    }
  }

  /** Ensures that no frame after the snapshot is older than the snapshot, in events or in counters. */
  #endSegment(): void {
    const { durability, segments } = this.#open
    try {
      if (segments.hasEvents) durability.rotate()
      else if (segments.hasFrames) durability.writeAs('events') // its frames are those of an earlier close, without events
    } catch (error) {
      segments.postponeCompaction()
      if (error instanceof CacheError) throw error
      const what = `The segment before the snapshot could not be ended: ${reasonOf(error)}`
      throw new CacheError('COMPACTION_FAILED', what, { cause: error })
    }
  }

  async stage(source: SnapshotSource, progress: (done: number, total: number) => void) {
    const { durability, segments, session } = this.#open
    durability.refuseUnlessWritable()
    const sequence = sequenceAfter(this.#frame.last) // later than that of any existing file
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
      sequence: this.#frame.last,
      durableSequence: durability.durable,
      pendingBytes: this.#frame.bytes,
      ...segments.figures,
    }
  }

  async close(order?: Uint8Array): Promise<void> {
    const opened = this.#opened
    if (opened === undefined) return
    const { session, segments, durability, lock } = opened
    durability.beginClose()
    try {
      await durability.flush()
      // After a failed fsync nothing more is written: the last frame may be a seal that names the next segment.
      if (durability.health.status !== 'failed') {
        if (opened.hasLooseRecency) durability.writeAs('events')
        // If nothing happened, the journal already ends with its seal, and stays as it is.
        if (order !== undefined || !segments.isSealedWith(session.counters)) durability.writeAs('seal', order)
        await segments.sync()
      }
    } finally {
      durability.endClose()
      opened.forgetExit()
      segments.close()
      lock.release()
      this.#closedHealth = durability.health
      this.#opened = undefined
    }
  }
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
