/**
 * Values and keys as text. A value that JSON can express exactly is shown as JSON; any other (a Map, a Date, a bigint, bytes,
 * NaN, a cycle) as `util.inspect` shows it, so that no value looks like a different one.
 */
import { inspect } from 'node:util'
import type { StoredValue } from '../../core/model/stored-value.js'
import { restoreOnce } from '../../values/encode.js'
import { messageOf } from './failures.js'
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
/** A value has no more in the order in which it was stored; other ways through shared parts may be longer. */
const LEVELS_MAX = 1_000

/**
 * Whether the text would be much longer than the value: a part that occurs twice is written twice, so 40 levels of
 * `{ a: part, b: part }` would be written 2^40 times, and twelve objects that refer to one another 12! times. Walks as
 * the writer would, which looks only at what it is inside of, until it has seen enough.
 */
function isTooLarge(value: unknown): boolean {
  const met = new Set<object>()
  const ancestors = new Set<object>()
  let repeated = 0
  const walk = (part: unknown, isInRepeated: boolean, level: number): boolean => {
    if (typeof part !== 'object' || part === null || ancestors.has(part)) {
      if (isInRepeated) repeated += lengthOf(part)
      return repeated > REPEATED_LENGTH_MAX
    }
    const isRepeated = isInRepeated || met.has(part)
    met.add(part)
    if (isRepeated) repeated += lengthOf(part)
    if (level > LEVELS_MAX || repeated > REPEATED_LENGTH_MAX) return true
    ancestors.add(part)
    for (const member of partsOf(part)) if (walk(member, isRepeated, level + 1)) return true
    ancestors.delete(part)
    return false
  }
  return walk(value, false, 1)
}

/** About how long its text is, apart from that of its parts. */
function lengthOf(part: unknown): number {
  if (typeof part === 'string') return part.length
  if (typeof part === 'bigint') return part.toString(16).length
  if (ArrayBuffer.isView(part) || part instanceof ArrayBuffer) return 1 + part.byteLength
  if (part instanceof RegExp) return part.source.length
  return 1
}

function* partsOf(value: object): Iterable<unknown> {
  if (value instanceof Map) for (const pair of value) yield* pair
  else if (value instanceof Set) yield* value
  else if (value instanceof Error) yield* [value.message, value.stack, value.cause, (value as AggregateError).errors]
  if (ArrayBuffer.isView(value)) return
  for (const [key, member] of Object.entries(value)) {
    if (!Array.isArray(value)) yield key
    yield member
  }
}

/** A copy for display, in which only the first occurrence of a part is written out. */
function withoutRepeats(value: unknown, seen: Set<object>): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (seen.has(value)) return { [inspect.custom]: () => '[shown above]' }
  seen.add(value)
  if (ArrayBuffer.isView(value)) return value
  const copy = (part: unknown) => withoutRepeats(part, seen)
  if (value instanceof Map) return new Map([...value].map(([key, member]) => [copy(key), copy(member)]))
  if (value instanceof Set) return new Set([...value].map(copy))
  const members = Object.entries(value).map(([key, member]) => [key, copy(member)] as const)
  if (Array.isArray(value)) return Object.assign(new Array(value.length), Object.fromEntries(members))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return Object.fromEntries(members)
  return { [inspect.custom]: () => inspect(value, { depth: 0 }) }
}

/** A stored value to look at: one that cannot be read is shown as the reason. */
export function restoreToShow(stored: StoredValue): unknown {
  try {
    return restoreOnce(stored)
  } catch (error) {
    return new Unreadable(messageOf(error))
  }
}

class Unreadable {
  readonly #reason: string

  constructor(reason: string) {
    this.#reason = reason
  }

  [inspect.custom](): string {
    return `[${this.#reason}]`
  }
}

/** No space, quote, backslash or control character, and no lone surrogate (all in category C). */
const PLAIN_KEY = /^[^\s"'\\\p{C}]+$/u

/** A key as it is, or quoted if it could be misread. The shell accepts both. */
export function showKey(key: string): string {
  return PLAIN_KEY.test(key) ? key : printable(JSON.stringify(key))
}

/** Characters of a value in a line of several things. */
export const VALUE_LENGTH_MAX = 200

/** Cuts a long text, and says how long it is. */
export function shorten(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text
  const start = text.slice(0, lengthMax).replace(/[\ud800-\udbff]$/, '') // not half a character
  return `${start}… (${text.length} characters)`
}
