/**
 * Streams for a client, while they have subscribers there. The events of a turn travel in one message, and the client
 * acknowledges each message after its subscribers have received it, so the owner knows how far behind a client is.
 *
 * The rule for a slow client: no event is skipped silently. A stream of events (`changes$`, `watch`, `expirations$`,
 * `evictions$`, `removals$`) that is more than EVENTS_MAX events or EVENT_BYTES_MAX bytes behind ends with `SUBSCRIBER_TOO_SLOW`. A stream
 * of states (`stats$`, `lifecycle$`) has one message in flight at a time: of the stats or progress emitted meanwhile, only the
 * last is kept, and every warning. Values are forwarded in their stored form. Before:
 * cache/streams. After: sender.
 */
import type { Observable, Subscription } from 'rxjs'
import type { Cache } from '../../../cache/cache.js'
import type { Door } from '../../../cache/door/door.js'
import { isSame, type Stats } from '../../../cache/streams/stats.js'
import type { StoredValue } from '../../../core/model/stored-value.js'
import { CacheError, describe } from '../../../errors.js'
import {
  END,
  EVENT_BYTES_MAX,
  EVENTS,
  EVENTS_AT_ONCE,
  EVENTS_MAX,
  type Part,
  type StreamKind,
} from '../wire/protocol.js'
import { toWireError } from '../wire/wire-error.js'
import { toWire, wireBytes } from '../wire/wire-value.js'
import type { Sender } from './sender.js'

/** The changes after a sequence. Throws a CacheError if they are not there. */
export type ChangesAfter = (sequence: number) => Observable<object>

interface Feed {
  readonly id: number
  readonly isOfStates: boolean
  subscription: Subscription | undefined
  /** Items for the next message. */
  events: unknown[]
  bytes: number
  /** The bytes of the last item. */
  lastBytes: number
  /** [events, bytes] of the messages not yet acknowledged. */
  readonly unacknowledged: [number, number][]
  eventsBehind: number
  bytesBehind: number
  /** The final message, sent after the remaining items. */
  end: Part | undefined
}

/** How many subscriptions one client may have open. It shares them among its subscribers, so it needs few. */
const SUBSCRIPTIONS_MAX = 1_024

export class ServedStreams {
  readonly #cache: Cache
  readonly #door: Door
  readonly #sender: Sender
  readonly #changesAfter: ChangesAfter | undefined
  readonly #feeds = new Map<number, Feed>()
  readonly #dirty = new Set<Feed>()

  constructor(cache: Cache, door: Door, sender: Sender, changesAfter?: ChangesAfter) {
    this.#cache = cache
    this.#changesAfter = changesAfter
    this.#door = door
    this.#sender = sender
  }

