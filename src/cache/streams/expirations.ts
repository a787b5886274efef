import type { StoredValue } from '../../core/model/stored-value.js'
import type { JournaledEvent } from '../turns/outbox.js'

/** An item of `expirations$`. */
export interface Expiration<V = unknown> {
  readonly key: string
  /** The value that the entry had; `undefined` if a foreign journal holds no readable value. */
  readonly value: V
  /** Its deadline, epoch milliseconds. */
  readonly expiresAtMs: number
  /** When the expiry was noticed, epoch milliseconds. */
  readonly seenAtMs: number
  readonly sequence: number
}

export function toExpiration<V>(
  { event, sequence, oldValue, oldDeadlineMs, seenAtMs }: JournaledEvent,
  restore: (stored: StoredValue) => unknown,
): Expiration<V> | undefined {
  if (event.type !== 'expired') return undefined
  const value = restore(oldValue as StoredValue) as V
  return { key: event.key, value, expiresAtMs: oldDeadlineMs, seenAtMs, sequence }
}
