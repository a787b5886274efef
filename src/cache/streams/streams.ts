/**
 * The last step of a change: subscribers get the events of a completed turn. Before: `turns/outbox`.
 *
 * Each event goes to every subscriber before the next event goes to any, and each subscriber gets its own object, so that none
 * can change what another sees. A stream without subscribers creates no objects.
 */
import type { Subscriber } from 'rxjs'
import { Observable } from 'rxjs/internal/Observable'
import type { StoredValue } from '../../core/model/stored-value.js'
import type { EventOutlet, JournaledEvent } from '../turns/outbox.js'
import type { Change } from './change.js'
import { toChange } from './changes.js'
import { type Eviction, toEviction } from './evictions.js'
import { type Expiration, toExpiration } from './expirations.js'

type Restore = (stored: StoredValue) => unknown

/** Makes a stream's item from an event, or returns `undefined` if the stream omits that event. */
type ToItem = (journaled: JournaledEvent, restore: Restore) => object | undefined

/** The streams as edges subscribe to them: values are in their stored form. */
export interface StoredStreams {
  readonly changes$: Observable<Change<StoredValue>>
  readonly expirations$: Observable<Expiration<StoredValue>>
  readonly evictions$: Observable<Eviction<StoredValue>>
}

class EventStream {
  /** Each with the form in which it gets values. */
  readonly #subscribers = new Map<Subscriber<never>, Restore>()
  readonly #toItem: ToItem
  readonly #onChange: (change: 1 | -1) => void
  #isComplete = false

  constructor(toItem: ToItem, onChange: (change: 1 | -1) => void) {
    this.#toItem = toItem
    this.#onChange = onChange
  }

  observable(restore: Restore): Observable<never> {
    return new Observable((subscriber) => {
      if (this.#isComplete) return subscriber.complete()
      this.#subscribers.set(subscriber, restore)
      this.#onChange(1)
      return () => {
        this.#subscribers.delete(subscriber)
        this.#onChange(-1)
      }
    })
  }

  complete(): void {
    this.#isComplete = true
    for (const subscriber of [...this.#subscribers.keys()]) subscriber.complete()
  }

  /** Adds a delivery of the event for each subscriber. */
  prepare(journaled: JournaledEvent, deliveries: (() => void)[]): void {
    for (const [subscriber, restore] of this.#subscribers) {
      const item = this.#toItem(journaled, restore)
      if (item === undefined) return
      deliveries.push(() => subscriber.next(item as never))
    }
  }
}

export class Streams<V> implements EventOutlet {
  readonly changes$: Observable<Change<V>>
  readonly expirations$: Observable<Expiration<V>>
  readonly evictions$: Observable<Eviction<V>>
  readonly stored: StoredStreams
  readonly #changes: EventStream
  readonly #expirations: EventStream
  readonly #evictions: EventStream
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
    this.#changes = new EventStream(toChange, onChange)
    this.#expirations = new EventStream(toExpiration, onChange)
    this.#evictions = new EventStream(toEviction, onChange)
    const streams = (restoreFor: Restore) => ({
      changes$: this.#changes.observable(restoreFor),
      expirations$: this.#expirations.observable(restoreFor),
      evictions$: this.#evictions.observable(restoreFor),
    })
    const own = streams(restore)
    this.changes$ = own.changes$
    this.expirations$ = own.expirations$
    this.evictions$ = own.evictions$
    this.stored = streams((stored) => stored)
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
