/** One line of `{"key": …, "value": …, "ttl": …, "stale": …, "tags": […]}`. */
import { isUtf8 } from 'node:buffer'
import type { Duration } from '../../cache/arguments/duration.js'
import { parseDuration } from '../journal/options.js'

export interface NdjsonEntry {
  key: string
  value: unknown
  ttl: Duration | undefined
  stale: Duration | undefined
  tags: readonly string[] | undefined
}

/** `undefined` for an empty line. @throws Error that says what is wrong. */
export function parseEntry(bytes: Buffer): NdjsonEntry | undefined {
  if (!isUtf8(bytes)) throw new Error('it is not UTF-8')
  const text = bytes.toString('utf8')
  if (text.trim() === '') return undefined
  const parsed = JSON.parse(text) as unknown
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw expected('it is not an object')
  const { key, value, ttl, stale, tags } = parsed as Partial<Record<string, unknown>>
  if (typeof key !== 'string') throw expected('"key" is missing or not a string')
  if (value === undefined) throw expected('"value" is missing')
  // The cache's own errors name what is invalid.
  const given = tags === null ? undefined : (tags as readonly string[] | undefined)
  return { key, value, ttl: durationOf(ttl), stale: durationOf(stale), tags: given }
}

function durationOf(duration: unknown): Duration | undefined {
  if (duration === undefined || duration === null) return undefined
  return typeof duration === 'string' ? parseDuration(duration) : (duration as Duration)
}

function expected(reason: string): Error {
  return new Error(`${reason}; a line looks like {"key": "user:1", "value": {"name": "Ada"}, "ttl": "1h"}`)
}
