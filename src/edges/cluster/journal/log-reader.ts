/**
 * Follows a log from one position on and handles its records one by one, in order: while one takes long (an object has to be read), those
 * after it wait. Before: the log. After: replicated-journal.
 */
import type { Log, LogRecord, Position } from '../log.js'
import { unsealed } from './sealed-record.js'

export interface RecordHandler {
  /** Returns a promise only if the next record must wait for it. */
  take(record: LogRecord, at: Position): void | Promise<void>
  /** The next record is gone. */
  gap(): void
  /** A record is damaged, could not be handled, or is not the next one. Nothing follows. */
  failed(error: unknown): void
}

export class LogReader {
  readonly #handler: RecordHandler
  readonly #waiting: [LogRecord, Position][] = []
  #next: Position
  #isBusy = false
  #isGap = false
  #isStopped = false
  #following: { stop(): void } | undefined

  constructor(log: Log, from: Position, handler: RecordHandler) {
    this.#handler = handler
    this.#next = from
    this.#following = log.follow(from, { take: (record, at) => this.#take(record, at), gap: () => this.#gap() })
    if (this.#isStopped) this.#following.stop()
  }

  /** Whether every record that has arrived has been handled. */
  get isIdle(): boolean {
    return !this.#isBusy
  }

  stop(): void {
    this.#isStopped = true
    this.#waiting.length = 0
    this.#following?.stop()
  }

  #take(record: LogRecord, at: Position): void {
    if (this.#isStopped || this.#isGap) return
    if (at !== this.#next) {
      this.#fail(new Error(`The log passed record ${at} after ${this.#next - 1}`))
      return
    }
    this.#next++
    if (this.#isBusy) this.#waiting.push([record, at])
    else this.#handle(record, at)
  }

  #handle(record: LogRecord, at: Position): void {
    this.#isBusy = true
    try {
      const pending = this.#handler.take(unsealed(record, at), at)
      if (pending === undefined) this.#isBusy = false
      else
        pending.then(
          () => this.#goOn(),
          (error) => this.#fail(error),
        )
    } catch (error) {
      this.#fail(error)
    }
  }

  #goOn(): void {
    this.#isBusy = false
    while (!this.#isBusy && !this.#isStopped) {
      const next = this.#waiting.shift()
      if (next === undefined) break
      this.#handle(...next)
    }
    if (this.#isGap && !this.#isBusy && !this.#isStopped) this.#handler.gap()
  }

  #gap(): void {
    if (this.#isStopped || this.#isGap) return
    this.#isGap = true
    if (!this.#isBusy) this.#handler.gap()
  }

  #fail(error: unknown): void {
    if (this.#isStopped) return
    this.stop()
    this.#handler.failed(error)
  }
}
