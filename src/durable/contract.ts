/**
 * What the cache asks of a journal. The file journal is one, `memoryJournal()` is one; a stream on a message server could
 * be another. Every journal passes `test/conformance/journal.ts`.
 */
import type { Clock } from '../core/model/clock.js'
import type { Counters } from '../core/model/counters.js'
import type { CacheEvent, SetEvent } from '../core/model/event.js'
import type { StoredValue } from '../core/model/stored-value.js'

/** When what was written is forced to disk: after every write, each second, or only when asked. */
export type FsyncPolicy = 'always' | 'everysec' | 'never'

/** What a journal is told when a cache takes it, and whom it hands what it holds. */
export interface JournalSession {
  readonly fsync: FsyncPolicy
  readonly clock: Clock
  readonly compaction: CompactionThresholds | false
  /** Live: read whenever a frame is made. */
  readonly counters: Readonly<Counters>
  readonly receiver: JournalReceiver
}

/** Whom recovery hands what the journal holds, in order. */
export interface JournalReceiver {
  /** A row of the snapshot, least recently used first. Returns false for a key that came before: no snapshot holds a key twice. */
  row(key: string, value: StoredValue, expiresAtMs: number): boolean
  /** A `set` event. A function of its own, without an object for the event, because most events are of this type. */
  readonly set: (key: string, value: StoredValue, expiresAtMs: number) => void
  /** Any other event. `rows`: of a `loaded` event, what the file that it names holds. */
  event(event: Exclude<CacheEvent, SetEvent>, rows?: ReceivedRows): void
  /** Takes the rows of a loaded file, to be handed over with its event. */
  loadedRows(): ReceivedRows
  counters(counters: Readonly<Counters>): void
  /** The order of use at a clean close: each key in turn is the most recently used. */
  recency(keys: Iterable<string>): void
  /** Told some hundred times in all, and at the end. */
  progress(doneBytes: number, totalBytes: number): void
}

/** Rows that come one by one, least recently used first, and stay aside until an event puts them in place. */
export interface ReceivedRows {
  /** Returns false for a key that came before: no file holds a key twice. */
  add(key: string, value: StoredValue, expiresAtMs: number): boolean | void
  readonly counters: Counters
}

/** Sizes past which the journal asks to be compacted. */
export interface CompactionThresholds {
  /** Bytes of journal since the last snapshot, at least. Default 64 MiB. */
  readonly journalBytes: number
  /** And this many times the size of that snapshot. Default 1. */
  readonly factor: number
  /** Size at which a new segment is begun. Default 64 MiB. */
  readonly segmentBytes: number
}

/** What a journal reports after it was opened; {@link RecoveryReport} in the public API. */
export interface RecoveryReport {
  /** The snapshot that recovery began with. */
  snapshot: { file: string; sequence: number; entries: number } | undefined
  segments: number
  frames: number
  /** Events replayed after the snapshot. */
  events: number
  /** The last event's number; the next one is this plus one. */
  sequence: number
  bytes: number
  /** Milliseconds. */
  durationMs: number
  /** Whether the journal was closed cleanly. Counters and the order of use are exact then. */
  clean: boolean
  /** Bytes after the last sound frame that were moved to a `.broken` file: what a crash had left half written. */
  setAside:
    | { file: string; offset: number; bytes: number; sequence: number; reason: string; savedAs: string }
    | undefined
  /** Entries removed by opening with a smaller `maxSize` or `maxBytes` than they were written with. */
  evicted: number
  expired: number
}

/** What `stats().journal` tells. */
export interface JournalFigures {
  /** The last event appended. */
  sequence: number
  /** The last event that is known to be on disk. */
  durableSequence: number
  /** Bytes appended but not yet handed to the operating system. */
  pendingBytes: number
  /** Bytes in segments since the last snapshot. */
  bytes: number
  segments: number
  /** The sequence of the last snapshot; 0 without one. */
  snapshotSequence: number
  snapshotBytes: number
}

/** Whether the journal takes events: yes; not now but it tries again by itself; never again before it is reopened. */
export type JournalHealth =
  | { readonly status: 'writable' }
  | { readonly status: 'stalled' | 'failed'; readonly error: Error }

/** Rows that stay as they were at one moment while they are written. */
export interface SnapshotSource {
  readonly count: number
  readonly counters: Readonly<Counters>
  read(): { key: string; value: StoredValue; expiresAtMs: number } | undefined
  release(): void
}

/** What `compact()` answers. */
export interface CompactionReport {
  file: string
  sequence: number
  entries: number
  bytes: number
  /** Files that the snapshot made superfluous, removed. */
  removed: string[]
  durationMs: number
}

/** What the cache asks of a journal that is to be compacted. */
export interface CompactionRequest {
  /** Called in the very moment whose state the snapshot keeps. */
  freeze(): SnapshotSource
  progress(done: number, total: number): void
  /** Ends the compaction early; nothing is changed then. */
  readonly signal: AbortSignal
}

/** Where a cache keeps its events: pass one as the option `journal`. Every one passes `test/conformance/journal.ts`. */
export interface Journal {
  /**
   * Takes the journal for this cache alone, hands all that it holds to the receiver, and gets ready to append.
   * @throws CacheLockedError when another cache has it; CorruptionError when it is damaged; CacheError when it cannot be read.
   */
  open(session: JournalSession): Promise<RecoveryReport>
  /**
   * Appends the events of one turn, all or nothing, and answers the sequence of the first. It has only been taken, not yet
   * written: it is handed to the operating system before a `setImmediate` queued after this call runs, and durable after {@link flush}.
   * @throws JournalWriteError when the journal takes nothing now; RangeError when the events are too large for one frame.
   */
  append(events: readonly CacheEvent[]): number
  /** The same for a single `set` event, without the event: for the commonest turn of all. May be left out. */
  appendSet?(key: string, value: StoredValue, expiresAtMs: number): number
  /** Resolves with the last sequence when everything appended until now is on disk. */
  flush(): Promise<number>
  /** Writes a snapshot and removes what it makes superfluous. */
  compact(request: CompactionRequest): Promise<CompactionReport>
  /**
   * Makes rows durable aside, for a `loaded` event that the caller appends next and that names them. No compaction may
   * run in between.
   */
  stage(
    source: SnapshotSource,
    progress: (done: number, total: number) => void,
  ): Promise<{ file: string; checksum: number; entries: number }>
  figures(): JournalFigures
  readonly health: JournalHealth
  /** Called after every change of {@link health}, and when {@link isDueForCompaction} becomes true. */
  onChange: (() => void) | undefined
  readonly isDueForCompaction: boolean
  /**
   * Writes what is pending and a seal with the order of use, forces both to disk, lets go of the journal. Lets go also
   * when that fails, and then rejects.
   */
  close(recency: Iterable<string>): Promise<void>
  /** The directory, for a persisted snapshot of the actor; `undefined` for a journal elsewhere. */
  readonly directory: string | undefined
}
