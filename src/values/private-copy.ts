/**
 * The first step of storing a value: one walk that makes a copy which belongs to the cache alone. It reads what structured cloning
 * reads, in the same order, and every getter once, so that a value that changes meanwhile is still stored as one consistent value.
 * In the copy there are no getters, classes or Proxies, and in the place of each error stands a bare one (`error-records.ts`).
 *
 * Refused: functions and symbols, and whatever else structured cloning refuses, as soon as they are met; and after the walk,
 * objects of which a clone keeps nothing and nesting that is too deep. Before: the caller. After: `encode.ts`.
 */
import { types } from 'node:util'
import { describe, reasonOf, ValueError } from '../errors.js'
import { type ErrorRecord, recordOf, standInFor } from './error-records.js'
import { isPlain, isUncloneable, kindOf } from './kinds.js'
import { pathOf, type Step } from './path.js'
import { define } from './plain/define.js'
import { Bare, PLAIN_LEVELS_MAX } from './plain/plain-data.js'

const { isProxy } = types

/** Deeper values are refused. V8 reads nested objects recursively; this depth fits on any stack. */
export const NESTING_LEVELS_MAX = 1_000

export interface PrivateCopy {
  readonly copy: object
  /** Whether it is a tree of objects, arrays, primitives and Dates (`plain/plain-data.ts`). */
  readonly isPlain: boolean
  /** What the errors in the copy have beside class, message and stack. */
  readonly records: ErrorRecord[]
}

/**
 * A copy of a value.
 * @param key of the entry, for the error.
 * @throws ValueError for a value that cannot be stored.
 */
export function privateCopyOf(value: object, key?: string): PrivateCopy {
  const walk = idle ?? new Walk()
  idle = undefined // a getter may store another value meanwhile
  try {
    const copy = walk.copy(value)
    if (walk.refusal !== undefined) throw refused(walk.refusal.path, walk.refusal.reason, key)
    return { copy: copy as object, isPlain: walk.isPlain, records: walk.takeRecords() }
  } catch (error) {
    if (error instanceof Uncloneable) throw refused(error.path, error.message, key)
    if (error instanceof ValueError) throw error
    throw new ValueError(`Cannot store ${nameOf(key)}: ${reasonOf(error)}`, { cause: error })
  } finally {
    walk.clear()
    idle = walk
  }
}

/** The walk that is not in use. */
let idle: Walk | undefined

function nameOf(key: string | undefined): string {
  return key === undefined ? 'this value' : `the value of ${describe(key)}`
}

function refused(path: string, reason: string, key: string | undefined): ValueError {
  return new ValueError(`Cannot store ${nameOf(key)}: ${path === '' ? 'it' : `its part ${path}`} is ${reason}`)
}

/** Something that structured cloning refuses. */
class Uncloneable extends Error {
  readonly path: string
  constructor(path: string, reason: string) {
    super(reason)
    this.path = path
  }
}

/** Beyond this many parts, a Map finds those that were met before. */
const LISTED_MAX = 16
/** Room for more is not kept for the next value. */
const KEPT_MAX = 1_000

/** Whether it is copied by being assigned. */
function isPrimitive(part: unknown): boolean {
  if (typeof part === 'string' || typeof part === 'number') return true // most of them
  return (typeof part !== 'object' || part === null) && typeof part !== 'function' && typeof part !== 'symbol'
}

/**
 * Whether an object with such a prototype may be of another kind that was given this prototype, by its first key: it has none, or
 * it has elements, as a text in a box and the `arguments` of a call have.
 */
function mayBeOther(first: string | undefined): boolean {
  return first === undefined || first === '0'
}

const NOTHING: readonly never[] = []

function inheritsProperties(): boolean {
  for (const _ in NOTHING) return true
  return false
}

type Properties = Readonly<Record<string, unknown>>

class Walk {
  /** The objects that were met, and their copies, so that a part that occurs twice is copied once. */
  readonly #originals: (object | undefined)[] = []
  readonly #copies: (object | undefined)[] = []
  /** How many these are. The arrays are longer: so V8 need not make room again for each value. */
  #count = 0
  #places: Map<object, number> | undefined
  #records: ErrorRecord[] = []
  /** The way from the value to the present part, for errors. */
  readonly #path: Step[] = []
  /** The first part that structured cloning would accept, but a cache must not. */
  refusal: { path: string; reason: string } | undefined

