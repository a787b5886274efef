/**
 * The last step of a change: subscribers get the events of a completed turn. Before: `turns/outbox`.
 *
 * Each event goes to every subscriber before the next event goes to any, and each subscriber gets its own object, so that none
 * can change what another sees. A stream without subscribers creates no objects.
 */
import type { Observable } from 'rxjs'
import type { StoredValue } from '../../core/model/stored-value.js'
import type { EventOutlet, JournaledEvent } from '../turns/outbox.js'
import type { Change } from './change.js'
import { toChange } from './changes.js'
import { EventStream, type Restore } from './event-stream.js'
import { type Eviction, toEviction } from './evictions.js'
import { type Expiration, toExpiration } from './expirations.js'
import { type RemoteRemoval, type Removal, RemovalStream, toRemoval } from './removals.js'

/** The streams as edges subscribe to them: values are in their stored form. */
export interface StoredStreams {
  readonly changes$: Observable<Change<StoredValue>>
  readonly expirations$: Observable<Expiration<StoredValue>>
  readonly evictions$: Observable<Eviction<StoredValue>>
  /** `clear` and `load` are one item. */
  readonly removals$: Observable<RemoteRemoval<StoredValue>>
}

export class Streams<V> implements EventOutlet {
  readonly changes$: Observable<Change<V>>
  readonly expirations$: Observable<Expiration<V>>
  readonly evictions$: Observable<Eviction<V>>
  readonly removals$: Observable<Removal<V>>
  readonly stored: StoredStreams
  readonly #changes: EventStream
  readonly #expirations: EventStream
  readonly #evictions: EventStream
  readonly #removals: RemovalStream
  readonly #storedRemovals: EventStream
  readonly #all: readonly EventStream[]
  /** Whether any of the streams has a subscriber. */
  isObserved = false
  /** Read between an append and its change, when no function may be called for the first time: so it is a field. */
  observesRemovals = false
  #subscriptions = 0
  /** The deliveries left of one event: after an error, those already made must not be repeated. */
  #deliveries: (() => void)[] = []
  #of: JournaledEvent | undefined

  /**
   * @param restore Decodes a stored value for a subscriber: a copy of its own, or the shared object.
   * @param onObserved Called whenever {@link isObserved} may have changed.
   */
  constructor(restore: Restore, onObserved: (isObserved: boolean) => void) {
    const onChange = (change: 1 | -1) => {
      this.#subscriptions += change
      this.isObserved = this.#subscriptions > 0
      onObserved(this.isObserved)
      this.observesRemovals = this.#removals.isObserved || this.#storedRemovals.isObserved
    }
    this.#changes = new EventStream(toChange, onChange)
    this.#expirations = new EventStream(toExpiration, onChange)
    this.#evictions = new EventStream(toEviction, onChange)
    this.#removals = new RemovalStream(onChange)
    this.#storedRemovals = new EventStream(toRemoval, onChange)
    this.#all = [this.#changes, this.#expirations, this.#evictions, this.#removals, this.#storedRemovals]
    this.changes$ = this.#changes.observable(restore)
    this.expirations$ = this.#expirations.observable(restore)
    this.evictions$ = this.#evictions.observable(restore)
    this.removals$ = this.#removals.observable(restore)
    const asStored: Restore = (stored) => stored
    this.stored = {
      changes$: this.#changes.observable(asStored),
      expirations$: this.#expirations.observable(asStored),
      evictions$: this.#evictions.observable(asStored),
      removals$: this.#storedRemovals.observable(asStored),
    }
  }

  deliver(journaled: JournaledEvent): void {
    if (this.#of !== journaled) {
      const deliveries: (() => void)[] = []
      for (const stream of this.#all) stream.prepare(journaled, deliveries)
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
    for (const stream of this.#all) stream.complete()
  }
}
