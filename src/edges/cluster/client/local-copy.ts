/** The synchronous reads of a node's own copy, which tell the leader what has been used. Before: the caller. After: the node's cache. */
import { checkKeys } from '../../../cache/arguments/arguments.js'
import type { Cache } from '../../../cache/cache.js'
import type { Clock } from '../../../core/model/clock.js'
import type { LocalCopy } from './cluster-cache.js'

/** Keys that are told at most, in a second. */
const TOUCHES_MAX = 1_000
const TELL_MS = 1_000

/** `tell` gets the keys that were hit, now and then. */
export function localCopy<V>(
  cache: Cache<V>,
  clock: Pick<Clock, 'setTimeout'>,
  tell: (keys: readonly string[]) => void,
): LocalCopy<V> {
  const hit = new Set<string>()
  const note = (key: string) => {
    if (hit.size >= TOUCHES_MAX) return
    if (hit.size === 0) {
      clock.setTimeout(() => {
        tell([...hit])
        hit.clear()
      }, TELL_MS)
    }
    hit.add(key)
  }
  return {
    get: (key, options) => {
      const value = cache.get(key, options)
      if (value !== undefined) note(key)
      return value
    },
    getMany: (keys) => {
      const list = checkKeys(keys)
      const values = cache.getMany(list)
      for (const [index, key] of list.entries()) if (values[index] !== undefined) note(key)
      return values
    },
    peek: (key) => cache.peek(key),
    has: (key) => cache.has(key),
    ttl: (key) => cache.ttl(key),
    hasMany: (keys) => cache.hasMany(keys),
    keys: (pattern) => cache.keys(pattern),
    entries: (pattern) => cache.entries(pattern),
    scan: (options) => cache.scan(options),
    stats: () => cache.stats(),
    get size() {
      return cache.size
    },
  }
}
