/**
 * A clock that tests move, so that they need not wait for an entry to expire.
 */
import { type Duration, toMilliseconds } from '../cache/arguments/duration.js'
import type { Clock } from '../core/model/clock.js'
import { mustBe } from '../errors.js'

interface Timer {
  dueMs: number
  /** Timers that are due at the same time fire in the order in which they were set. */
  order: number
  callback: () => void
}

/** A clock that stands still until it is advanced: `openCache({ clock: new ManualClock() })`. */
export class ManualClock implements Clock {
  #nowMs: number
  #order = 0
  readonly #timers = new Set<Timer>()

  /** @param startMs Epoch milliseconds; the default is an arbitrary time in 2023. */
  constructor(startMs = 1_700_000_000_000) {
    checkMs(startMs, 'startMs')
    this.#nowMs = startMs
  }

  readonly now = (): number => this.#nowMs

  readonly setTimeout = (callback: () => void, delayMs: number): unknown => {
    const timer = { dueMs: this.#nowMs + (delayMs > 0 ? delayMs : 0), order: this.#order++, callback }
    this.#timers.add(timer)
    return timer
  }

  readonly clearTimeout = (timer: unknown): void => {
    this.#timers.delete(timer as Timer)
  }

  /**
   * Moves the time forward and fires every timer that becomes due, in order, including those set on the way; each sees the
   * time at which it was due. A bare number is in seconds.
   */
  advance(duration: Duration): void {
    const endMs = this.#nowMs + toMilliseconds(duration, 'duration')
    for (let timer = this.#nextDue(endMs); timer !== undefined; timer = this.#nextDue(endMs)) {
      this.#timers.delete(timer)
      this.#nowMs = Math.max(this.#nowMs, timer.dueMs)
      timer.callback()
    }
    this.#nowMs = Math.max(this.#nowMs, endMs) // a timer's callback may have advanced it further
  }

  /** Sets the wall clock forward, or back if `ms` is negative, as an administrator would: no timer fires. */
  jump(ms: number): void {
    checkMs(ms, 'ms')
    this.#nowMs += ms
    for (const timer of this.#timers) timer.dueMs += ms // the remaining delays stay the same
  }

  #nextDue(endMs: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.dueMs > endMs) continue
      if (next === undefined || timer.dueMs < next.dueMs || (timer.dueMs === next.dueMs && timer.order < next.order))
        next = timer
    }
    return next
  }
}

function checkMs(ms: unknown, name: string): void {
  if (typeof ms !== 'number' || !Number.isFinite(ms))
    throw new RangeError(mustBe(name, 'a finite number of milliseconds', ms))
}
