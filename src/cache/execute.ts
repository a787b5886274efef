/** Calls the method that a message is named after. Before: `actor/logic`. After: `cache.ts`. */
import { CacheError, describe } from '../errors.js'
import { namesOf, parametersOf } from './actor/messages.js'
import { checkNames } from './arguments/arguments.js'
import { METHOD_NAMES, METHODS, type Method, type MethodName } from './arguments/methods.js'
import type { Cache } from './cache.js'

/** @throws what the method throws; CacheError `UNKNOWN_COMMAND`. */
export function execute(cache: Cache, message: { type: string }): unknown {
  const { type } = message // read once, because a getter could return something else the next time
  if (!Object.hasOwn(METHODS, type)) {
    throw new CacheError('UNKNOWN_COMMAND', `${describe(type)} is not a command (${METHOD_NAMES.join(', ')})`)
  }
  const name = type as MethodName
  checkNames(message, [...namesOf(name), 'type', 'replyTo', 'id'], 'argument')
  const { isGetter, gives }: Method = METHODS[name]
  if (isGetter === true) return cache[name]
  const value = (cache[name] as (...parameters: unknown[]) => unknown)(...parametersOf(name, message))
  return gives === 'entries' ? [...(value as Iterable<unknown>)] : value
}
