import type { StoredValue } from '../../core/model/stored-value.js'
import type { JournaledEvent } from '../turns/outbox.js'
import type { Change } from './change.js'

/** An event in the form that `changes$` emits. */
export function toChange<V>({ event, sequence }: JournaledEvent, restore: (stored: StoredValue) => unknown): Change<V> {
  switch (event.type) {
    case 'set': {
      const change = { type: event.type, sequence, key: event.key, value: restore(event.value) as V }
      return event.expiresAtMs === Number.POSITIVE_INFINITY ? change : { ...change, expiresAtMs: event.expiresAtMs }
    }
    case 'rescheduled': {
      const change = { type: event.type, sequence, key: event.key }
      return event.expiresAtMs === Number.POSITIVE_INFINITY ? change : { ...change, expiresAtMs: event.expiresAtMs }
    }
    case 'cleared':
    case 'loaded':
      return { type: event.type, sequence }
    case 'limited':
      return { type: event.type, sequence, maxSize: event.maxSize, maxBytes: event.maxBytes }
    default:
      return { type: event.type, sequence, key: event.key }
  }
}
