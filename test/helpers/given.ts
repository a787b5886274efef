import type { ExecutionContext } from 'ava'
import { decide } from '../../src/core/decide/decide.js'
import type { EvictionPolicy } from '../../src/core/evolve/eviction/policy.js'
import { evolve } from '../../src/core/evolve/evolve.js'
import { State } from '../../src/core/evolve/state.js'
import type { Command, SetCommand } from '../../src/core/model/command.js'
import type { CacheEvent } from '../../src/core/model/event.js'
import type { StoredValue } from '../../src/core/model/stored-value.js'

/** When these specifications start, epoch milliseconds. */
export const T0 = 1_000_000

export interface Limits {
  maxSize?: number
  maxBytes?: number
  entriesMax?: number
  eviction?: EvictionPolicy
}

/** Here a key, a tag or a string weighs its characters, and anything else 8. */
function weigh(key: string, value: StoredValue, tags: readonly string[] = []): number {
  return key.length + (typeof value === 'string' ? value.length : 8) + tags.join('').length
}

export function stateOf(events: readonly CacheEvent[], limits: Limits = {}): State {
  const { maxSize = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY, entriesMax, eviction } = limits
  const state = new State({ maxSize, maxBytes, entriesMax, eviction, weigh })
  state.startEvicting()
  for (const event of events) evolve(state, event)
  return state
}

/** `given(events).when(command).then(events)`, the specification of a decision. */
export function given(events: readonly CacheEvent[], limits?: Limits) {
  const state = stateOf(events, limits)
  const decided = (command: Command): CacheEvent[] => decide(state, command)
  return {
    when: (command: Command) => ({
      // biome-ignore lint/suspicious/noThenProperty: it reads as given, when, then, and is not awaited
      then: (t: ExecutionContext, ...expected: CacheEvent[]) => t.deepEqual(decided(command), expected),
      throws: (t: ExecutionContext, name: string, message: RegExp) =>
        t.throws(() => decided(command), { name, message }),
    }),
  }
}

export const NEVER = Number.POSITIVE_INFINITY

export function wasSet(key: string, value: StoredValue = 1, expiresAtMs = NEVER): CacheEvent {
  return { type: 'set', key, value, expiresAtMs }
}

/** A `set` of an entry that becomes stale, or has tags. */
export function wasExtended(key: string, expiresAtMs: number, freshUntilMs: number, tags: string[] = []): CacheEvent {
  return { type: 'set', key, value: 1, expiresAtMs, extension: { freshUntilMs, tags } }
}

export function toSet(
  key: string,
  value: StoredValue = 1,
  more: Partial<Omit<SetCommand, 'type' | 'key' | 'value'>> = {},
): Command {
  return { type: 'set', key, value, expiresAtMs: NEVER, only: undefined, nowMs: T0, ...more }
}

export function toIncrement(key: string, by = 1, more: { expiresAtMs?: number; nowMs?: number } = {}): Command {
  return { type: 'increment', key, by, expiresAtMs: more.expiresAtMs ?? NEVER, nowMs: more.nowMs ?? T0 }
}

export function to(type: 'delete' | 'persist', key: string, nowMs = T0): Command {
  return { type, key, nowMs }
}
