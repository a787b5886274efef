import type { Clock } from '../../src/core/model/clock.js'
import { type Duration, ManualClock } from '../../src/testing.js'

/** Timers that one test may arm. With more, something re-arms a timer endlessly, and the test fails instead of hanging. */
const ARMED_MAX = 100_000

/** A manual clock that knows which timers are armed, and how many ever were. */
export class CountingClock implements Clock {
  readonly #clock: ManualClock
  readonly #armed = new Set<unknown>()
  /** Timers ever armed. */
  total = 0
  /** The delays of all timers ever armed, in order. */
  readonly delaysMs: number[] = []
  /** The largest number of timers armed at the same time. */
  peak = 0
  #isEndless = false

  constructor(startMs?: number) {
    this.#clock = new ManualClock(startMs)
  }

  /** Timers armed now. */
  get armed(): number {
    return this.#armed.size
  }

  now = (): number => this.#clock.now()

  setTimeout = (callback: () => void, delayMs: number): unknown => {
    if (this.#isEndless) return undefined // the test has failed by then
    if (++this.total > ARMED_MAX) {
      this.#isEndless = true
      throw new Error(`More than ${ARMED_MAX} timers were armed: something re-arms a timer endlessly.`)
    }
    this.delaysMs.push(delayMs)
    const timer = this.#clock.setTimeout(() => {
      this.#armed.delete(timer)
      callback()
    }, delayMs)
    this.#armed.add(timer)
    this.peak = Math.max(this.peak, this.#armed.size)
    return timer
  }

  clearTimeout = (timer: unknown): void => {
    this.#armed.delete(timer)
    this.#clock.clearTimeout(timer)
  }

  advance(duration: Duration): void {
    this.#clock.advance(duration)
  }

  jump(ms: number): void {
    this.#clock.jump(ms)
  }
}
