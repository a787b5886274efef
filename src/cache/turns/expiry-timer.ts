import type { Clock } from '../../core/model/clock.js'
import type { ReadableState } from '../../core/model/state.js'

/** What came of removing some of what has expired. `blocked`: nothing may be removed now; {@link ExpiryTimer.arm} goes on. */
export type Slice = 'more' | 'done' | 'blocked'

/**
 * One timer for all deadlines: armed for the first of them, moved forward when an earlier one comes, and left alone when
 * the first one goes (it then finds nothing due and is armed anew). Many entries that expire at once are removed in slices,
 * with the event loop running in between.
 */
export class ExpiryTimer {
  readonly #clock: Clock
  readonly #state: ReadableState
  readonly #removeSlice: () => Slice
  #timer: unknown
  #armedForMs = Number.POSITIVE_INFINITY

  constructor(clock: Clock, state: ReadableState, removeSlice: () => Slice) {
    this.#clock = clock
    this.#state = state
    this.#removeSlice = removeSlice
  }

  /** To be called whenever a deadline may have become the first. */
  arm(): void {
    const slot = this.#state.nextToExpire
    if (slot === undefined) return
    const deadlineMs = this.#state.deadlineAt(slot)
    if (deadlineMs < this.#armedForMs) this.#armFor(deadlineMs, deadlineMs - this.#clock.now())
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer)
    this.#armedForMs = Number.NEGATIVE_INFINITY // nothing is earlier than that
  }

  #armFor(deadlineMs: number, delayMs: number): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#armedForMs = Number.POSITIVE_INFINITY // until the clock has taken it
    this.#timer = this.#clock.setTimeout(() => this.#fire(), Math.max(0, delayMs))
    this.#armedForMs = deadlineMs
  }

  #fire(): void {
    this.#timer = undefined
    this.#armedForMs = Number.POSITIVE_INFINITY
    const slice = this.#removeSlice()
    if (slice === 'more') this.#armFor(Number.NEGATIVE_INFINITY, 0)
    else if (slice === 'done') this.arm()
  }
}
