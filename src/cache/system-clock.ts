/**
 * Real time. `systemClock` looks up `Date.now` and the global timers at each call, so that a test runner's fake timers control
 * the cache. `journalClock` has real timers in any case: a journal must continue to write while fake time stands still.
 */
import type { Clock } from '../core/model/clock.js'
import { outsideRequests } from '../durable/outside-requests.js'
import { realTimers, type Timers } from '../durable/storage/real-timers.js'

/** The longest delay that Node's timers support; a longer one would fire at once. */
const DELAY_MS_MAX = 2 ** 31 - 1

interface Timer {
  timeout: unknown
  /** Of those that it was armed with: fake timers know nothing of real ones. */
  clear: Timers['clear']
}

function createClock(timersNow: () => Timers): Clock {
  return {
    now: () => Date.now(),

    setTimeout(callback, delayMs, keepsAlive = false) {
      const timer: Timer = { timeout: undefined, clear: () => undefined }
      const arm = (leftMs: number) => {
        const { set, clear } = timersNow()
        const stepMs = Math.min(leftMs, DELAY_MS_MAX)
        timer.timeout = set(() => (leftMs > stepMs ? arm(leftMs - stepMs) : callback()), stepMs)
        timer.clear = clear
        // Other timers than Node's may be numbers.
        if (!keepsAlive) (timer.timeout as Partial<NodeJS.Timeout>).unref?.()
      }
      arm(delayMs)
      return timer
    },

    clearTimeout(timer) {
      if (timer === undefined) return
      const { clear, timeout } = timer as Timer
      clear(timeout)
    },
  }
}

export const systemClock = createClock(() => ({ set: setTimeout, clear: clearTimeout as Timers['clear'] }))

export const journalClock = createClock(() => realTimers)

/** The same clock, with timers that belong to no request and keep none in memory. */
export function armedOutside(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    setTimeout: (...parameters) => outsideRequests(() => clock.setTimeout(...parameters)),
    clearTimeout: (timer) => clock.clearTimeout(timer),
  }
}