  /** `after`: of `changes`, those after this sequence. */
  subscribe(id: number, kind: string, pattern: unknown, after?: unknown): void {
    // A client whose line was replaced makes its subscriptions again before it repeats the batch that made them.
    if (this.#changesAfter !== undefined && this.#feeds.has(id)) return
    if (this.#feeds.has(id) || this.#feeds.size >= SUBSCRIPTIONS_MAX)
      throw new TypeError(
        `Subscription ${describe(id)} cannot be opened: it is in use, or there are too many. Nothing was changed.`,
      )
    const feed: Feed = {
      id,
      isOfStates: kind === 'stats' || kind === 'lifecycle',
      subscription: undefined,
      events: [],
      bytes: 0,
      lastBytes: 0,
      unacknowledged: [],
      eventsBehind: 0,
      bytesBehind: 0,
      end: undefined,
    }
    const isContinued = kind === 'changes' && typeof after === 'number' && this.#changesAfter !== undefined
    const stream = isContinued ? this.#changesAfter(after) : this.#streamOf(kind as StreamKind, pattern)
    this.#feeds.set(id, feed)
    feed.subscription = stream.subscribe({
      next: (event) => this.#take(feed, event),
      error: (error) => this.#endWith(feed, [END, id, toWireError(error)]),
      complete: () => this.#endWith(feed, [END, id]),
    })
    if (!this.#feeds.has(id)) feed.subscription.unsubscribe() // it ended during the subscribe call
  }

  #streamOf(kind: StreamKind, pattern: unknown): Observable<object> {
    const { streams } = this.#door
    switch (kind) {
      case 'changes':
        return streams.changes$
      case 'expirations':
        return streams.expirations$
      case 'evictions':
        return streams.evictions$
      case 'removals':
        return streams.removals$
      case 'watch':
        return this.#door.watch(streams.changes$, pattern as string)
      case 'stats':
        return this.#cache.stats$
      case 'lifecycle':
        return this.#cache.lifecycle$
      default:
        throw new TypeError(`Unknown stream ${describe(kind)}.`)
    }
  }

  unsubscribe(id: number): void {
    const feed = this.#feeds.get(id)
    if (feed === undefined) return
    this.#feeds.delete(id)
    this.#dirty.delete(feed)
    feed.subscription?.unsubscribe()
  }

  acknowledge(id: number): void {
    const feed = this.#feeds.get(id)
    const [events, bytes] = feed?.unacknowledged.shift() ?? [0, 0]
    if (feed === undefined) return
    feed.eventsBehind -= events
    feed.bytesBehind -= bytes
    if (feed.isOfStates && feed.events.length > 0) this.#flushFeed(feed)
  }

  #take(feed: Feed, event: object): void {
    if (feed.end !== undefined) return
    const { value, ...rest } = event as { value?: StoredValue; key?: string; warning?: unknown }
    if (rest.warning !== undefined) rest.warning = toWireError(rest.warning)
    const wire = toWire(value)
    const bytes = 64 + (rest.key?.length ?? 0) + wireBytes(wire)
    while (feed.isOfStates && isSuperseded(feed.events.at(-1), rest)) {
      feed.events.pop()
      feed.eventsBehind--
      feed.bytes -= feed.lastBytes
      feed.bytesBehind -= feed.lastBytes
    }
    feed.events.push(value === undefined ? [rest] : [rest, wire])
    feed.bytes += bytes
    feed.lastBytes = bytes
    feed.eventsBehind++
    feed.bytesBehind += bytes
    if (feed.eventsBehind > EVENTS_MAX || feed.bytesBehind > EVENT_BYTES_MAX) {
      feed.subscription?.unsubscribe()
      this.#endWith(feed, [END, feed.id, toWireError(tooSlow(feed))])
    } else if (feed.events.length >= EVENTS_AT_ONCE) {
      this.#flushFeed(feed) // a long turn: the worker can start on these
      this.#sender.send()
    } else this.#mark(feed)
  }

  #endWith(feed: Feed, end: Part): void {
    feed.end ??= end
    this.#mark(feed)
  }

  #mark(feed: Feed): void {
    this.#dirty.add(feed)
    this.#sender.queueFlush()
  }

  flush(): void {
    for (const feed of this.#dirty) this.#flushFeed(feed)
    this.#dirty.clear()
  }

  #flushFeed(feed: Feed): void {
    // Of states, one is in flight, and the newest waits until it is acknowledged. The end does not wait.
    const mayGo = !feed.isOfStates || feed.unacknowledged.length === 0 || feed.end !== undefined
    if (feed.events.length > 0 && mayGo) {
      feed.unacknowledged.push([feed.events.length, feed.bytes])
      this.#sender.post([EVENTS, feed.id, ...feed.events])
      feed.events = []
      feed.bytes = 0
    }
    if (feed.end === undefined) return
    this.#sender.post(feed.end)
    this.#feeds.delete(feed.id)
  }

  close(): void {
    for (const { subscription } of this.#feeds.values()) subscription?.unsubscribe()
    this.#feeds.clear()
    this.#dirty.clear()
  }
}

/**
 * Among unsent states, newer stats replace older stats, and newer progress replaces older progress. Stats that only say that
 * nothing has changed since do not: a rate computed from them and older ones would not be 0. Nothing replaces a warning.
 */
function isSuperseded(waiting: unknown, next: object): boolean {
  if (waiting === undefined) return false
  const [last] = waiting as [{ state?: unknown; warning?: unknown }]
  if ('atMs' in next) return !isSame(last as Stats, next as Stats)
  return last.warning === undefined && last.state === (next as typeof last).state
}

function tooSlow({ eventsBehind, bytesBehind }: Feed): CacheError {
  return new CacheError(
    'SUBSCRIBER_TOO_SLOW',
    `This client is ${eventsBehind} events (${bytesBehind} bytes) behind the cache`,
  )
}
