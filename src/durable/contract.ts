/**
 * What a cache requires of a journal. The file journal and `memoryJournal()` implement it; a stream on a message server could,
 * too. Every journal must pass `journalCases` of `daybook/testing`.
 */
import type { Clock } from '../core/model/clock.js'
import type { Counters } from '../core/model/counters.js'
import type { CacheEvent, SetEvent } from '../core/model/event.js'
import type { Extension } from '../core/model/extension.js'
import type { Limits } from '../core/model/limits.js'
import type { Note } from '../core/model/note.js'
import type { StoredValue } from '../core/model/stored-value.js'
import type { NotLeaderError } from '../errors.js'

/** When written events are forced to disk: after every write, every second, or only on request. */
export type FsyncPolicy = 'always' | 'everysec' | 'never'

/** What a journal gets from the cache that opens it. */
export interface JournalSession {
  readonly fsync: FsyncPolicy
  readonly clock: Clock
  readonly compaction: CompactionThresholds | false
  /** How much of the past compaction keeps. Default: nothing. */
  readonly retention?: Retention | undefined
  /** Live: read whenever a frame is made. */
  readonly counters: Readonly<Counters>
  /** Live. A new journal keeps them, and tells them at each opening from then on: {@link JournalReceiver.limits}. */
  readonly limits: Limits
  readonly receiver: JournalReceiver
  /** For a journal with other writers, once it is open. */
  readonly replica: Replica
}

/** What other writers have written: a frame, in the order of the journal. */
export interface ForeignFrame {
  readonly events: readonly CacheEvent[]
  readonly notes: readonly Note[]
  /** Of its `loaded` events, in order: what {@link JournalReceiver.loadedRows} made, with the rows of the file. */
  readonly rows?: readonly ReceivedRows[] | undefined
  /** Of its first event. Of a frame without events: of the event that comes next. */
  readonly firstSequence: number
  /** When it was written, by the writer's clock; epoch milliseconds. */
  readonly timeMs: number
}

/**
 * The cache, as a journal with other writers sees it after `open()`. What is called during a turn takes effect after it. Streams
 * emit what is committed, and nothing else.
 */
export interface Replica {
  /**
   * Applies what others wrote; the streams emit it. `seenAtMs`: when it arrived, by this node's clock.
   * @throws CacheError `INTERNAL` while something is appended that is neither committed nor reverted.
   */
  follow(frame: ForeignFrame, seenAtMs: number): void
  /**
   * What was appended up to this sequence stays: the streams emit it, and its inverse is forgotten. A note that was appended without
   * events is committed with the first event after it: the journal has to write them in one frame.
   */
  commit(sequence: number): void
  /**
   * What was appended after the last commit has not happened: entries, deadlines, tags, limits, answers and counters are as they were
   * then. What was read meanwhile stays counted, and the order of use is approximate.
   */
  revert(): void
  /** The rows as of the last commit, which changes and reverts that follow do not change. */
  freeze(): SnapshotSource
  /**
   * Forgets everything, uncommitted turns included: a snapshot that is ahead of this cache follows, through the receiver of the session.
   * It is complete at the next {@link follow}, whose frame may be empty. Until then reads see the state before; then the streams emit
   * one `resynced` change, as of the sequence before that frame.
   */
  reset(): void
}

