import type { StoredValue } from '../../core/model/stored-value.js'
import { ValueError } from '../../errors.js'
import type { JournaledEvent } from '../turns/outbox.js'
import { EventStream, type Restore } from './event-stream.js'

/** Why an entry is not there any more. `replaced`: another value was stored under its key. */
export type RemovalReason = 'deleted' | 'expired' | 'evicted' | 'replaced' | 'cleared' | 'loaded'

/** An item of `removals$`. */
export interface Removal<V = unknown> {
  readonly key: string
  /** The value that the entry had; `undefined` if a foreign journal holds no readable value. */
  readonly value: V
  readonly reason: RemovalReason
  /** That of the event. The removals of one `clear()` or `load()` have the same. */
  readonly sequence: number
}

/** An item of `removals$` of a client in another thread or process: there `clear()` and `load()` are one item, without a key. */
export type RemoteRemoval<V = unknown> =
  | Removal<V>
  | {
      readonly key?: undefined
      readonly value?: undefined
      readonly reason: 'cleared' | 'loaded'
      readonly sequence: number
    }

/** What an event removed, in one item; `undefined` if nothing. */
export function toRemoval<V>(
  { event, sequence, removes, oldValue }: JournaledEvent,
  restore: Restore,
): RemoteRemoval<V> | undefined {
  if (event.type === 'cleared' || event.type === 'loaded') return { reason: event.type, sequence }
  if (!removes || event.type === 'rescheduled' || event.type === 'limited' || event.type === 'resynced')
    return undefined
  const reason = event.type === 'set' ? 'replaced' : event.type
  return { key: event.key, value: restore(oldValue as StoredValue) as V, reason, sequence }
}

/** Among the entries of a whole cache, one that cannot be read is `undefined` and does not hold up the others. */
function readable(restore: Restore, stored: StoredValue): unknown {
  try {
    return restore(stored)
  } catch (error) {
    if (error instanceof ValueError) return undefined
    throw error
  }
}

/** `removals$`, where `clear` and `load` are an item for each entry. */
export class RemovalStream extends EventStream {
  constructor(onChange: (change: 1 | -1) => void) {
    super(toRemoval, onChange)
  }

  override prepare(journaled: JournaledEvent, deliveries: (() => void)[]): void {
    const { event, sequence, removed } = journaled
    if (event.type !== 'cleared' && event.type !== 'loaded') {
      super.prepare(journaled, deliveries)
      return
    }
    if (removed === undefined || !this.isObserved) return
    // One delivery, because there may be millions of entries. It continues where an error has stopped it.
    const reason = event.type
    const subscribers = [...this.subscribers]
    const cursor = removed.order.cursor()
    let slot = cursor.next()
    let index = 0
    deliveries.push(() => {
      for (; slot !== undefined; slot = cursor.next(), index = 0) {
        for (let next = subscribers[index]; next !== undefined; next = subscribers[++index]) {
          const [subscriber, restore] = next
          if (subscriber.closed) continue
          const value = readable(restore, removed.valueAt(slot))
          subscriber.next({ key: removed.keyAt(slot), value, reason, sequence } as never)
        }
      }
    })
  }
}
