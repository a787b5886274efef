/**
 * Values and keys as text. A value that JSON can express exactly is shown as JSON; any other (a Map, a Date, a bigint, bytes,
 * NaN, a cycle) as `util.inspect` shows it, so that no value looks like a different one.
 */
import { inspect } from 'node:util'
import { type Colors, printable } from './printable.js'

export interface ShowOptions {
  colors?: Colors
  /** Whether to show long arrays, long texts and deep levels in full. */
  isFull?: boolean
}

export function showValue(value: unknown, { colors, isFull = false }: ShowOptions = {}): string {
  return (
    toJson(value) ??
    inspect(isTooLarge(value) ? withoutRepeats(value, new Set()) : value, {
      depth: isFull ? Number.POSITIVE_INFINITY : 20,
      compact: true,
      breakLength: Number.POSITIVE_INFINITY,
      maxArrayLength: isFull ? null : 100,
      maxStringLength: isFull ? null : 10_000,
      // Not among the options of @types/node; a Node that did not know it would show the value without colours.
      ...(colors === undefined ? {} : { stylize: stylizer(colors) }),
    })
  )
}

const STYLES: Readonly<Record<string, keyof Colors>> = {
  number: 'yellow',
  bigint: 'yellow',
  boolean: 'yellow',
  string: 'green',
  date: 'magenta',
  regexp: 'red',
  special: 'cyan',
  null: 'bold',
  undefined: 'dim',
}

function stylizer(colors: Colors) {
  return (text: string, kind: string): string => {
    const style = STYLES[kind]
    return style === undefined ? text : colors[style](text)
  }
}

/** The value as JSON on one line, if reading that gives an equal value again; else `undefined`. */
export function toJson(value: unknown): string | undefined {
  return isJson(value, new Set(), new Set()) && !isTooLarge(value) ? JSON.stringify(value) : undefined
}

/** Recursive, since a stored value has at most 1,000 levels. `exact`: the parts that are known to be JSON. */
function isJson(value: unknown, ancestors: Set<object>, exact: Set<object>): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  if (typeof value !== 'object' || ancestors.has(value)) return false
  if (exact.has(value)) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  if (Array.isArray(value)) {
    if (Object.keys(value).length !== value.length) return false // holes, or properties beside the elements
  } else if (prototype !== Object.prototype && prototype !== null) return false
  ancestors.add(value)
  const isAll = Object.values(value).every((member) => isJson(member, ancestors, exact))
  ancestors.delete(value)
  if (isAll) exact.add(value)
  return isAll
}

/** How much longer the text may be because of parts that occur many times. */
const REPEATED_LENGTH_MAX = 1_000_000

/**
 * Whether the text would be much longer than the value: a part that occurs twice is written twice, so 40 levels of
 * `{ a: part, b: part }` would be written 2^40 times.
 */
function isTooLarge(value: unknown): boolean {
  if (typeof value !== 'object') return false
  const lengths = new Map<object, number>()
  let onceEach = 0
  const lengthOf = (part: unknown): number => {
    if (typeof part !== 'object' || part === null) {
      const length = typeof part === 'string' ? part.length : 1
      onceEach += length
      return length
    }
    const known = lengths.get(part)
    if (known !== undefined) return known
    lengths.set(part, 1) // in a cycle it is written once
    onceEach++
    let length = 1
    for (const member of partsOf(part)) length += lengthOf(member)
    lengths.set(part, length)
    return length
  }
  return lengthOf(value) > onceEach + REPEATED_LENGTH_MAX
}

function* partsOf(value: object): Iterable<unknown> {
  if (value instanceof Map) for (const pair of value) yield* pair
  else if (value instanceof Set) yield* value
  else if (value instanceof Error) yield value.cause
  if (!ArrayBuffer.isView(value)) yield* Object.values(value)
}

/** A copy for display, in which only the first occurrence of a part is written out. */
function withoutRepeats(value: unknown, seen: Set<object>): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  if (seen.has(value)) return { [inspect.custom]: () => '[shown above]' }
  seen.add(value)
  const copy = (part: unknown) => withoutRepeats(part, seen)
  if (value instanceof Map) return new Map([...value].map(([key, member]) => [copy(key), copy(member)]))
  if (value instanceof Set) return new Set([...value].map(copy))
  if (Array.isArray(value)) return value.map(copy)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null)
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, copy(member)]))
  return { [inspect.custom]: () => inspect(value, { depth: 0 }) }
}

/** No space, quote, backslash or control character, and no lone surrogate (all in category C). */
const PLAIN_KEY = /^[^\s"'\\\p{C}]+$/u

/** A key as it is, or quoted if it could be misread. The shell accepts both. */
export function showKey(key: string): string {
  return PLAIN_KEY.test(key) ? key : printable(JSON.stringify(key))
}

/** Cuts a long text, and says how long it is. */
export function shorten(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text
  const start = text.slice(0, lengthMax).replace(/[\ud800-\udbff]$/, '') // not half a character
  return `${start}… (${text.length} characters)`
}
