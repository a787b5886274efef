import type { Clock } from '../core/model/clock.js'

/** The longest delay that Node's timers take; a longer one would fire at once. */
const DELAY_MS_MAX = 2 ** 31 - 1

interface Timer {
  timeout: NodeJS.Timeout
}

/** The real time. Its timers don't keep the process alive. */
export const systemClock: Clock = {
  now: Date.now,

  setTimeout(callback, delayMs) {
    const timer = {} as Timer
    const arm = (leftMs: number) => {
      const stepMs = Math.min(leftMs, DELAY_MS_MAX)
      timer.timeout = setTimeout(() => (leftMs > stepMs ? arm(leftMs - stepMs) : callback()), stepMs).unref()
    }
    arm(delayMs)
    return timer
  },

  clearTimeout(timer) {
    if (timer !== undefined) clearTimeout((timer as Timer).timeout)
  },
}
