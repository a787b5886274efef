/**
 * The messages of the cache actor: named like the methods, with the arguments by name. `{ type: 'set', key, value, ttl }`
 * does what `cache.set(key, value, { ttl })` does. The reply goes to `replyTo`.
 */
import type { AnyActorRef } from 'xstate'
import { CacheError, describe } from '../errors.js'
import type { SaveFormat } from '../files/format.js'
import type { Duration } from './duration.js'

interface Addressed {
  /** Receives the reply: `{ type: 'reply', ok: true, value }` or `{ type: 'reply', ok: false, error }`. */
  replyTo?: Pick<AnyActorRef, 'send'> | undefined
  /** Returned in the reply, to match it with its message. */
  id?: unknown
}

interface StoreArguments {
  ttl?: Duration | undefined
  expiresAt?: Date | number | undefined
  only?: 'absent' | 'present' | undefined
}

type Asked =
  | { type: 'get' | 'peek' | 'has' | 'exists' | 'delete' | 'ttl' | 'persist'; key: string }
  | ({ type: 'set'; key: string; value: unknown } & StoreArguments)
  | { type: 'increment' | 'decrement'; key: string; by?: number | undefined; ttl?: Duration | undefined }
  | { type: 'expire'; key: string; ttl: Duration }
  | { type: 'getMany' | 'deleteMany'; keys: Iterable<string> }
  | ({ type: 'setMany'; entries: Iterable<readonly [string, unknown]> } & StoreArguments)
  | { type: 'keys' | 'entries'; pattern?: string | undefined }
  | { type: 'deletePattern'; pattern: string }
  | { type: 'clear' | 'stats' | 'size' | 'cleanup' | 'flush' | 'compact' | 'close' }
  | { type: 'save' | 'load'; path: string; format?: SaveFormat | undefined }
  | { type: 'transact'; fn: () => unknown }
  | {
      type: 'getOrSet'
      key: string
      loader: (key: string) => unknown
      ttl?: Duration | undefined
      timeout?: Duration | undefined
    }

/** A message to `cache.actor`. */
export type CacheMessage = Asked & Addressed

/** What `replyTo` receives. */
export type CacheReply =
  | { type: 'reply'; ok: true; value: unknown; id?: unknown }
  | { type: 'reply'; ok: false; error: unknown; id?: unknown }

type AnyMessage = Record<string, never> & { type: string }

/** From a message to the arguments of its method. */
const ARGUMENTS: Record<Asked['type'], (message: AnyMessage) => unknown[]> = {
  get: ({ key }) => [key],
  peek: ({ key }) => [key],
  has: ({ key }) => [key],
  exists: ({ key }) => [key],
  delete: ({ key }) => [key],
  ttl: ({ key }) => [key],
  persist: ({ key }) => [key],
  set: ({ key, value, ttl, expiresAt, only }) => [key, value, { ttl, expiresAt, only }],
  increment: ({ key, by, ttl }) => [key, by, { ttl }],
  decrement: ({ key, by, ttl }) => [key, by, { ttl }],
  expire: ({ key, ttl }) => [key, ttl],
  getMany: ({ keys }) => [keys],
  deleteMany: ({ keys }) => [keys],
  setMany: ({ entries, ttl, expiresAt, only }) => [entries, { ttl, expiresAt, only }],
  keys: ({ pattern }) => [pattern],
  entries: ({ pattern }) => [pattern],
  deletePattern: ({ pattern }) => [pattern],
  clear: () => [],
  stats: () => [],
  size: () => [],
  cleanup: () => [],
  flush: () => [],
  compact: () => [],
  close: () => [],
  save: ({ path, format }) => [path, { format }],
  load: ({ path, format }) => [path, { format }],
  transact: ({ fn }) => [fn],
  getOrSet: ({ key, loader, ttl, timeout }) => [key, loader, { ttl, timeout }],
}

/** The names of an inspected call's arguments; the inverse of {@link ARGUMENTS}, for messages that were never sent. */
const PARAMETERS: Partial<Record<string, readonly string[]>> = {
  set: ['key', 'value'],
  increment: ['key', 'by'],
  decrement: ['key', 'by'],
  expire: ['key', 'ttl'],
  getMany: ['keys'],
  deleteMany: ['keys'],
  setMany: ['entries'],
  keys: ['pattern'],
  entries: ['pattern'],
  deletePattern: ['pattern'],
  save: ['path'],
  load: ['path'],
  transact: ['fn'],
  getOrSet: ['key', 'loader'],
}

/** The arguments of the method that a message is named after. @throws CacheError for a command that does not exist. */
export function argumentsOf(message: { type: string }): unknown[] {
  if (!Object.hasOwn(ARGUMENTS, message.type)) {
    throw new CacheError(
      'UNKNOWN_COMMAND',
      `${describe(message.type)} is not a command (${Object.keys(ARGUMENTS).join(', ')})`,
    )
  }
  return ARGUMENTS[message.type as Asked['type']](message as AnyMessage)
}

/** A method call as the message that it is. */
export function toMessage(type: Asked['type'], parameters: readonly unknown[]): { type: string } {
  const names = PARAMETERS[type] ?? ['key']
  const message: Record<string, unknown> & { type: string } = { type }
  parameters.forEach((parameter, index) => {
    const name = names[index]
    if (name !== undefined) message[name] = parameter
    else Object.assign(message, parameter)
  })
  return message
}
