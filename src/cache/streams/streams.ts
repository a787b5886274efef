/**
 * Last of all: a turn has ended, and those who subscribed are told. Each event goes to every subscriber before the next
 * event goes to any. Nothing is built for a stream that nobody observes.
 */
import { Observable, Subject } from 'rxjs'
import type { StoredValue } from '../../core/model/stored-value.js'
import type { EventOutlet, JournaledEvent } from '../turns/outbox.js'
import type { Change } from './change.js'
import { toChange } from './changes.js'
import { type Eviction, toEviction } from './evictions.js'
import { type Expiration, toExpiration } from './expirations.js'

export class Streams<V> implements EventOutlet {
  readonly #changes = new Subject<Change<V>>()
  readonly #expirations = new Subject<Expiration<V>>()
  readonly #evictions = new Subject<Eviction<V>>()
  readonly changes$: Observable<Change<V>> = this.#counted(this.#changes)
  readonly expirations$: Observable<Expiration<V>> = this.#counted(this.#expirations)
  readonly evictions$: Observable<Eviction<V>> = this.#counted(this.#evictions)
  /** Whether anybody observes any of them. A field, because every `set` asks. */
  isObserved = false
  #subscriptions = 0
  readonly #restore: (stored: StoredValue) => unknown

  /** `restore`: a stored value as subscribers may have it: their own copy, or the shared object. */
  constructor(restore: (stored: StoredValue) => unknown) {
    this.#restore = restore
  }

  #counted<T>(subject: Subject<T>): Observable<T> {
    return new Observable((subscriber) => {
      this.isObserved = ++this.#subscriptions > 0
      subscriber.add(() => {
        this.isObserved = --this.#subscriptions > 0
      })
      subscriber.add(subject.subscribe(subscriber))
    })
  }

  deliver(journaled: JournaledEvent): void {
    const { event } = journaled
    if (this.#changes.observed) this.#changes.next(toChange(journaled, this.#restore))
    if (event.type === 'expired' && this.#expirations.observed) {
      this.#expirations.next(toExpiration(journaled, event.key, this.#restore))
    }
    if (event.type === 'evicted' && this.#evictions.observed) {
      this.#evictions.next(toEviction(journaled, event.key, this.#restore))
    }
  }

  complete(): void {
    this.#changes.complete()
    this.#expirations.complete()
    this.#evictions.complete()
  }
}
