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
  /** Epoch milliseconds; `Infinity` for none. */
  readonly expiresAtMs: number
  /** A live entry keeps its own deadline. */
  readonly keepsDeadline?: boolean
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
  | ClearCommand
  | CleanupCommand
  | LimitCommand
