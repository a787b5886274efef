/**
 * The streams of a remote cache. A stream is subscribed at the owner while it has subscribers here, which share one subscription;
 * for `stats$` and `lifecycle$` each subscriber has its own, because each gets the current state at once. Each subscriber
 * gets a copy of its own, so that none can change what another sees.
 */
import type { Subscriber } from 'rxjs'
import { Observable } from 'rxjs/internal/Observable'
import { map } from 'rxjs/internal/operators/map'
import { share } from 'rxjs/internal/operators/share'
import { checkPattern } from '../../../cache/arguments/arguments.js'
import { ValueError } from '../../../errors.js'
import { OP } from '../wire/codes.js'
import { END, EVENTS, type StreamKind } from '../wire/protocol.js'
import { fromWireError } from '../wire/wire-error.js'
import { ownCopy } from '../wire/wire-value.js'
import type { StreamsOf } from './remote-cache.js'

/** How streams send requests to the owner. */
export interface StreamRequests {
  /** Opens a subscription. Returns, or resolves with, the sequence of the last change before it. */
  subscribe(id: number, kind: StreamKind, pattern: string | undefined): unknown
  /** The same with another owner. `after`: the sequence of the last change that was received. */
  resubscribe?(id: number, kind: StreamKind, pattern: string | undefined, after: number | undefined): unknown
  tell(code: number, ...parameters: unknown[]): void
  readonly isEnded: boolean
}

interface Subscription {
  readonly subscriber: Subscriber<WireEvent>
  readonly kind: StreamKind
  readonly pattern: string | undefined
  /** Of `changes$`: the sequence of the last one. */
  sequence: number | undefined
}

/** An event, without its value; and that, if it has one. */
type WireEvent = readonly [event: object, value?: unknown]

/** The event as one subscriber may have it. */
const ownEvent = map(
  ([event, ...value]: WireEvent) =>
    (value.length === 0 ? { ...event } : { ...event, value: ownValue(value[0]) }) as never,
)

/** The same for states, whose warnings travel as records of errors. */
const ownState = map(
  ([state]: WireEvent) =>
    ('warning' in state ? { ...state, warning: fromWireError(state.warning as unknown[]) } : { ...state }) as never,
)

/** As in the owner's thread, a value of a foreign journal that cannot be read is `undefined`: the stream continues. */
function ownValue(wire: unknown): unknown {
  try {
    return ownCopy(wire)
  } catch (error) {
    if (error instanceof ValueError) return undefined
    throw error
  }
}

export class RemoteStreams<V> implements StreamsOf<V> {
  readonly changes$: StreamsOf<V>['changes$']
  readonly expirations$: StreamsOf<V>['expirations$']
  readonly evictions$: StreamsOf<V>['evictions$']
  readonly removals$: StreamsOf<V>['removals$']
  readonly stats$: StreamsOf<V>['stats$']
  readonly lifecycle$: StreamsOf<V>['lifecycle$']
  readonly #requests: StreamRequests
  readonly #subscriptions = new Map<number, Subscription>()
  #nextId = 1

  constructor(requests: StreamRequests) {
    this.#requests = requests
    this.changes$ = this.#open('changes').pipe(share(), ownEvent)
    this.expirations$ = this.#open('expirations').pipe(share(), ownEvent)
    this.evictions$ = this.#open('evictions').pipe(share(), ownEvent)
    this.removals$ = this.#open('removals').pipe(share(), ownEvent)
    this.stats$ = this.#open('stats').pipe(ownEvent)
    this.lifecycle$ = this.#open('lifecycle').pipe(ownState)
  }

  watch(pattern: string): StreamsOf<V>['changes$'] {
    checkPattern(pattern)
    return this.#open('watch', pattern).pipe(share(), ownEvent)
  }

  get isObserved(): boolean {
    return this.#subscriptions.size > 0
  }

  #open(kind: StreamKind, pattern?: string): Observable<WireEvent> {
    return new Observable((subscriber) => {
      if (this.#requests.isEnded) {
        subscriber.complete()
        return undefined
      }
      const id = this.#nextId++
      const subscription: Subscription = { subscriber, kind, pattern, sequence: undefined }
      this.#subscriptions.set(id, subscription)
      this.#await(id, subscription, () => this.#requests.subscribe(id, kind, pattern))
      return () => {
        if (this.#subscriptions.delete(id)) this.#requests.tell(OP.unsubscribe, id)
      }
    })
  }

  /** Keeps the sequence from which another owner can continue. */
  #await(id: number, subscription: Subscription, ask: () => unknown): void {
    const fail = (error: unknown) => {
      if (this.#requests.isEnded || !this.#subscriptions.delete(id)) return // the stream has ended
      subscription.subscriber.error(error)
    }
    try {
      const answer = ask()
      if (!(answer instanceof Promise)) return
      answer.then((sequence) => {
        if (subscription.kind === 'changes') subscription.sequence ??= sequence as number
      }, fail)
    } catch (error) {
      fail(error)
    }
  }

  /** There is another owner. */
  resume(): void {
    for (const [id, subscription] of this.#subscriptions) {
      const { kind, pattern, sequence } = subscription
      this.#await(id, subscription, () => this.#requests.resubscribe?.(id, kind, pattern, sequence))
    }
  }

  /** Handles a part of a message that belongs to a stream. */
  take(part: readonly [number, ...unknown[]]): void {
    const id = part[1] as number
    const subscription = this.#subscriptions.get(id)
    const subscriber = subscription?.subscriber
    if (part[0] === EVENTS) {
      for (let index = 2; index < part.length; index++) {
        const event = part[index] as WireEvent
        if (subscription?.kind === 'changes') subscription.sequence = (event[0] as { sequence: number }).sequence
        subscriber?.next(event)
      }
      this.#requests.tell(OP.acknowledge, id)
    } else if (part[0] === END) {
      this.#subscriptions.delete(id)
      if (part[2] === undefined) subscriber?.complete()
      else subscriber?.error(fromWireError(part[2] as unknown[]))
    }
  }

  /** Called when no more messages can arrive, with an error unless the client or the cache was closed. */
  end(error: unknown): void {
    const subscriptions = [...this.#subscriptions.values()]
    this.#subscriptions.clear()
    for (const { subscriber } of subscriptions) {
      if (error === undefined) subscriber.complete()
      else subscriber.error(error)
    }
  }
}
