/**
 * The last step of a change: subscribers get the events of a completed turn. Before: `turns/outbox`.
 *
 * Each event goes to every subscriber before the next event goes to any, and each subscriber gets its own object, so that none
 * can change what another sees. A stream without subscribers creates no objects.
 */
import { Observable, type Subscriber } from 'rxjs'
import type { StoredValue } from '../../core/model/stored-value.js'
import type { EventOutlet, JournaledEvent } from '../turns/outbox.js'
import type { Change } from './change.js'
import { toChange } from './changes.js'
import { type Eviction, toEviction } from './evictions.js'
import { type Expiration, toExpiration } from './expirations.js'

type Restore = (stored: StoredValue) => unknown

/** One of the streams. `toItem` makes its item from an event, or returns `undefined` if the stream omits that event. */
class EventStream<T> {
  readonly subscribers = new Set<Subscriber<T>>()
  readonly toItem: (journaled: JournaledEvent) => T | undefined
  readonly observable: Observable<T>

  constructor(toItem: (journaled: JournaledEvent) => T | undefined, onChange: (change: 1 | -1) => void) {
    this.toItem = toItem
    let isComplete = false
    this.observable = new Observable((subscriber) => {
      if (isComplete) return subscriber.complete()
      this.subscribers.add(subscriber)
      onChange(1)
      return () => {
        this.subscribers.delete(subscriber)
        onChange(-1)
      }
    })
    this.complete = () => {
      isComplete = true
      for (const subscriber of [...this.subscribers]) subscriber.complete()
    }
  }

  readonly complete: () => void

  /** Adds a delivery of the event for each subscriber. */
  prepare(journaled: JournaledEvent, deliveries: (() => void)[]): void {
    for (const subscriber of this.subscribers) {
      const item = this.toItem(journaled)
      if (item === undefined) return
      deliveries.push(() => subscriber.next(item))
    }
  }
}

export class Streams<V> implements EventOutlet {
  readonly #changes: EventStream<Change<V>>
  readonly #expirations: EventStream<Expiration<V>>
  readonly #evictions: EventStream<Eviction<V>>
  /** Whether any of the streams has a subscriber. */
  isObserved = false
  #subscriptions = 0
  /** The deliveries left of one event: after an error, those already made must not be repeated. */
  #deliveries: (() => void)[] = []
  #of: JournaledEvent | undefined

  /** `restore` decodes a stored value for a subscriber: a copy of its own, or the shared object. */
  constructor(restore: Restore) {
    const onChange = (change: 1 | -1) => {
      this.#subscriptions += change
      this.isObserved = this.#subscriptions > 0
    }
    this.#changes = new EventStream((journaled) => toChange<V>(journaled, restore), onChange)
    this.#expirations = new EventStream((journaled) => toExpiration<V>(journaled, restore), onChange)
    this.#evictions = new EventStream((journaled) => toEviction<V>(journaled, restore), onChange)
  }

  get changes$(): Observable<Change<V>> {
    return this.#changes.observable
  }

  get expirations$(): Observable<Expiration<V>> {
    return this.#expirations.observable
  }

  get evictions$(): Observable<Eviction<V>> {
    return this.#evictions.observable
  }

  deliver(journaled: JournaledEvent): void {
    if (this.#of !== journaled) {
      const deliveries: (() => void)[] = []
      this.#changes.prepare(journaled, deliveries)
      this.#expirations.prepare(journaled, deliveries)
      this.#evictions.prepare(journaled, deliveries)
      this.#deliveries = deliveries.reverse()
      this.#of = journaled
    }
    for (let next = this.#deliveries.at(-1); next !== undefined; next = this.#deliveries.at(-1)) {
      next()
      this.#deliveries.pop()
    }
    this.#of = undefined
  }

  complete(): void {
    this.#changes.complete()
    this.#expirations.complete()
    this.#evictions.complete()
  }
}
