/**
 * The owner's answers that wait for the disk, under `fsync: 'always'`: all who ask in one turn of the event loop, on whatever
 * line, share one fsync. (Under the other policies nobody waits.)
 */
import type { Inner } from './inner.js'

type AfterFlush = (failure: Error | undefined) => void

export class Durability {
  readonly #inner: Inner
  /** `fsync: 'always'`. */
  readonly isAwaited: boolean
  #waiting: AfterFlush[] = []
  #flushesUnderWay = 0

  constructor(inner: Inner, isAwaited: boolean) {
    this.#inner = inner
    this.isAwaited = isAwaited
  }

  /** Calls back when everything done until now is on disk, or cannot be. */
  whenDurable(callback: AfterFlush): void {
    this.#waiting.push(callback)
    if (this.#waiting.length > 1) return
    setImmediate(() => {
      const callbacks = this.#waiting
      this.#waiting = []
      this.#flushesUnderWay++
      const settle = (failure: Error | undefined) => {
        this.#flushesUnderWay--
        for (const callback of callbacks) callback(failure)
      }
      this.#inner.flush().then(
        () => settle(undefined),
        (error: Error) => settle(error),
      )
    })
  }

  /** Runs a task when nobody waits for the disk any more. */
  whenIdle(task: () => void): void {
    if (this.#waiting.length === 0 && this.#flushesUnderWay === 0) task()
    else this.whenDurable(() => queueMicrotask(task))
  }
}
