/**
 * The time of a simulation: a clock that jumps from timer to timer, and between two of them the event loop turns until nothing happens
 * any more. So a history of many seconds takes milliseconds, and the same seed gives the same history.
 */
import type { Clock } from '../../../src/testing.js'
import { loopTurn } from '../loop-turn.js'

interface Timer {
  readonly dueMs: number
  readonly order: number
  readonly callback: () => void
}

/** A chain of immediates that arms no timer is shorter. */
const QUIET_TURNS = 4

export class SimulatedTime implements Clock {
  #nowMs = 1_700_000_000_000
  readonly #timers = new Set<Timer>()
  #order = 0
  #activity = 0

  readonly now = (): number => this.#nowMs

  readonly setTimeout = (callback: () => void, delayMs: number): unknown => {
    this.stir()
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, callback }
    this.#timers.add(timer)
    return timer
  }

  readonly clearTimeout = (timer: unknown): void => {
    this.#timers.delete(timer as Timer)
  }

  /** Something has happened: the event loop turns on before time does. */
  stir(): void {
    this.#activity++
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
      const before = this.#activity
      await loopTurn()
      if (this.#activity !== before) quiet = -1
    }
  }

  /** Lets time pass; less if a condition holds before. Resolves with whether it does. */
  async pass(ms: number, until: () => boolean = () => false): Promise<boolean> {
    const endMs = this.#nowMs + ms
    await this.settle()
    while (!until()) {
      const timer = this.#next(endMs)
      if (timer === undefined) {
        this.#nowMs = endMs
        return false
      }
      this.#nowMs = Math.max(this.#nowMs, timer.dueMs)
      for (let due: Timer | undefined = timer; due !== undefined; due = this.#next(this.#nowMs)) {
        this.#timers.delete(due)
        due.callback()
      }
      await this.settle()
    }
    return true
  }

  #next(endMs: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.dueMs > endMs) continue
      if (next === undefined || timer.dueMs < next.dueMs || (timer.dueMs === next.dueMs && timer.order < next.order))
        next = timer
    }
    return next
  }
}
