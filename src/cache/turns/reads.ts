/**
 * Reads, which are neither commands nor turns.
 *
 *   find ─► (expired: one turn removes it; a read-only cache only hides it) ─► value
 *
 * Values are returned in their stored form. Before: `door.ts` and `cache.ts`. After: `core/evolve`, for hits and misses.
 */
import { isExpired } from '../../core/decide/decide.js'
import { recordHit, recordMiss } from '../../core/evolve/evolve.js'
import type { State } from '../../core/evolve/state.js'
import type { Clock } from '../../core/model/clock.js'
import type { Slot } from '../../core/model/state.js'
import type { StoredValue } from '../../core/model/stored-value.js'
import { type CacheClosedError, JournalWriteError } from '../../errors.js'
import type { Cleanup } from './cleanup.js'
import type { Turns } from './turns.js'

export interface ReadsParts {
  state: State
  clock: Clock
  turns: Turns
  cleanup: Cleanup
  /** Why a read is refused when the cache is not open. */
  notOpen: () => CacheClosedError
}

/** Every method throws a CacheClosedError unless the cache is open. */
export class Reads {
  readonly #state: State
  readonly #clock: Clock
  readonly #turns: Turns
  readonly #cleanup: Cleanup
  readonly #notOpen: () => CacheClosedError

  constructor(parts: ReadsParts) {
    this.#state = parts.state
    this.#clock = parts.clock
    this.#turns = parts.turns
    this.#cleanup = parts.cleanup
    this.#notOpen = parts.notOpen
  }

  /** Counts a hit, which makes the entry the most recently used, or a miss. */
  get(key: string): StoredValue | undefined {
    const slot = this.#live(key)
    if (slot === undefined) {
      recordMiss(this.#state)
      return undefined
    }
    recordHit(this.#state, slot)
    return this.#state.valueAt(slot)
  }

  peek(key: string): StoredValue | undefined {
    const slot = this.#live(key)
    return slot === undefined ? undefined : this.#state.valueAt(slot)
  }

  has(key: string): boolean {
    return this.#live(key) !== undefined
  }

  /** Seconds left; `Infinity` without a deadline. */
  ttl(key: string): number | undefined {
    const nowMs = this.#clock.now()
    const slot = this.#live(key, nowMs)
    return slot === undefined ? undefined : (this.#state.deadlineAt(slot) - nowMs) / 1_000
  }

  /** Keys of live entries, least recently used first. Expired entries are removed before. */
  keys(matches: (key: string) => boolean): string[] {
    return this.#liveSlots(matches).map((slot) => this.#state.keyAt(slot))
  }

  /** The same with values. */
  entries(matches: (key: string) => boolean): [string, StoredValue][] {
    const state = this.#state
    return this.#liveSlots(matches).map((slot) => [state.keyAt(slot), state.valueAt(slot)])
  }

  /** Finds a live entry. The clock is read only if it has a deadline. */
  #live(key: string, nowMs?: number): Slot | undefined {
    const state = this.#state
    if (!state.isOpen || !state.isWhole) throw this.#notOpen()
    const slot = state.find(key)
    if (slot === undefined || state.deadlineAt(slot) === Number.POSITIVE_INFINITY) return slot
    return this.#unlessExpired(slot, nowMs ?? this.#clock.now())
  }

  #unlessExpired(slot: Slot, nowMs: number): Slot | undefined {
    if (!isExpired(this.#state, slot, nowMs)) return slot
    const key = this.#state.keyAt(slot)
    if (this.#turns.isWritable) this.#unlessRefused(() => this.#turns.record([{ type: 'expired', key }], nowMs))
    return undefined
  }

  #unlessRefused(remove: () => void): void {
    try {
      remove()
    } catch (error) {
      if (!(error instanceof JournalWriteError)) throw error
      // The journal has just become read-only: what has expired is hidden, and reads continue.
    }
  }

  #liveSlots(matches: (key: string) => boolean): Slot[] {
    const state = this.#state
    if (!state.isOpen || !state.isWhole) throw this.#notOpen()
    this.#unlessRefused(() => this.#cleanup.run())
    const nowMs = this.#clock.now()
    const slots: Slot[] = []
    const cursor = state.byEviction()
    for (let slot = cursor.next(); slot !== undefined; slot = cursor.next()) {
      if (!isExpired(state, slot, nowMs) && matches(state.keyAt(slot))) slots.push(slot)
    }
    return slots
  }
}
