/**
 * The real time. `systemClock` asks for `Date.now` and the global timers at each call, so that the fake timers of a test runner
 * move the cache. `journalClock` keeps the timers that were there when this module was loaded: a journal must go on writing
 * while time stands still.
 *
 * Timers are armed outside the async context of whoever caused them: what fires later belongs to no request, and must not keep
 * one in memory.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { clearTimeout as realClearTimeout, setTimeout as realSetTimeout } from 'node:timers'
import type { Clock } from '../core/model/clock.js'

/** The longest delay that Node's timers take; a longer one would fire at once. */
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
