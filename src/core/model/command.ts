/**
 * What a caller asks to be changed. Before: `cache/` makes it from a method call. After: `decide/`.
 *
 * A command carries the time (`nowMs`, epoch milliseconds), so that deciding never reads a clock. Its arguments have been
 * checked. A read is not a command.
 */
import type { Limits } from './limits.js'
import type { StoredValue } from './stored-value.js'

export interface KeyCommand {
  readonly type: 'delete' | 'persist'
  readonly key: string
  readonly nowMs: number
}

export interface SetCommand {
  readonly type: 'set'
  readonly key: string
  readonly value: StoredValue
  /** When the ttl ends, epoch milliseconds; `Infinity` for never. */
  readonly expiresAtMs: number
  /** A live entry keeps its own deadline, and its own time of being stale unless {@link staleMs} is given. */
  readonly keepsDeadline?: boolean
  /** How long the entry stays after its ttl, stale. */
  readonly staleMs?: number | undefined
  /** Each once. */
  readonly tags?: readonly string[] | undefined
  readonly only: 'absent' | 'present' | undefined
  readonly nowMs: number
}

export interface IncrementCommand {
  readonly type: 'increment'
  readonly key: string
  readonly by: number
  /** The deadline of a new entry. An existing entry keeps its own. */
  readonly expiresAtMs: number
  readonly nowMs: number
}

export interface ExpireCommand {
  readonly type: 'expire'
  readonly key: string
  readonly expiresAtMs: number
  readonly nowMs: number
}

/** Deletes the entries that have one of the tags, or makes those stale that can become stale, and deletes the others. */
export interface TagCommand {
  readonly type: 'deleteTag' | 'expireTag'
  readonly tags: readonly string[]
  /** Only entries whose keys begin with this; `''` for all. */
  readonly prefix: string
  readonly nowMs: number
}

export interface ClearCommand {
  readonly type: 'clear'
  readonly nowMs: number
}

/** Removes entries that have expired: at most `limit`, and fewer if some of those it looks at have not. */
export interface CleanupCommand {
  readonly type: 'cleanup'
  readonly limit: number
  readonly nowMs: number
}

/**
 * New limits. Entries that exceed them are removed: at most `atMost`. If that is not enough for all of them, the limits stay
 * as they are, so that a cache never exceeds its limits.
 */
export interface LimitCommand extends Limits {
  readonly type: 'limit'
  readonly atMost: number
  readonly nowMs: number
}

export type Command =
  | KeyCommand
  | SetCommand
  | IncrementCommand
  | ExpireCommand
  | TagCommand
  | ClearCommand
  | CleanupCommand
  | LimitCommand
