/**
 * Values and keys as text. A value that JSON can say exactly is shown as JSON; any other (a Map, a Date, a bigint, bytes,
 * NaN, a cycle) as `util.inspect` shows it, so that nothing is shown as what it is not.
 */
import { inspect } from 'node:util'

export function showValue(value: unknown, options: { colors?: boolean } = {}): string {
  return (
    toJson(value) ??
    inspect(value, {
      colors: options.colors ?? false,
      depth: 20,
      compact: true,
      breakLength: Number.POSITIVE_INFINITY,
      maxArrayLength: 100,
      maxStringLength: 10_000,
    })
  )
}

/** The value as JSON on one line, if reading that gives the same value again; else `undefined`. */
export function toJson(value: unknown): string | undefined {
  return isJson(value, new Set()) ? JSON.stringify(value) : undefined
}

/** Recursive: the cache takes no value deeper than 1,000 levels. */
function isJson(value: unknown, ancestors: Set<object>): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  if (typeof value !== 'object' || ancestors.has(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (Array.isArray(value)) {
    if (Object.keys(value).length !== value.length) return false // holes, or properties beside the elements
  } else if (prototype !== Object.prototype && prototype !== null) return false
  ancestors.add(value)
  const isAll = Object.values(value).every((member) => isJson(member, ancestors))
  ancestors.delete(value)
  return isAll
}

/** No space, quote, backslash or control character, and no lone surrogate (all in category C). */
const PLAIN_KEY = /^[^\s"'\\\p{C}]+$/u

/** A key as it is, or quoted if it could be misread; the shell takes both. */
export function showKey(key: string): string {
  return PLAIN_KEY.test(key) ? key : JSON.stringify(key)
}

/** Cuts text that would fill the screen, and says how long it is. */
export function shorten(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text
  return `${text.slice(0, lengthMax)}… (${text.length} characters)`
}
