import type { StoredValue } from '../../core/model/stored-value.js'
import type { JournaledEvent } from '../turns/outbox.js'

/** An item of `evictions$`. */
export interface Eviction<V = unknown> {
  readonly key: string
  /** The value that the entry had; `undefined` if a foreign journal holds no readable value. */
  readonly value: V
  readonly sequence: number
}

export function toEviction<V>(
  { event, sequence, oldValue }: JournaledEvent,
  restore: (stored: StoredValue) => unknown,
): Eviction<V> | undefined {
  if (event.type !== 'evicted') return undefined
  return { key: event.key, value: restore(oldValue as StoredValue) as V, sequence }
}
