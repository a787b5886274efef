import type { StoredValue } from '../../core/model/stored-value.js'
import type { JournaledEvent } from '../turns/outbox.js'
import { timesOf } from '../turns/times.js'
import type { Change } from './change.js'

/** An event in the form that `changes$` emits. */
export function toChange<V>(
  { event, sequence }: Pick<JournaledEvent, 'event' | 'sequence'>,
  restore: (stored: StoredValue) => unknown,
): Change<V> {
  switch (event.type) {
    case 'set': {
      const { type, key, value, expiresAtMs, extension } = event
      const change = {
        type,
        sequence,
        key,
        value: restore(value) as V,
        ...timesOf(expiresAtMs, extension?.freshUntilMs),
      }
      return extension === undefined || extension.tags.length === 0 ? change : { ...change, tags: [...extension.tags] }
    }
    case 'rescheduled': {
      const { type, key, expiresAtMs, freshUntilMs } = event
      return { type, sequence, key, ...timesOf(expiresAtMs, freshUntilMs) }
    }
    case 'cleared':
    case 'loaded':
    case 'resynced':
      return { type: event.type, sequence }
    case 'limited':
      return { type: event.type, sequence, maxSize: event.maxSize, maxBytes: event.maxBytes }
    default:
      return { type: event.type, sequence, key: event.key }
  }
}
