/**
 * Answers that wait for the disk, under `fsync: 'always'`: all that are pending in one turn of the event loop, on any line,
 * share one fsync. (Under the other policies no answer waits.)
 */

import type { Door } from '../../../cache/door/door.js'
import { queueMicrotask, queueTask } from '../../../durable/storage/event-loop.js'

type AfterFlush = (failure: Error | undefined) => void

export class DurableAnswers {
  readonly #door: Door
  /** `fsync: 'always'`. */
  readonly isAwaited: boolean
  #waiting: AfterFlush[] = []
  #flushesUnderWay = 0

  constructor(door: Door) {
    this.#door = door
    this.isAwaited = door.isEverythingDurable
  }

  /** Calls back when every change so far is on disk, or the flush has failed. */
  whenDurable(callback: AfterFlush): void {
    this.#waiting.push(callback)
    if (this.#waiting.length > 1) return
    queueTask(() => {
      const callbacks = this.#waiting
      this.#waiting = []
      this.#flushesUnderWay++
      const settle = (failure: Error | undefined) => {
        this.#flushesUnderWay--
        for (const callback of callbacks) callback(failure)
      }
      this.#door.flush().then(
        () => settle(undefined),
        (error: Error) => settle(error),
      )
    })
  }

  /** Runs a task when no answer waits for the disk any more. */
  whenIdle(task: () => void): void {
    if (this.#waiting.length === 0 && this.#flushesUnderWay === 0) task()
    else this.whenDurable(() => queueMicrotask(task))
  }
}
