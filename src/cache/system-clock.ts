/**
 * Real time. `systemClock` looks up `Date.now` and the global timers at each call, so that a test runner's fake timers control
 * the cache. `journalClock` keeps the timers that existed when this module was loaded: a journal must continue to write while
 * fake time stands still.
 *
 * Timers are set outside the async context of the current call: a timer belongs to no request and must not keep one in memory.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { clearTimeout as realClearTimeout, setTimeout as realSetTimeout } from 'node:timers'
import type { Clock } from '../core/model/clock.js'

/** The longest delay that Node's timers support; a longer one would fire at once. */
const DELAY_MS_MAX = 2 ** 31 - 1

interface Timer {
  timeout: unknown
}

interface Timers {
  set(callback: () => void, delayMs: number): unknown
  clear(timeout: unknown): void
}

const outsideRequests = AsyncLocalStorage.snapshot()

function createClock(timers: Timers): Clock {
  return {
    now: () => Date.now(),

    setTimeout(callback, delayMs, keepsAlive = false) {
      const timer: Timer = { timeout: undefined }
      const arm = (leftMs: number) => {
        const stepMs = Math.min(leftMs, DELAY_MS_MAX)
        timer.timeout = timers.set(() => (leftMs > stepMs ? arm(leftMs - stepMs) : callback()), stepMs)
        // Fake timers may return a number.
        if (!keepsAlive) (timer.timeout as Partial<NodeJS.Timeout>).unref?.()
      }
      outsideRequests(arm, delayMs)
      return timer
    },

    clearTimeout(timer) {
      if (timer !== undefined) timers.clear((timer as Timer).timeout)
    },
  }
}

export const systemClock = createClock({
  set: (callback, delayMs) => setTimeout(callback, delayMs),
  clear: (timeout) => clearTimeout(timeout as NodeJS.Timeout),
})

const [setRealTimeout, clearRealTimeout] = [realSetTimeout, realClearTimeout]

export const journalClock = createClock({
  set: (callback, delayMs) => setRealTimeout(callback, delayMs),
  clear: (timeout) => clearRealTimeout(timeout as NodeJS.Timeout),
})
