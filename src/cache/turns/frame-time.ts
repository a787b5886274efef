/**
 * The time of a cache whose journal has several writers: never before the last frame, from any node. So nothing expires, and no
 * deadline is set, by a clock that is behind that of an earlier leader. Before: `open.ts`. After: every part that reads the clock.
 */
import type { Clock } from '../../core/model/clock.js'

export class FrameTime {
  #lastMs = Number.NEGATIVE_INFINITY

  /** A frame was written at this time. */
  seen(timeMs: number): void {
    if (timeMs > this.#lastMs) this.#lastMs = timeMs
  }

  /** The same clock, whose time is never before the last frame. */
  over(clock: Clock): Clock {
    return {
      now: () => Math.max(clock.now(), this.#lastMs),
      setTimeout: (...parameters) => clock.setTimeout(...parameters),
      clearTimeout: (timer) => clock.clearTimeout(timer),
    }
  }
}
