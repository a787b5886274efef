/**
 * What a client of another process is sent leaves after the journal has been written (under `fsync: 'always'`, forced to disk), so
 * that it never sees what the death of the owner could take back. All messages of one turn of the event loop wait together, for
 * one write. Before: sender. After: the line.
 */
import type { Door } from '../../../cache/door/door.js'
import { queueTask } from '../../../durable/storage/event-loop.js'
import { JournalWriteError, reasonOf } from '../../../errors.js'

type Pass = (failure: Error | undefined) => void

export class WriteGate {
  readonly #door: Door
  #waiting: Pass[] = []
  #passing = 0

  constructor(door: Door) {
    this.#door = door
  }

  /** Calls back, in the order of these calls, when every change so far is written, or could not be. */
  pass(callback: Pass): void {
    if (!this.#door.isEverythingDurable) {
      this.#passing++
      // A task of its own: one that was queued before may come before the write that the journal has queued since.
      queueTask(() => {
        this.#passing--
        callback(notWritten(this.#door.writeFailure))
      })
      return
    }
    this.#waiting.push(callback)
    if (this.#waiting.length === 1) queueTask(() => this.#flush())
  }

  /** A flush also waits for a write that is queued. */
  #flush(): void {
    const callbacks = this.#waiting
    this.#waiting = []
    this.#passing++
    const settle = (failure?: Error) => {
      this.#passing--
      for (const callback of callbacks) callback(failure)
    }
    this.#door.flush().then(
      () => settle(),
      (error: Error) => settle(error),
    )
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#waiting.length > 0 || this.#passing > 0)
      await new Promise<void>((resolve) => this.pass(() => resolve()))
  }
}

function notWritten(cause: Error | undefined): JournalWriteError | undefined {
  return (
    cause &&
    new JournalWriteError('JOURNAL_WRITE_FAILED', `The change could not be written (${reasonOf(cause)})`, {
      consequence: 'It stays pending, and takes effect unless the owner of the cache ends before. Reads still work.',
      cause,
    })
  )
}
