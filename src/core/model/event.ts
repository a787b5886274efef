/**
 * What happened, as facts. Commands ask, events tell: a `set` event says when the entry expires, not how long it was to live;
 * an increment is a `set` event with the resulting value.
 *
 * The journal keeps events, and `evolve` applies them to the state, live and in recovery.
 */
import type { Extension } from './extension.js'
import type { Limits } from './limits.js'
import type { StoredValue } from './stored-value.js'

export interface SetEvent {
  readonly type: 'set'
  readonly key: string
  readonly value: StoredValue
  /** Epoch milliseconds; `Infinity` without a deadline. */
  readonly expiresAtMs: number
  /** Missing for an entry that never becomes stale and has no tags. */
  readonly extension?: Extension
}

/** An entry was removed: on request, because its deadline has passed, or to make room. */
export interface RemovedEvent {
  readonly type: 'deleted' | 'expired' | 'evicted'
  readonly key: string
}

/** `expire`, `persist` and `expireTag`: a new deadline, the same value, the same tags and the same place in the order of use. */
export interface RescheduledEvent {
  readonly type: 'rescheduled'
  readonly key: string
  readonly expiresAtMs: number
  /** From then until its deadline the entry is stale, epoch milliseconds; missing if it never is. */
  readonly freshUntilMs?: number
}

export interface ClearedEvent {
  readonly type: 'cleared'
}

/** All entries were replaced by those of a file, which lies beside the journal and was durable before this event. */
export interface LoadedEvent {
  readonly type: 'loaded'
  /** The file's name in the journal's directory. */
  readonly file: string
  /** The checksum of the file's last frame, which chains all of them. */
  readonly checksum: number
  readonly entries: number
}

/** The cache has new limits. Entries that exceed them are removed by events of their own. */
export interface LimitedEvent extends Limits {
  readonly type: 'limited'
}

/** Any event of the journal. */
export type CacheEvent = SetEvent | RemovedEvent | RescheduledEvent | ClearedEvent | LoadedEvent | LimitedEvent

/** A `set` event, after the eviction of the entry `evicted` if there is one. */
export function setEvents(
  key: string,
  value: StoredValue,
  expiresAtMs: number,
  evicted: string | undefined,
): CacheEvent[] {
  const set: CacheEvent = { type: 'set', key, value, expiresAtMs }
  return evicted === undefined ? [set] : [{ type: 'evicted', key: evicted }, set]
}
