/**
 * Removes expired entries in slices, each of them one turn: on demand, and for the timers. Before: `cache.ts`, the timers. After:
 * `core/decide` and `turns.ts`.
 */
import { decide } from '../../core/decide/decide.js'
import type { State } from '../../core/evolve/state.js'
import type { Clock } from '../../core/model/clock.js'
import { hasExpired } from '../../core/model/expiry.js'
import type { Slice } from './expiry-timer.js'
import type { Turns } from './turns.js'

/** Entries in one slice: one or two milliseconds of work. */
export const SLICE_ENTRIES = 1_000

export class Cleanup {
  readonly #state: State
  readonly #clock: Clock
  readonly #turns: Turns

  constructor({ state, clock, turns }: { state: State; clock: Clock; turns: Turns }) {
    this.#state = state
    this.#clock = clock
    this.#turns = turns
  }

  /** Removes all expired entries. Returns how many were removed. */
  run(): number {
    if (!this.#turns.isWritable) return 0
    let removed = 0
    for (;;) {
      const { count, isLast } = this.#removeSlice()
      removed += count
      if (isLast) return removed
    }
  }

  /** Removes one slice, for a timer. If the journal refuses it, nothing is removed, and the next cleanup tries again. */
  runSlice(): Slice {
    if (!this.#turns.isWritable || !this.#state.isWhole) return 'blocked'
    try {
      return this.#removeSlice().isLast ? 'done' : 'more'
    } catch {
      return 'blocked'
    }
  }

  /** Removes fewer entries than `limit` if that many do not fit in one frame (long keys). */
  #removeSlice(limit = SLICE_ENTRIES): { count: number; isLast: boolean } {
    const nowMs = this.#clock.now()
    const events = decide(this.#state, { type: 'cleanup', limit, nowMs })
    try {
      if (events.length > 0) this.#turns.record(events, nowMs)
    } catch (error) {
      if (!(error instanceof RangeError) || limit === 1) throw error
      return this.#removeSlice(Math.ceil(limit / 2))
    }
    return { count: events.length, isLast: !hasExpired(this.#state.expiryBoundMs, nowMs) }
  }
}
