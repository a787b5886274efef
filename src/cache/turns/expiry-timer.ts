import type { Clock } from '../../core/model/clock.js'
import type { ReadableState } from '../../core/model/state.js'

/** What came of removing some of what has expired. `blocked`: nothing may be removed now; {@link ExpiryTimer.arm} goes on. */
export type Slice = 'more' | 'done' | 'blocked'

/** The time between two changes after which the clock may have been set forward. */
const JUMP_MS = 50

/**
 * One timer for all deadlines: armed for the first of them, moved forward when an earlier one comes, and left alone when
 * the first one goes (it then finds nothing due and is armed anew). Many entries that expire at once are removed in slices,
 * with the event loop running in between.
 *
 * The timer counts real time and deadlines are wall clock time. After the clock was set, what is left of the timer's delay is
 * wrong; so it is armed anew when the time of a change is not what the change before led one to expect.
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

  /** To be called whenever a deadline may have become the first. */
  arm(nowMs: number): void {
    const slot = this.#state.nextToExpire
    if (slot === undefined || this.#isStopped) return
    const deadlineMs = this.#state.deadlineAt(slot)
    const sinceMs = nowMs - this.#seenAtMs
    this.#seenAtMs = nowMs
    if (deadlineMs < this.#armedForMs || sinceMs < 0 || sinceMs > JUMP_MS) this.#armFor(deadlineMs, deadlineMs - nowMs)
  }

  stop(): void {
    this.#isStopped = true
    this.#clock.clearTimeout(this.#timer)
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
    else if (slice === 'done') this.arm(this.#clock.now())
  }
}
