/**
 * The owner's answers that wait for the disk, under `fsync: 'always'`: all who ask in one turn of the event loop, on whatever
 * line, share one fsync. (Under the other policies nobody waits.)
 */
import type { Door } from '../../../cache/door.js'

type AfterFlush = (failure: Error | undefined) => void

export class Durability {
  readonly #door: Door
  /** `fsync: 'always'`. */
  readonly isAwaited: boolean
  #waiting: AfterFlush[] = []
  #flushesUnderWay = 0

  constructor(door: Door) {
    this.#door = door
    this.isAwaited = door.isEverythingDurable
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
      this.#door.flush().then(
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
