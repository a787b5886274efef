/**
 * The streams of a cache in another thread. A stream is subscribed over the port while somebody here observes it, and only
 * once however many do; `stats$` and `lifecycle$` once for each, since each is given the current state at once.
 */
import { Observable, type Subscriber, share } from 'rxjs'
import type { LifecycleState } from '../../../cache/actor/lifecycle.js'
import { checkPattern } from '../../../cache/arguments.js'
import type { Change } from '../../../cache/streams/change.js'
import type { Eviction } from '../../../cache/streams/evictions.js'
import type { Expiration } from '../../../cache/streams/expirations.js'
import type { Stats } from '../../../cache/streams/stats.js'
import { END, EVENTS, OP, type StreamKind } from '../wire/protocol.js'
import { fromWireError } from '../wire/wire-error.js'
import { answerOf } from './answers.js'
import type { ThreadStreams } from './remote-cache.js'

export interface StreamLine {
  /** Opens a subscription; `fail` is told if the owner refuses it. */
  subscribe(id: number, kind: StreamKind, pattern: string | undefined, fail: (error: unknown) => void): void
  tell(code: number, ...parameters: unknown[]): void
  readonly isEnded: boolean
}

export class RemoteStreams<V> implements ThreadStreams<V> {
  readonly changes$: Observable<Change<V>>
  readonly expirations$: Observable<Expiration<V>>
  readonly evictions$: Observable<Eviction<V>>
  readonly stats$: Observable<Stats>
  readonly lifecycle$: Observable<LifecycleState>
  readonly #line: StreamLine
  readonly #subscribers = new Map<number, Subscriber<unknown>>()
  #nextId = 1

  constructor(line: StreamLine) {
    this.#line = line
    this.changes$ = this.#open<Change<V>>('changes').pipe(share())
    this.expirations$ = this.#open<Expiration<V>>('expirations').pipe(share())
    this.evictions$ = this.#open<Eviction<V>>('evictions').pipe(share())
    this.stats$ = this.#open<Stats>('stats')
    this.lifecycle$ = this.#open<LifecycleState>('lifecycle')
  }

  watch(pattern: string): Observable<Change<V>> {
    checkPattern(pattern)
    return this.#open<Change<V>>('watch', pattern).pipe(share())
  }

  get isObserved(): boolean {
    return this.#subscribers.size > 0
  }

  #open<T>(kind: StreamKind, pattern?: string): Observable<T> {
    return new Observable<T>((subscriber) => {
      if (this.#line.isEnded) {
        subscriber.complete()
        return undefined
      }
      const id = this.#nextId++
      this.#subscribers.set(id, subscriber as Subscriber<unknown>)
      this.#line.subscribe(id, kind, pattern, (error) => {
        this.#subscribers.delete(id)
        subscriber.error(error)
      })
      return () => {
        if (this.#subscribers.delete(id)) this.#line.tell(OP.unsubscribe, id)
      }
    })
  }

  /** Takes a part of a message, if it is of a stream. */
  take(part: readonly [number, ...unknown[]]): void {
    const id = part[1] as number
    const subscriber = this.#subscribers.get(id)
    if (part[0] === EVENTS) {
      for (let index = 2; index < part.length; index++) {
        const [event, ...value] = part[index] as [object, ...unknown[]]
        subscriber?.next(value.length === 0 ? event : { ...event, value: answerOf(value[0]) })
      }
      this.#line.tell(OP.acknowledge, id)
    } else if (part[0] === END) {
      this.#subscribers.delete(id)
      if (part[2] === undefined) subscriber?.complete()
      else subscriber?.error(fromWireError(part[2] as unknown[]))
    }
  }

  /** `error`: why nothing more will come, unless that was asked for. */
  end(error: unknown): void {
    const subscribers = [...this.#subscribers.values()]
    this.#subscribers.clear()
    for (const subscriber of subscribers) {
      if (error === undefined) subscriber.complete()
      else subscriber.error(error)
    }
  }
}
