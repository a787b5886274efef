/** One stream of events. Before: `streams.ts`. After: its subscribers. */
import type { Subscriber } from 'rxjs'
import { Observable } from 'rxjs/internal/Observable'
import type { StoredValue } from '../../core/model/stored-value.js'
import type { JournaledEvent } from '../turns/outbox.js'

export type Restore = (stored: StoredValue) => unknown

/** Makes a stream's item from an event, or returns `undefined` if the stream omits that event. */
type ToItem = (journaled: JournaledEvent, restore: Restore) => object | undefined

export class EventStream {
  /** Each with the form in which it gets values. */
  protected readonly subscribers = new Map<Subscriber<never>, Restore>()
  readonly #toItem: ToItem
  readonly #onChange: (change: 1 | -1) => void
  #isComplete = false

  constructor(toItem: ToItem, onChange: (change: 1 | -1) => void) {
    this.#toItem = toItem
    this.#onChange = onChange
  }

  get isObserved(): boolean {
    return this.subscribers.size > 0
  }

  observable(restore: Restore): Observable<never> {
    return new Observable((subscriber) => {
      if (this.#isComplete) return subscriber.complete()
      this.subscribers.set(subscriber, restore)
      this.#onChange(1)
      return () => {
        this.subscribers.delete(subscriber)
        this.#onChange(-1)
      }
    })
  }

  complete(): void {
    this.#isComplete = true
    for (const subscriber of [...this.subscribers.keys()]) subscriber.complete()
  }

  /** Adds a delivery of the event for each subscriber. */
  prepare(journaled: JournaledEvent, deliveries: (() => void)[]): void {
    for (const [subscriber, restore] of this.subscribers) {
      const item = this.#toItem(journaled, restore)
      if (item === undefined) return
      deliveries.push(() => subscriber.next(item as never))
    }
  }
}