  isPlain = true
  /** Whether objects and arrays inherit properties that for...in lists. */
  #isPolluted = false

  copy(value: object): unknown {
    this.isPlain = true
    this.#isPolluted = inheritsProperties()
    return this.#part(value, 1)
  }

  takeRecords(): ErrorRecord[] {
    const records = this.#records
    if (records.length > 0) this.#records = []
    return records
  }

  clear(): void {
    this.#forget(0)
    if (!this.isPlain) this.#path.length = 0 // otherwise it holds no object, and V8 sets the length of an array in its runtime
    this.refusal = undefined
    if (this.#records.length > 0) this.#records = []
  }

  /** @param level of the part, if it is an object; 1 is the value itself */
  #part(part: unknown, level: number): unknown {
    switch (typeof part) {
      case 'function':
        throw this.#uncloneable('a function, which cannot be cloned', level)
      case 'symbol':
        throw this.#uncloneable('a symbol, which cannot be cloned', level)
      case 'object':
        return part === null ? null : this.#object(part, level)
      default:
        return part
    }
  }

  #object(source: object, level: number): unknown {
    const met = this.#find(source)
    if (met !== undefined) {
      this.isPlain = false
      return met
    }
    if (level > PLAIN_LEVELS_MAX) this.isPlain = false
    if (level > NESTING_LEVELS_MAX) {
      this.#refuse(`nested deeper than ${NESTING_LEVELS_MAX} levels. Nest it less deep, or store its parts`, level)
      return undefined
    }
    if (isProxy(source)) throw this.#uncloneable('a Proxy, which cannot be cloned', level)
    if (Array.isArray(source)) return this.#array(source, level)
    if (Object.getPrototypeOf(source) === Object.prototype && !this.#isPolluted) {
      return this.#ordinary(source as Properties, level)
    }
    if (types.isDate(source) || !isPlain(source)) return this.#other(source, level) // a Date is recognized sooner than plainness
    const keys = Object.keys(source)
    return mayBeOther(keys[0]) ? this.#other(source, level) : this.#properties(source as Properties, keys, level)
  }

  /** An object that inherits nothing that for...in lists. */
  #ordinary(source: Properties, level: number): unknown {
    const copy = new Bare()
    this.#remember(source, copy)
    let first: string | undefined
    for (const key in source) {
      if (first === undefined) {
        first = key
        if (mayBeOther(first)) break
      }
      const part = source[key]
      copy[key] = isPrimitive(part) ? part : this.#child(part, key, level)
    }
    if (!mayBeOther(first)) return copy
    this.#forget(this.#count - 1)
    return this.#other(source, level)
  }

  #properties(source: Properties, keys: readonly string[], level: number): object {
    const copy = new Bare()
    this.#remember(source, copy)
    for (const key of keys) {
      if (!Object.hasOwn(source, key)) continue // a getter has removed it
      copy[key] = this.#child(source[key], key, level)
    }
    return copy
  }

  #child(part: unknown, step: Step, level: number): unknown {
    if ((typeof part !== 'object' || part === null) && typeof part !== 'function' && typeof part !== 'symbol')
      return part
    this.#path[level - 1] = step
    return this.#part(part, level + 1)
  }

  #array(source: readonly unknown[], level: number): unknown[] {
    const copy: unknown[] = []
    const place = this.#count
    this.#remember(source, copy)
    const { length } = source
    const keys = Object.keys(source)
    // The elements come first, in order: so they are all there, and there are no other properties.
    const isDense =
      !this.#isPolluted && keys.length === length && (length === 0 || keys[length - 1] === String(length - 1))
    if (!isDense) {
      this.isPlain = false
      copy.length = length
      for (const key of keys) {
        if (!Object.hasOwn(source, key)) continue
        define(copy, key, this.#child((source as unknown as Properties)[key], key, level), true)
      }
      return copy
    }
    for (let index = 0; index < length; index++) {
      const part = source[index]
      // A getter of an earlier element may have removed it.
      if (part === undefined && !Object.hasOwn(source, index)) {
        this.isPlain = false
        copy.length = index + 1
      } else copy[index] = isPrimitive(part) ? part : this.#child(part, index, level) // appends, unless something was removed
    }
    if (!this.isPlain) return copy // which may be in itself
    const exact = copy.slice() // V8 leaves room for 16 more items in an array that grows
    this.#copies[place] = exact
    return exact
  }

  #other(source: object, level: number): unknown {
    if (types.isDate(source)) return this.#remember(source, new Date(Date.prototype.getTime.call(source)))
    const { isPlain: wasPlain } = this
    this.isPlain = false
    if (types.isMap(source)) return this.#map(source, level)
    if (types.isSet(source)) return this.#set(source, level)
    if (types.isNativeError(source) || source instanceof Error) return this.#error(source, level)
    // V8 copies these itself, and runs no code for it.
    if (types.isRegExp(source) || ArrayBuffer.isView(source) || types.isArrayBuffer(source)) return source
    if (types.isBoxedPrimitive(source) && !types.isSymbolObject(source)) return source
    if (isUncloneable(source)) throw this.#uncloneable(`${kindOf(source)}, which cannot be cloned`, level)
    this.isPlain = wasPlain
    const keys = Object.keys(source)
    if (keys.length === 0 && !isPlain(source)) {
      this.#refuse(`${kindOf(source)}, of which nothing would be kept: it has no properties of its own`, level)
    }
    return this.#properties(source as Properties, keys, level)
  }

  #map(source: Map<unknown, unknown>, level: number): Map<unknown, unknown> {
    const copy = new Map<unknown, unknown>()
    this.#remember(source, copy)
    const pairs: [unknown, unknown][] = []
    Map.prototype.forEach.call(source, (value, key) => void pairs.push([key, value]))
    for (const [key, value] of pairs) {
      const keyCopy = this.#child(key, { to: 'key', key }, level)
      copy.set(keyCopy, this.#child(value, { to: 'value', key }, level))
    }
    return copy
  }

  #set(source: Set<unknown>, level: number): Set<unknown> {
    const copy = new Set<unknown>()
    this.#remember(source, copy)
    const items: unknown[] = []
    Set.prototype.forEach.call(source, (item) => void items.push(item))
    for (const item of items) copy.add(this.#child(item, { to: 'key', key: item }, level))
    return copy
  }

  #error(source: Error, level: number): Error {
    const copy = standInFor(source)
    this.#remember(source, copy)
    const record = recordOf(source, copy, (name, isOptional) => this.#errorPart(source, name, isOptional, level))
    if (record !== undefined) this.#records.push(record)
    return copy
  }

  /** `optional`: structured cloning does not look at it, so it is left out if it cannot be cloned. */
  #errorPart(source: Error, name: string, isOptional: boolean, level: number): { value: unknown } | undefined {
    const { refusal } = this
    const [parts, records] = [this.#count, this.#records.length]
    try {
      return { value: this.#child((source as unknown as Properties)[name], name, level) }
    } catch (error) {
      if (!isOptional || error instanceof RangeError) throw error // a RangeError: too little stack
      this.refusal = refusal
      this.#forget(parts)
      this.#records.length = records
      return undefined
    }
  }

  #find(source: object): object | undefined {
    if (this.#places !== undefined) {
      const place = this.#places.get(source)
      return place === undefined ? undefined : this.#copies[place]
    }
    for (let place = 0; place < this.#count; place++) if (this.#originals[place] === source) return this.#copies[place]
    return undefined
  }

  #remember<Copy extends object>(source: object, copy: Copy): Copy {
    const place = this.#count++
    this.#originals[place] = source
    this.#copies[place] = copy
    if (this.#places !== undefined) this.#places.set(source, place)
    else if (place === LISTED_MAX)
      this.#places = new Map(this.#originals.slice(0, this.#count).map((one, at) => [one as object, at]))
    return copy
  }

  /** Forgets the parts that were met after the first `count`. */
  #forget(count: number): void {
    if (count < LISTED_MAX) this.#places = undefined
    for (let place = count; place < this.#count; place++) {
      this.#places?.delete(this.#originals[place] as object)
      this.#originals[place] = this.#copies[place] = undefined
    }
    this.#count = count
    if (this.#originals.length > KEPT_MAX) this.#originals.length = this.#copies.length = count
  }

  #uncloneable(reason: string, level: number): Uncloneable {
    return new Uncloneable(pathOf(this.#path.slice(0, level - 1)), reason)
  }

  #refuse(reason: string, level: number): void {
    this.refusal ??= { path: pathOf(this.#path.slice(0, level - 1)), reason }
  }
}
