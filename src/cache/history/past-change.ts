import type { StoredValue } from '../../core/model/stored-value.js'
import type { PastEvent } from '../../durable/history/change-cursor.js'
import type { Change } from '../streams/change.js'
import { toChange } from '../streams/changes.js'

/** A change, and when it was written. */
export interface PastChange<V = unknown> extends Change<V> {
  /** Epoch milliseconds. The changes of one turn of the event loop share it. */
  readonly timeMs: number
}

export function toPastChange<V>(
  { event, sequence, timeMs }: PastEvent,
  restore: (stored: StoredValue) => unknown,
): PastChange<V> {
  return { ...toChange<V>({ event, sequence }, restore), timeMs }
}
