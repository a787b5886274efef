/** When what has expired is removed. Before: `turns.ts`, after a turn. After: `cleanup.ts`. */
import type { Clock } from '../../core/model/clock.js'
import type { ReadableState } from '../../core/model/state.js'

/** The result of removing one slice. `blocked`: nothing can be removed now; the next {@link ExpiryTimer.arm} resumes. */
export type Slice = 'more' | 'done' | 'blocked'

/** If two changes are further apart than this, the clock may have been set forward. */
const JUMP_MS = 50

/**
 * One timer for all deadlines. It is set for the earliest deadline and reset when an earlier one is added. When the earliest
 * one is removed the timer is left alone: it then finds nothing due and is set again. If many entries expire at once, they are
 * removed in slices, with the event loop running in between.
 *
 * The timer counts elapsed time, but deadlines are wall clock time. When the clock is set, the rest of the timer's delay is
 * wrong, so the timer is reset whenever the time of a change is before, or long after, that of the previous change.
 */
export class ExpiryTimer {
  readonly #clock: Clock
  readonly #state: ReadableState
  readonly #removeSlice: () => Slice
  #timer: unknown
  #armedForMs = Number.POSITIVE_INFINITY
  #seenAtMs = Number.NEGATIVE_INFINITY
  #isStopped = false

  constructor(clock: Clock, state: ReadableState, removeSlice: () => Slice) {
    this.#clock = clock
    this.#state = state
    this.#removeSlice = removeSlice
  }

  /** Call this whenever the earliest deadline may have changed. */
  arm(nowMs: number): void {
    const boundMs = this.#state.expiryBoundMs
    if (boundMs === Number.POSITIVE_INFINITY || this.#isStopped) return
    const sinceMs = nowMs - this.#seenAtMs
    this.#seenAtMs = nowMs
    if (boundMs < this.#armedForMs || sinceMs < 0 || sinceMs > JUMP_MS) this.#armFor(boundMs, boundMs - nowMs)
  }

  stop(): void {
    this.#isStopped = true
    this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#armedForMs = Number.POSITIVE_INFINITY
  }

  /** After {@link stop}: the next {@link arm} sets the timer again. */
  resume(): void {
    this.#isStopped = false
  }

  #armFor(deadlineMs: number, delayMs: number): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#armedForMs = Number.POSITIVE_INFINITY // in case the clock throws
    this.#timer = this.#clock.setTimeout(() => this.#fire(), Math.max(0, delayMs))
    this.#armedForMs = deadlineMs
  }

  #fire(): void {
    this.#timer = undefined
    this.#armedForMs = Number.POSITIVE_INFINITY
    const slice = this.#removeSlice()
    if (slice === 'more') this.#armFor(Number.NEGATIVE_INFINITY, 0)
    else if (slice === 'done') this.arm(this.#clock.now())
  }
}