/** Receives what a journal holds, in order. */
export interface JournalReceiver {
  /** A row of the snapshot, least recently used first. Returns false for a repeated key, which no snapshot has. */
  row(key: string, value: StoredValue, expiresAtMs: number, extension?: Extension): boolean
  /** A `set` event. Separate, and without an object for the event, because most events are of this type. */
  readonly set: (key: string, value: StoredValue, expiresAtMs: number, extension?: Extension) => void
  /** Any other event. `rows`: for a `loaded` event, the rows of the file that it names. */
  event(event: Exclude<CacheEvent, SetEvent>, rows?: ReceivedRows): void
  /** Makes the receiver for the rows of a loaded file, which is then passed with its event. */
  loadedRows(): ReceivedRows
  counters(counters: Readonly<Counters>): void
  /** The limits as of here, apart from those in a `limited` event. A new journal passes those of its session. */
  limits(limits: Limits): void
  /** A note of a snapshot, or of a frame whose events have been passed. */
  noted(note: Note): void
  /** Forgets everything: the journal was damaged, and what is kept of it follows from the beginning. */
  reset(): void
  /** The order of use that a close wrote here, as the bytes that {@link Journal.close} was given. */
  order(bytes: Uint8Array): void
  /** The same in a journal of version 1: each key in turn becomes the most recently used. */
  recency(keys: Iterable<string>): void
  /** Called a few hundred times in all, and at the end. */
  progress(doneBytes: number, totalBytes: number): void
}

/** Receives rows one by one, least recently used first, and keeps them until an event puts them in place. */
export interface ReceivedRows {
  /** Returns false for a repeated key, which no file has. */
  add(key: string, value: StoredValue, expiresAtMs: number, extension?: Extension): boolean | void
  readonly counters: Counters
}

/** How much of the past compaction keeps: as much as both limits allow. */
export interface Retention {
  /** Milliseconds. */
  readonly keepMs: number
  /** Of the files that only the past needs. */
  readonly bytes: number
}

/** Sizes above which a journal asks for compaction. */
export interface CompactionThresholds {
  /** The journal since the last snapshot has at least this many bytes. Default 64 MiB. */
  readonly journalBytes: number
  /** It also has at least this many times the bytes of that snapshot. Default 1. */
  readonly factor: number
  /** Bytes at which a new segment begins. Default 64 MiB. */
  readonly segmentBytes: number
}

/** Damage that a journal was opened in spite of. Nothing was deleted. */
export interface RecoveredDamage {
  /** The damaged file, where it was. */
  file: string
  /** Bytes from the start of the file to the first damaged frame. */
  offset: number
  /** The sequence expected there. */
  sequence: number
  reason: string
  /** The directory that now holds all files of the damaged journal. */
  movedTo: string
  /** The sequences of the changes that are lost; without `to` if nothing shows how many there were. */
  lost: { from: number; to?: number }
}

/** What a journal reports when it has been opened. */
export interface RecoveryReport {
  /** The snapshot that recovery began with. */
  snapshot: { file: string; sequence: number; entries: number } | undefined
  segments: number
  frames: number
  /** Events replayed after the snapshot. */
  events: number
  /** The sequence of the last event. The next event gets the one after it. */
  sequence: number
  bytes: number
  /** Milliseconds. */
  durationMs: number
  /** Whether the journal was closed cleanly. Then counters and the order of use are exact. */
  clean: boolean
  /** Bytes after the last sound frame that a crash left half written. They were moved to a `.broken` file. */
  setAside:
    | { file: string; offset: number; bytes: number; sequence: number; reason: string; savedAs: string }
    | undefined
  /** What `onCorruption` replaced by this journal. */
  damage: RecoveredDamage | undefined
  /** Entries evicted because the cache was opened with a `maxSize` or `maxBytes` that is smaller than before. */
  evicted: number
  /** Expired entries that were removed for the same reason. */
  expired: number
}

/** `stats().journal`. */
export interface JournalFigures {
  /** Of the last event appended. */
  sequence: number
  /** Of the last event that is known to be on disk. */
  durableSequence: number
  /** Bytes appended but not yet handed to the operating system. */
  pendingBytes: number
  /** Bytes in segments since the last snapshot. */
  bytes: number
  segments: number
  /** The sequence of the last snapshot; 0 without one. */
  snapshotSequence: number
  snapshotBytes: number
  /** The lowest sequence that one can look back to. */
  oldestSequence: number
  /** Since when it was the last one, epoch milliseconds: the earliest time that one can look back to. */
  oldestTimeMs: number
  /** Bytes of the files that are kept only to look back. */
  historyBytes: number
}

