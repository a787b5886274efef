/** `hardTimeout`: how long a load may take. Before: `loads.ts`. */
import type { Clock } from '../../core/model/clock.js'

const NEVER = Number.POSITIVE_INFINITY

export class TimeLimit {
  readonly #clock: Clock
  readonly #onEnd: (limitMs: number) => void
  #deadlineMs = NEVER
  /** What {@link #deadlineMs} was computed from. */
  #limitMs = NEVER
  #timer: unknown
  /** Keeps the process alive while a call waits. */
  #aliveTimer: unknown
  #isOver = false

  /** `onEnd` is called when the time is up, unless the load has ended by then. */
  constructor(clock: Clock, onEnd: (limitMs: number) => void) {
    this.#clock = clock
    this.#onEnd = onEnd
  }

  /** The load may take this long from now, or less. */
  shorten(limitMs: number, isAwaited: boolean): void {
    if (limitMs === NEVER || this.#isOver) return
    const deadlineMs = this.#clock.now() + limitMs
    if (deadlineMs >= this.#deadlineMs) return
    this.#deadlineMs = deadlineMs
    this.#limitMs = limitMs
    this.#clock.clearTimeout(this.#timer)
    // Armed once, and never again for the rest of the time: the clock may be set in between.
    this.#timer = this.#clock.setTimeout(() => this.#onEnd(limitMs), limitMs)
    if (isAwaited) this.keepAlive()
  }

  /** A call waits. */
  keepAlive(): void {
    if (this.#timer === undefined || this.#aliveTimer !== undefined) return
    this.#aliveTimer = this.#clock.setTimeout(() => undefined, this.#limitMs, true)
  }

  /** No call waits any more. */
  letGo(): void {
    this.#clock.clearTimeout(this.#aliveTimer)
    this.#aliveTimer = undefined
  }

  /** The loader was in time. */
  end(): void {
    this.#isOver = true
    this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
