import type { Clock } from '../../../core/model/clock.js'

export type Timers = Pick<Clock, 'setTimeout' | 'clearTimeout'>

/**
 * The time of a node's cache: its own, but never before the last frame of the log, so that no command is older than what it changes.
 */
export class ClusterClock implements Clock {
  readonly #clock: Clock
  readonly #timers: Timers
  #lastMs = Number.NEGATIVE_INFINITY

  /** `timers`: others than the clock's, for tests. */
  constructor(clock: Clock, timers: Timers = clock) {
    this.#clock = clock
    this.#timers = timers
  }

  readonly now = (): number => Math.max(this.#clock.now(), this.#lastMs)

  /** This node's own. */
  ownNow(): number {
    return this.#clock.now()
  }

  readonly setTimeout: Clock['setTimeout'] = (callback, delayMs, keepsAlive) =>
    this.#timers.setTimeout(callback, delayMs, keepsAlive)

  readonly clearTimeout: Clock['clearTimeout'] = (timer) => this.#timers.clearTimeout(timer)

  /** For a frame that is written now: none after it is written at an earlier time, though this node's clock is set back. */
  stamp(): number {
    const nowMs = this.now()
    this.saw(nowMs)
    return nowMs
  }

  /** A frame was written at this time. */
  saw(timeMs: number): void {
    if (timeMs > this.#lastMs) this.#lastMs = timeMs
  }
}
