/**
 * `daybook/testing`: a clock that stands still until a test moves it, so that nothing waits to see something expire.
 */
import { type Duration, toMilliseconds } from './cache/duration.js'
import type { Clock } from './core/model/clock.js'

export type { Duration } from './cache/duration.js'
export type { Clock } from './core/model/clock.js'

interface Timer {
  dueMs: number
  /** Timers that fall due together fire in the order in which they were armed. */
  order: number
  callback: () => void
}

/** Time that moves by hand. Give it to `openCache({ clock })`. */
export class ManualClock implements Clock {
  #nowMs: number
  #order = 0
  readonly #timers = new Set<Timer>()

  /** `startMs`: epoch milliseconds; the default is an arbitrary moment in 2023. */
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
   * Moves the time forward and fires every timer that falls due, in order, those armed on the way too; each sees the time
   * at which it was due. A bare number is seconds.
   */
  advance(duration: Duration): void {
    const endMs = this.#nowMs + toMilliseconds(duration, 'duration')
    for (let timer = this.#nextDue(endMs); timer !== undefined; timer = this.#nextDue(endMs)) {
      this.#timers.delete(timer)
      this.#nowMs = Math.max(this.#nowMs, timer.dueMs)
      timer.callback()
    }
    this.#nowMs = Math.max(this.#nowMs, endMs) // a timer may have advanced it further
  }

  /** Sets the wall clock forward or back by `ms` milliseconds, as an administrator would: no timer fires. */
  jump(ms: number): void {
    checkMs(ms, 'ms')
    this.#nowMs += ms
    for (const timer of this.#timers) timer.dueMs += ms // what is left of each delay stays
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
    throw new RangeError(
      `${name} must be a finite number of milliseconds; ${String(ms)} is not. The clock stands as it stood.`,
    )
}