/**
 * Whether the journal accepts events. `'stalled'`: a write failed and is retried every second. `'failed'`: an fsync failed, and
 * the journal accepts nothing until it is reopened. `'following'`: another node writes; nothing is accepted, evicted or expired
 * here.
 */
export type JournalHealth =
  | { readonly status: 'writable' }
  | { readonly status: 'stalled' | 'failed'; readonly error: Error }
  | { readonly status: 'following'; readonly leader: string | undefined; readonly error: NotLeaderError }

/** The rows of a state at one moment, which do not change while they are read. */
export interface SnapshotSource {
  readonly count: number
  readonly counters: Readonly<Counters>
  /** For a snapshot. Those of its cache, if they are known. */
  readonly limits?: Limits | undefined
  /** For a snapshot: the answers that clients may still ask for. */
  readonly notes?: readonly Note[]
  read(): { key: string; value: StoredValue; expiresAtMs: number; extension?: Extension | undefined } | undefined
  release(): void
}

/** What `compact()` resolves with. */
export interface CompactionReport {
  file: string
  sequence: number
  entries: number
  bytes: number
  /** Files that the snapshot replaced. They were removed. */
  removed: string[]
  durationMs: number
}

/** How a cache asks its journal to compact. */
export interface CompactionRequest {
  /** Called at the moment whose state the snapshot keeps. */
  freeze(): SnapshotSource
  progress(done: number, total: number): void
  /** Aborts the compaction, so that nothing is changed. */
  readonly signal: AbortSignal
}

/** Where a cache keeps its events. To use your own, pass it as the option `journal`; it must pass `journalCases` of `daybook/testing`. */
export interface Journal {
  /**
   * Reserves the journal for this cache, passes everything that it holds to the receiver, and prepares to append.
   * @throws CacheLockedError if another cache has it open; CorruptionError if it is damaged; CacheError if it cannot be read.
   */
  open(session: JournalSession): Promise<RecoveryReport>
  /**
   * Accepts the events of one turn, all or none, and returns the sequence of the first. They are not written yet: they are
   * handed to the operating system before any `setImmediate` that is queued after this call runs, and are durable after
   * {@link flush}. `note` is kept in the same frame as the events. Without events it is written with the next frame, and lost if
   * there is none.
   * @throws JournalWriteError while nothing can be written; RangeError if the events are too large for one frame.
   */
  append(events: readonly CacheEvent[], note?: Note): number
  /**
   * The same for a `set` event without an extension, after the `evicted` event of a key if there is one, without event objects: for the
   * most frequent turns. Optional; `append` must do the same.
   */
  appendSet?(key: string, value: StoredValue, expiresAtMs: number, evicted?: string): number
  /** Resolves with the last durable sequence once everything appended before this call is on disk. */
  flush(): Promise<number>
  /** Writes a snapshot and removes the files that it replaces. */
  compact(request: CompactionRequest): Promise<CompactionReport>
  /**
   * Makes rows durable in a separate file. The caller then appends the `loaded` event that names it, and no compaction may run
   * in between.
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
   * Whether what is appended may be taken back until {@link Replica.commit}. Does not change. Such a journal is also followed: it calls
   * the other methods of {@link Replica}.
   */
  readonly isSpeculative?: boolean
  /**
   * Writes what is pending and a seal, forces them to disk, and releases the journal. If something cannot be written, rejects
   * with a JournalWriteError `JOURNAL_WRITE_FAILED` and stays open, with `force` not. After any other failure it rejects, too,
   * but is released. `order`: the order of use, if the journal would not restore it otherwise. It is kept with the seal.
   */
  close(order?: Uint8Array, options?: { force?: boolean }): Promise<void>
  /** The journal's directory, if it has one; for the actor's persisted snapshot. */
  readonly directory: string | undefined
}
