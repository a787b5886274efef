/**
 * A history: what clients asked of a cluster and were answered, and what its log and its nodes said. The checkers judge it, and
 * know nothing of how a cache works.
 *
 * Every number that a step stores or adds is unique in its history, so that an event shows which step it came from. A key is either
 * only set or only incremented.
 */
import type { CacheEvent, LoadedEvent } from '../../../../src/core/model/event.js'
import type { Extension } from '../../../../src/core/model/extension.js'
import type { Note } from '../../../../src/core/model/note.js'

/** One change or read of a key, as a caller asks for it. */
export type Step =
  | { readonly do: 'get'; readonly key: string }
  | {
      readonly do: 'set'
      readonly key: string
      readonly value: number
      readonly only?: 'absent' | 'present'
      readonly ttlMs?: number
      /** How long it stays after its ttl. */
      readonly staleMs?: number
      readonly tags?: readonly string[]
    }
  | { readonly do: 'delete'; readonly key: string }
  | { readonly do: 'increment'; readonly key: string; readonly by: number }
  | { readonly do: 'clear' }
  | { readonly do: 'deleteTag' | 'expireTag'; readonly tag: string }
  /** A file with these rows. Alone in its call; its result is whether it was loaded. */
  | { readonly do: 'load'; readonly rows: Readonly<Record<string, number>> }

/** A call of one client. Its steps are one turn. The calls of a client are in the order in which it made them. */
export interface Call {
  readonly client: string
  readonly steps: readonly Step[]
  /** A moment: a number that no other call or answer of the history has. */
  readonly invokedAt: number
  /** Infinity if no answer came, or an error that does not say what happened: it may have taken effect, or still may. */
  returnedAt: number
  /** One for each step. */
  results?: readonly unknown[]
  /** The last position of the log when the answer came. */
  logAtReturn?: number
}

/** A call of `getOrSet`. What its loaders return is unique, too. */
export interface LoadCall {
  readonly client: string
  readonly key: string
  /** The last position of the log then. */
  readonly logAtCall: number
  /** What it returned, and the last position of the log then; missing without an answer. */
  value?: number
  logAtReturn?: number
}

/** A value that a loader has returned: of which key, and the term in which the loader was called. */
export interface LoadedValue {
  readonly key: string
  readonly epoch: number
}

/** An event of the log; a `loaded` one with the rows that it names. */
export type LoggedEvent =
  | Exclude<CacheEvent, LoadedEvent>
  | (LoadedEvent & { readonly rows: readonly (readonly [key: string, entry: LoggedEntry])[] })

export interface LoggedEntry {
  readonly value: unknown
  readonly expiresAtMs: number
  readonly extension?: Extension | undefined
}

/** A record of the log, decoded. */
export interface Written {
  readonly position: number
  readonly kind: 'begin' | 'term' | 'frame' | 'resign'
  readonly epoch: number
  readonly node: string
  /** Whether it counts for nothing: it was written in a term that had ended. */
  readonly isVoid: boolean
  /** Of the first event; in a frame without events, of the next one. */
  readonly firstSequence: number
  /** Epoch milliseconds, by the clock of the node that wrote it. */
  readonly timeMs: number
  readonly events: readonly LoggedEvent[]
  readonly notes: readonly Note[]
}

/** An item of `changes$` or `changesSince`, as far as it is compared. */
export interface Told {
  readonly type: string
  readonly sequence: number
  readonly key?: string
  readonly value?: unknown
  readonly expiresAtMs?: number
  readonly freshUntilMs?: number
  readonly tags?: readonly string[]
}

/** What one cache of a node told its subscriber, in order, from the first item after this sequence. */
export interface Stream {
  readonly node: string
  readonly after: number
  readonly items: readonly Told[]
}

/** What a node showed at one moment. */
export interface Sample {
  readonly node: string
  /** Of the last record that it has applied, and of the last event. */
  readonly position: number
  readonly sequence: number
  /** By its clock; the latest that it has ever shown, if it has been set back. */
  readonly nowMs: number
  readonly latestMs?: number
  /** Those that are fresh, and their tags. */
  readonly entries: ReadonlyMap<string, unknown>
  readonly tags?: ReadonlyMap<string, readonly string[]>
  /** By key that was read with `stale: true`: what was there; undefined for nothing. */
  readonly evenStale?: ReadonlyMap<string, unknown>
}
