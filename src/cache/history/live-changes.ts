/**
 * The changes of a journal that cannot be read again: only live ones, once they are durable. Before: `looking-back.ts`. They wait in
 * memory until the consumer takes them.
 */
import type { Observable } from 'rxjs'
import type { Clock } from '../../core/model/clock.js'
import type { Journal } from '../../durable/contract.js'
import type { Change } from '../streams/change.js'
import type { PastChange } from './past-change.js'

const DONE = { done: true, value: undefined } as const

export class LiveChanges<V> implements AsyncIterableIterator<PastChange<V>> {
  readonly #journal: Pick<Journal, 'flush'>
  readonly #waiting: PastChange<V>[] = []
  readonly #stop: () => void
  #durable = 0
  #isDone = false
  #wake: (() => void) | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(changes$: Observable<Change<V>>, journal: Pick<Journal, 'flush'>, clock: Clock) {
    this.#journal = journal
    const subscription = changes$.subscribe({
      next: (change) => {
        this.#waiting.push({ ...change, timeMs: clock.now() })
        this.#wake?.()
      },
      complete: () => this.#end(),
    })
    this.#stop = () => subscription.unsubscribe()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<PastChange<V>, undefined>> {
    const next = this.#last.then(() => this.#next())
    this.#last = next.catch(() => undefined)
    return next
  }

  async #next(): Promise<IteratorResult<PastChange<V>, undefined>> {
    while (this.#waiting.length === 0) {
      if (this.#isDone) return DONE
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const change = this.#waiting[0] as PastChange<V> // there is one
    if (change.sequence > this.#durable && !this.#isDone) this.#durable = await this.#journal.flush()
    if (this.#waiting.shift() === undefined) return DONE // it was closed meanwhile
    return { done: false, value: change }
  }

  /** The cache was closed, which made everything durable. */
  #end(): void {
    this.#isDone = true
    this.#wake?.()
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#waiting.length = 0
    this.#stop()
    this.#end()
    return DONE
  }
}
