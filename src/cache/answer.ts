/** What the actor does with a message: calls the method that it is named after. Before: `actor/logic`. After: `cache.ts`. */
import type { Cache } from './cache.js'
import { argumentsOf } from './messages.js'

/** @throws whatever the method throws; CacheError for a command that does not exist. */
export function answer(cache: Cache, message: { type: string }): unknown {
  const parameters = argumentsOf(message)
  const type = message.type as keyof Cache
  if (type === 'size') return cache.size
  const value = (cache[type] as (...parameters: unknown[]) => unknown)(...parameters)
  return type === 'entries' ? [...(value as Iterable<unknown>)] : value
}
