/** What the actor does with a message: calls the method that it is named after. Before: `actor/logic`. After: `cache.ts`. */
import { CacheError, describe } from '../errors.js'
import type { Cache } from './cache.js'
import { parametersOf } from './messages.js'
import { METHOD_NAMES, METHODS, type Method, type MethodName } from './methods.js'

/** @throws whatever the method throws; CacheError for a command that does not exist. */
export function answer(cache: Cache, message: { type: string }): unknown {
  if (!Object.hasOwn(METHODS, message.type)) {
    throw new CacheError(
      'UNKNOWN_COMMAND',
      `There is no command ${describe(message.type)}. Nothing was changed; the commands are ${METHOD_NAMES.join(', ')}.`,
    )
  }
  const name = message.type as MethodName
  const { isGetter, gives }: Method = METHODS[name]
  if (isGetter === true) return cache[name]
  const value = (cache[name] as (...parameters: unknown[]) => unknown)(...parametersOf(name, message))
  return gives === 'entries' ? [...(value as Iterable<unknown>)] : value
}
