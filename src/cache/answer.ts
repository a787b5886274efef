/** Calls the method that a message is named after. Before: `actor/logic`. After: `cache.ts`. */
import type { Cache } from './cache.js'
import { argumentsOf } from './messages.js'

/** @throws what the method throws; CacheError `UNKNOWN_COMMAND`. */
export function answer(cache: Cache, message: { type: string }): unknown {
  const parameters = argumentsOf(message)
  const type = message.type as keyof Cache
  if (type === 'size') return cache.size
  const value = (cache[type] as (...parameters: unknown[]) => unknown)(...parameters)
  return type === 'entries' ? [...(value as Iterable<unknown>)] : value
}
