/**
 * The shape of a cache in a pickle: `{'entries': {key: (value, expires_at)}, 'stats': {'hits', 'misses', 'evictions'}}`.
 *
 * Also accepted: an entry that is a list of two items, or a dict with 'value' and optionally 'expires_at'; a missing counter
 * (0); unknown keys in the document and in its stats (ignored).
 */
import { describe, ValueError } from '../../errors.js'
import { type Dict, isDict } from './containers.js'

/** Key, value, and deadline in epoch milliseconds, undefined for none. */
export type Entry = [key: string, value: unknown, expiresAtMs: number | undefined]

export interface CacheStats {
  hits: number
  misses: number
  evictions: number
}

export interface CacheDocument {
  /** In the file's order: least recently used first. */
  readonly entries: Iterable<Entry>
  readonly entryCount: number
  readonly stats: CacheStats
}

/** Levels of containers around a value: the document, its entries, the pair of value and deadline. */
export const DOCUMENT_LEVELS = 3

/** Those of an entry. */
export const ENTRY_LEVELS = 1

/** The dict of entries, if `document` has one. */
export function entriesIn(document: unknown): Dict | undefined {
  const entries = isDict(document) ? get(document, 'entries') : undefined
  return isDict(entries) ? entries : undefined
}

/** The counters of a document. */
export function statsOf(document: unknown): CacheStats {
  if (!isDict(document) || entriesIn(document) === undefined) throw notACache("it has no dict named 'entries'")
  return checkedStats(get(document, 'stats'))
}

export function checkedEntry(key: unknown, entry: unknown): Entry {
  if (typeof key !== 'string') throw notACache(`the key ${describe(key)} is not a str`)
  if (Array.isArray(entry) && entry.length === 2) return [key, entry[0], expiresAtMs(key, entry[1])]
  if (isDict(entry) && has(entry, 'value'))
    return [key, get(entry, 'value'), expiresAtMs(key, get(entry, 'expires_at'))]
  throw notACache(`the entry ${describe(key)} is not a pair of value and expires_at`)
}

/**
 * Converts epoch seconds to milliseconds, so that a whole number of milliseconds comes back exactly; multiplying a double by
 * 1000 may be off by a rounding error.
 */
function expiresAtMs(key: string, expiresAt: unknown): number | undefined {
  if (expiresAt === null || expiresAt === undefined) return undefined
  const seconds = typeof expiresAt === 'bigint' ? Number(expiresAt) : expiresAt
  const ms = typeof seconds === 'number' ? seconds * 1000 : Number.NaN
  if (!(ms > Number.NEGATIVE_INFINITY)) {
    throw notACache(`expires_at of the entry ${describe(key)} is not None or a number of seconds`)
  }
  const wholeMs = Math.round(ms)
  return ms === Infinity ? undefined : wholeMs / 1000 === seconds ? wholeMs : ms
}

function checkedStats(stats: unknown): CacheStats {
  if (stats !== undefined && stats !== null && !isDict(stats)) throw notACache("its 'stats' are not a dict")
  const counter = (name: string): number => {
    const count = stats ? (get(stats, name) ?? 0) : 0
    if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 0) return Math.abs(count) // -0.0 is 0
    throw notACache(`the counter '${name}' of its stats is not an integer from 0 to 2^53 − 1`)
  }
  return { hits: counter('hits'), misses: counter('misses'), evictions: counter('evictions') }
}

export function pairsOf(dict: unknown): Iterable<[unknown, unknown]> {
  return dict instanceof Map ? dict : Object.entries(dict as Dict)
}

function has(dict: object, key: string): boolean {
  return dict instanceof Map ? dict.has(key) : Object.hasOwn(dict, key)
}

function get(dict: object, key: string): unknown {
  if (dict instanceof Map) return dict.get(key)
  return Object.hasOwn(dict, key) ? (dict as Record<string, unknown>)[key] : undefined
}

function notACache(why: string): ValueError {
  return new ValueError(`Cannot load this pickle as a cache: ${why}`, {
    advice: "A cache is {'entries': {key: (value, expires_at)}, 'stats': {'hits': …, 'misses': …, 'evictions': …}}.",
  })
}
