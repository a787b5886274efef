/**
 * What happened: already decided, in the past tense, in facts. Commands ask, events tell: a `set` event says when the
 * entry expires and not for how long it was meant to live; an increment is a `set` event with the value that came out.
 *
 * Events are what the journal keeps and what {@link evolve} turns into state, live and in recovery.
 */
import type { StoredValue } from './stored-value.js'

export interface SetEvent {
  readonly type: 'set'
  readonly key: string
  readonly value: StoredValue
  /** Epoch milliseconds; `Infinity` without a deadline. */
  readonly expiresAtMs: number
}

/** An entry is gone: asked for, past its deadline, or to make room. */
export interface RemovedEvent {
  readonly type: 'deleted' | 'expired' | 'evicted'
  readonly key: string
}

/** `expire` and `persist`: another deadline, the same value and place in the recency order. */
export interface RescheduledEvent {
  readonly type: 'rescheduled'
  readonly key: string
  readonly expiresAtMs: number
}

export interface ClearedEvent {
  readonly type: 'cleared'
}

/** Everything was replaced by what one file held. The file lies beside the journal and was durable before this event. */
export interface LoadedEvent {
  readonly type: 'loaded'
  /** The file's name in the journal's directory. */
  readonly file: string
  /** The checksum of the file's last frame, which chains all of them. */
  readonly checksum: number
  readonly entries: number
}

/** Any event of the journal. */
export type CacheEvent = SetEvent | RemovedEvent | RescheduledEvent | ClearedEvent | LoadedEvent
