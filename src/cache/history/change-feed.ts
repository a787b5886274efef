/**
 * The journal's changes after a sequence, and then every new one, at the consumer's pace. Before: `looking-back.ts`. After:
 * `durable/history/change-cursor`. What is not asked for is not read, so a slow consumer holds no memory.
 */
import type { Clock } from '../../core/model/clock.js'
import type { Sequence } from '../../core/model/sequence.js'
import type { StoredValue } from '../../core/model/stored-value.js'
import { ChangeCursor, type PastEvent } from '../../durable/history/change-cursor.js'
import type { FileJournal } from '../../durable/journal/file-journal.js'
import type { Storage } from '../../durable/storage/storage.js'
import { type PastChange, toPastChange } from './past-change.js'

export interface FeedSource {
  storage: Storage
  directory: string
  journal: FileJournal
  /** A timer of the journal's clock keeps the process alive while somebody waits. */
  journalClock: Clock
}

const LONG_MS = 24 * 3_600_000

const DONE = { done: true, value: undefined } as const

export class ChangeFeed<V> implements AsyncIterableIterator<PastChange<V>> {
  readonly #journal: FileJournal
  readonly #clock: Clock
  readonly #cursor: ChangeCursor
  readonly #restore: (stored: StoredValue) => unknown
  /** Read, but not given yet; the next one is at `#at`. */
  #portion: PastEvent[] = []
  #at = 0
  #isDone = false
  /** Ends the present wait. */
  #wake: (() => void) | undefined
  /** The last call of `next()`. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(source: FeedSource, after: Sequence, restore: (stored: StoredValue) => unknown) {
    this.#journal = source.journal
    this.#clock = source.journalClock
    this.#cursor = new ChangeCursor(source.storage, source.directory, after)
    this.#restore = restore
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Whether the next item is there without waiting. */
  get hasMore(): boolean {
    return this.#at < this.#portion.length
  }

  next(): Promise<IteratorResult<PastChange<V>, undefined>> {
    const next = this.#last.then(() => this.#next())
    this.#last = next.catch(() => undefined)
    return next
  }

  async #next(): Promise<IteratorResult<PastChange<V>, undefined>> {
    try {
      while (this.#at === this.#portion.length) {
        if (this.#isDone) return DONE
        const { isOpen, published } = this.#journal
        this.#portion = await this.#cursor.read(published)
        this.#at = 0
        if (this.#portion.length > 0) continue
        if (!isOpen) return this.return()
        await this.#beyond(published)
      }
      if (this.#isDone) return DONE
      return { done: false, value: toPastChange<V>(this.#portion[this.#at++] as PastEvent, this.#restore) }
    } catch (error) {
      this.#isDone = true
      throw error
    }
  }

  /** Waits until there is more, the journal is closed, or nobody wants more. */
  async #beyond(published: Sequence): Promise<void> {
    await new Promise<void>((resolve) => {
      const stop = this.#journal.onPublished(() => this.#wake?.())
      const timer = this.#clock.setTimeout(() => this.#wake?.(), LONG_MS, true)
      this.#wake = () => {
        this.#wake = undefined
        stop()
        this.#clock.clearTimeout(timer)
        resolve()
      }
      if (this.#isDone || this.#journal.published > published || !this.#journal.isOpen) this.#wake()
    })
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#isDone = true
    this.#portion = []
    this.#at = 0
    this.#wake?.()
    return DONE
  }
}
