/**
 * What a cluster requires of an engine: records in one order, each appended directly behind a known position. `MemoryLog`
 * (`daybook/testing`) and `NatsLog` (`daybook/nats`) implement it. Every log must pass the cases for logs that `daybook/testing`
 * exports.
 */

import type { Clock } from '../../core/model/clock.js'
import type { CacheError } from '../../errors.js'

/** Opens the log of a cache for one node. `clock`: where the log's time comes from, if not from the system. */
export type Engine = ((name: string, node: string) => Log) & { readonly clock?: Clock | undefined }

/** Dense: behind n comes n + 1. 0 is the position before the first record. */
export type Position = number

export interface LogRecord {
  readonly kind: 'begin' | 'term' | 'frame' | 'resign'
  /** The term in which it was written. */
  readonly epoch: number
  /** The node that wrote it. */
  readonly node: string
  readonly body: Uint8Array
}

/** The record was not appended, and never will be: when it arrived, `after` was not the last position. */
export class LogConflict extends Error {
  override readonly name = 'LogConflict'
}

/** The request reached nobody: no node serves the address. It was not handled and never will be. */
export class UnservedError extends Error {
  override readonly name = 'UnservedError'
}

/** An object is missing, or is not what was written. Reading it again does not help. */
export class DamagedObjectError extends Error {
  override readonly name = 'DamagedObjectError'
}

/** Receives the records of a log. */
export interface LogFollower {
  take(record: LogRecord, at: Position): void
  /** The next record is no longer in the log: a snapshot has to be read. Nothing follows. */
  gap(): void
}

export interface Log {
  /** The largest body of a record, and of a message. Valid once `open` has resolved. */
  readonly bodyBytesMax: number
  /**
   * Connects to the engine, and makes what is missing. The oldest and the newest record; `last` is 0 and `first` is 1 in an empty
   * log. Everything else is called after it has resolved.
   */
  open(): Promise<{ first: Position; last: Position }>
  /**
   * Appends a record directly behind `after`, or not at all, and resolves with its position. Calls may overlap, each behind the
   * position that the previous one is to have; if one of them fails, so do those behind it, unless it lands later. Every call ends
   * within some seconds. The body is copied.
   * @throws LogConflict if it is not appended and never will be. Any other error: unknown; it may be in the log, or come later.
   */
  append(record: LogRecord, after: Position): Promise<Position>
  /**
   * Passes every record from `from` on, those to come included, in order and without a gap: never during the call itself, and
   * nothing after `stop`. A follower that throws is an error of the process.
   */
  follow(from: Position, to: LogFollower): { stop(): void }
  /**
   * The record at this position as a new node would read it; undefined if it has been trimmed. Missing from an engine that never passes
   * different records to different followers.
   */
  read?(at: Position): Promise<LogRecord | undefined>
  /** Removes the records up to this one. Never the last one. */
  trim(upTo: Position): Promise<void>
  readonly snapshots: SnapshotStore
  readonly wire: Wire
  /** Ends what goes on: followers and servers stop, and calls that wait reject. */
  close(): Promise<void>
  /**
   * Why the engine does not do what it is asked, if it has said so lately: a permission is missing, for example. A call that finds no
   * leader in time is rejected with it as the `cause`.
   */
  readonly obstacle?: CacheError | undefined
}

/** Which snapshot to begin with. */
export interface SnapshotPointer {
  readonly name: string
  /** The last record that it contains. */
  readonly position: Position
  /** The snapshot before it, which is kept until the next one is pointed to. */
  readonly previous?: { readonly name: string; readonly position: Position } | undefined
}

/** Objects beside the log: snapshots, and what is too large for a record. */
export interface SnapshotStore {
  /** The pointer, and its revision for {@link SnapshotStore.point}; revision 0 without one. */
  latest(): Promise<{ readonly pointer: SnapshotPointer | undefined; readonly revision: number }>
  /** Stores an object under a name that none has had. It is there as a whole or not at all. */
  write(name: string, chunks: AsyncIterable<Uint8Array>): Promise<void>
  /** Sets the pointer if its revision is still this one; resolves with whether it was. */
  point(pointer: SnapshotPointer, revision: number): Promise<boolean>
  /**
   * The object in chunks.
   * @throws DamagedObjectError if it is missing or damaged, at the latest after the last chunk. Any other error: the engine does not
   * answer now.
   */
  read(name: string): AsyncIterable<Uint8Array>
  /** Removes the object, if there is one. */
  remove(name: string): Promise<void>
  /** The names of all objects, to remove what no record and no pointer names. */
  names(): Promise<readonly string[]>
  /**
   * The names of what a writer has begun and not finished, dead or alive; {@link SnapshotStore.remove} removes it. Missing from an engine in
   * which a dead writer leaves nothing behind.
   */
  unfinished?(): Promise<readonly string[]>
}

/**
 * Messages between nodes. An answer or an error, nothing else is promised: the log says what has happened. Other nodes learn a
 * little later that an address is served, or no longer.
 */
export interface Wire {
  /**
   * Resolves with what the handler's promise did.
   * @throws UnservedError if nobody serves the address. Any other error, within some seconds: no answer came, or the handler's
   * promise rejected; it may have been handled.
   */
  request(address: string, body: Uint8Array): Promise<Uint8Array>
  /** An address is served by one node at a time. A message may be handled twice. */
  serve(address: string, handle: (body: Uint8Array) => Promise<Uint8Array>): { stop(): void }
  /** To whoever serves the address; lost without notice if nobody does. */
  cast(address: string, body: Uint8Array): void
}
