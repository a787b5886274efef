/** One line of `{"key": …, "value": …, "ttl": …}`. */
import { isUtf8 } from 'node:buffer'
import type { Duration } from '../../cache/duration.js'
import { parseDuration } from '../journal/options.js'

export interface NdjsonEntry {
  key: string
  value: unknown
  ttl: Duration | undefined
}

/** `undefined` for an empty line. @throws Error that says what is wrong. */
export function parseEntry(bytes: Buffer): NdjsonEntry | undefined {
  if (!isUtf8(bytes)) throw new Error('it is not UTF-8')
  const text = bytes.toString('utf8')
  if (text.trim() === '') return undefined
  const parsed = JSON.parse(text) as unknown
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw expected('it is not an object')
  const { key, value, ttl } = parsed as Partial<Record<string, unknown>>
  if (typeof key !== 'string') throw expected('"key" is missing or not a string')
  if (value === undefined) throw expected('"value" is missing')
  return { key, value, ttl: ttlOf(ttl) }
}

function ttlOf(ttl: unknown): Duration | undefined {
  if (ttl === undefined || ttl === null) return undefined
  return typeof ttl === 'string' ? parseDuration(ttl) : (ttl as Duration) // the cache's own error names an invalid one
}

function expected(reason: string): Error {
  return new Error(`${reason}; a line looks like {"key": "user:1", "value": {"name": "Ada"}, "ttl": "1h"}`)
}
