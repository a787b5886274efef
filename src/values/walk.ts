/**
 * The first step of storing a value: one walk that reads what structured cloning reads, in the same order, and every getter once, so that
 * a value that changes meanwhile is still stored as one consistent value. It writes what it reads as plain data. As soon as it meets
 * something that plain data cannot have, it makes a copy instead, beginning with what it has written: so nothing is read twice.
 * In the copy there are no getters, classes or Proxies, and in the place of each error stands a bare one (`error-records.ts`).
 *
 * Refused: functions and symbols, and whatever else structured cloning refuses, as soon as they are met; and after the walk,
 * objects of which a clone keeps nothing and nesting that is too deep. Before: the caller. After: `encode.ts`.
 */
import { types } from 'node:util'
import type { PlainBytes } from '../core/model/stored-value.js'
import { reasonOf, ValueError } from '../errors.js'
import { ByteWriter } from './bytes/byte-writer.js'
import { type ErrorRecord, recordOf, standInFor } from './error-records.js'
import { inheritsProperties, isCopiedByV8, isPlain, isUncloneable, kindOf } from './kinds.js'
import { MetParts, type Place } from './met-parts.js'
import { pathOf, type Step } from './path.js'
import { type Bare, bareFor } from './plain/bare.js'
import { partsBegun } from './plain/decode.js'
import { define } from './plain/define.js'
import { heldBytes, putArray, putDate, putDictionary, putPrimitive } from './plain/encode.js'
import { PLAIN_LEVELS_MAX } from './plain/plain-data.js'
import { putKey, ValueShapes } from './plain/shapes.js'
import { nameOf, refused, Uncloneable } from './uncloneable.js'

const { isProxy } = types

/** Deeper values are refused. V8 reads nested objects recursively; this depth fits on any stack. */
export const NESTING_LEVELS_MAX = 1_000

/** Of a value that is not plain data. */
export interface PrivateCopy {
  readonly copy: object
  /** What the errors in the copy have beside class, message and stack. */
  readonly records: ErrorRecord[]
}

/**
 * The bytes of plain data, which is a tree of objects, arrays, primitives and Dates; a copy of anything else.
 * @param key of the entry, for the error.
 * @throws ValueError for a value that cannot be stored.
 */
export function walkThrough(value: object, key?: string): PlainBytes | PrivateCopy {
  const walk = idle ?? new Walk()
  idle = undefined // a getter may store another value meanwhile
  try {
    return walk.run(value, key)
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

type Properties = Readonly<Record<string, unknown>>

class Walk {
  readonly #met = new MetParts()
  readonly #writer = new ByteWriter(4 * 1024)
  readonly #shapes = new ValueShapes()
  /** Whether all that was read so far is written; otherwise it is copied. */
  #isWriting = true
  #records: ErrorRecord[] = []
  /** The way from the value to the present part, for errors. */
  readonly #path: Step[] = []
  /** The first part that structured cloning would accept, but a cache must not. */
  #refusal: { path: string; reason: string } | undefined

  #isPlain = true
  /** Whether objects and arrays inherit properties that for...in lists. */
  #isPolluted = false

  run(value: object, key: string | undefined): PlainBytes | PrivateCopy {
    this.#isPlain = true
    this.#isWriting = true
    this.#shapes.begin()
    this.#isPolluted = inheritsProperties()
    const copy = this.#object(value, 1)
    if (this.#refusal !== undefined) throw refused(this.#refusal.path, this.#refusal.reason, key)
    const writer = this.#writer
    if (this.#isWriting) return heldBytes(writer.bytes, 0, writer.length)
    if (this.#isPlain) return walkThrough(copy as object, key) // a getter has removed a property
    return { copy: copy as object, records: this.#records }
  }

  clear(): void {
    this.#met.forget(0)
    this.#writer.clear()
    if (!this.#isWriting) this.#path.length = 0 // otherwise it holds no object, and V8 sets the length of an array in its runtime
    this.#refusal = undefined
    if (this.#records.length > 0) this.#records = []
  }

  /** From now on the value is copied. */
  #copyFromNowOn(): void {
    if (!this.#isWriting) return
    this.#isWriting = false
    const begun = partsBegun(this.#writer.bytes, this.#writer.length)
    for (let place = 0; place < begun.length; place++) this.#met.setCopy(place, begun[place] as object)
  }

  /** The copy of a part that was written, from now on. */
  #copyInstead(place: Place): object {
    this.#copyFromNowOn()
    return this.#met.copyAt(place)
  }

  /** The value is not plain data. */
  #notPlain(): void {
    this.#isPlain = false
    this.#copyFromNowOn()
  }

  /** Writes a part, or returns a copy: which of the two, {@link #isWriting} says afterwards. `level`: of that which it is in. */
  #part(part: unknown, step: Step, level: number): unknown {
    switch (typeof part) {
      case 'object':
        if (part === null) break
        this.#path[level - 1] = step
        return this.#object(part, level + 1)
      case 'function':
      case 'symbol':
        this.#path[level - 1] = step
        throw this.#uncloneable(`a ${typeof part}, which cannot be cloned`, level + 1)
    }
    if (this.#isWriting) putPrimitive(this.#writer, part)
    return part
  }

  /** @param level of the part; 1 is the value itself */
  #object(source: object, level: number): unknown {
    const met = this.#met.find(source)
    if (met !== undefined) {
      this.#notPlain()
      return this.#met.copyAt(met)
    }
    if (level > PLAIN_LEVELS_MAX) this.#notPlain()
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
    const shape = this.#shapes.of(source)
    if (shape === undefined) {
      const keys = Object.keys(source)
      return mayBeOther(keys[0]) ? this.#other(source, level) : this.#properties(source, keys, level)
    }
    if (mayBeOther(shape.first)) return this.#other(source, level)
    const place = this.#met.add(source)
    let copy: Bare | undefined
    if (this.#isWriting) this.#shapes.put(this.#writer, shape)
    else this.#met.setCopy(place, (copy = bareFor(shape.keys.length)))
    const { keys } = shape
    let written = 0
    for (const key in source) {
      if (copy === undefined && key !== keys[written++]) copy = this.#copyInstead(place) as Bare // a getter has removed a key
      const part = source[key]
      if (copy !== undefined) copy[key] = isPrimitive(part) ? part : this.#part(part, key, level)
      else if (isPrimitive(part)) putPrimitive(this.#writer, part)
      else {
        const made = this.#part(part, key, level)
        if (this.#isWriting) continue
        copy = this.#met.copyAt(place) as Bare
        copy[key] = made
      }
    }
    return copy === undefined && written < keys.length ? this.#copyInstead(place) : copy
  }

  #properties(source: Properties, keys: readonly string[], level: number): object | undefined {
    const place = this.#met.add(source)
    const shape = this.#shapes.ofKeys(keys)
    let copy: Bare | undefined
    if (!this.#isWriting) this.#met.setCopy(place, (copy = bareFor(keys.length)))
    else if (shape === undefined) putDictionary(this.#writer, keys.length)
    else this.#shapes.put(this.#writer, shape)
    for (const key of keys) {
      if (!Object.hasOwn(source, key)) {
        copy ??= this.#copyInstead(place) as Bare // a getter has removed it
        continue
      }
      const part = source[key]
      if (copy === undefined && shape === undefined) putKey(this.#writer, key)
      const made = this.#part(part, key, level)
      if (this.#isWriting) continue
      copy ??= this.#met.copyAt(place) as Bare
      copy[key] = made
    }
    return copy
  }

  #array(source: readonly unknown[], level: number): unknown[] | undefined {
    const { length } = source
    const keys = Object.keys(source)
    // The elements come first, in order: so they are all there, and there are no other properties.
    const isDense =
      !this.#isPolluted && keys.length === length && (length === 0 || keys[length - 1] === String(length - 1))
    if (!isDense) return this.#sparseArray(source, keys, level)
    const place = this.#met.add(source)
    let copy: unknown[] | undefined
    if (this.#isWriting) putArray(this.#writer, length)
    else this.#met.setCopy(place, (copy = []))
    for (let index = 0; index < length; index++) {
      const part = source[index]
      if (part === undefined && !Object.hasOwn(source, index)) {
        // A getter of an earlier element has removed it.
        this.#notPlain()
        copy ??= this.#met.copyAt(place) as unknown[]
        copy.length = index + 1
        continue
      }
      if (copy === undefined && isPrimitive(part)) {
        putPrimitive(this.#writer, part)
        continue
      }
      const made = this.#part(part, index, level)
      if (this.#isWriting) continue
      copy ??= this.#met.copyAt(place) as unknown[]
      copy[index] = made // appends, unless something was removed
    }
    return copy
  }

  #sparseArray(source: readonly unknown[], keys: readonly string[], level: number): unknown[] {
    this.#notPlain()
    const copy: unknown[] = []
    this.#met.setCopy(this.#met.add(source), copy)
    copy.length = source.length
    for (const key of keys) {
      if (!Object.hasOwn(source, key)) continue
      define(copy, key, this.#part((source as unknown as Properties)[key], key, level), true)
    }
    return copy
  }

  #other(source: object, level: number): unknown {
    if (types.isDate(source)) return this.#date(source)
    if (types.isMap(source)) return this.#map(source, level)
    if (types.isSet(source)) return this.#set(source, level)
    if (types.isNativeError(source) || source instanceof Error) return this.#error(source, level)
    if (isCopiedByV8(source)) {
      this.#notPlain()
      return source
    }
    if (isUncloneable(source)) throw this.#uncloneable(`${kindOf(source)}, which cannot be cloned`, level)
    const keys = Object.keys(source)
    if (keys.length === 0 && !isPlain(source)) {
      this.#refuse(`${kindOf(source)}, of which nothing would be kept: it has no properties of its own`, level)
    }
    return this.#properties(source as Properties, keys, level)
  }

  #date(source: Date): Date | undefined {
    const epochMs = Date.prototype.getTime.call(source)
    const place = this.#met.add(source)
    if (this.#isWriting) {
      putDate(this.#writer, epochMs)
      return undefined
    }
    const copy = new Date(epochMs)
    this.#met.setCopy(place, copy)
    return copy
  }

  #map(source: Map<unknown, unknown>, level: number): Map<unknown, unknown> {
    this.#notPlain()
    const copy = new Map<unknown, unknown>()
    this.#met.setCopy(this.#met.add(source), copy)
    const pairs: [unknown, unknown][] = []
    Map.prototype.forEach.call(source, (value, key) => void pairs.push([key, value]))
    for (const [key, value] of pairs) {
      const keyCopy = this.#part(key, { to: 'key', key }, level)
      copy.set(keyCopy, this.#part(value, { to: 'value', key }, level))
    }
    return copy
  }

  #set(source: Set<unknown>, level: number): Set<unknown> {
    this.#notPlain()
    const copy = new Set<unknown>()
    this.#met.setCopy(this.#met.add(source), copy)
    const items: unknown[] = []
    Set.prototype.forEach.call(source, (item) => void items.push(item))
    for (const item of items) copy.add(this.#part(item, { to: 'key', key: item }, level))
    return copy
  }

  #error(source: Error, level: number): Error {
    this.#notPlain()
    const copy = standInFor(source)
    this.#met.setCopy(this.#met.add(source), copy)
    const record = recordOf(source, copy, (name, isOptional) => this.#errorPart(source, name, isOptional, level))
    if (record !== undefined) this.#records.push(record)
    return copy
  }

  /** `optional`: structured cloning does not look at it, so it is left out if it cannot be cloned. */
  #errorPart(source: Error, name: string, isOptional: boolean, level: number): { value: unknown } | undefined {
    const refusal = this.#refusal
    const [parts, records] = [this.#met.count, this.#records.length]
    try {
      return { value: this.#part((source as unknown as Properties)[name], name, level) }
    } catch (error) {
      if (!isOptional || error instanceof RangeError) throw error // a RangeError: too little stack
      this.#refusal = refusal
      this.#met.forget(parts)
      this.#records.length = records
      return undefined
    }
  }

  #uncloneable(reason: string, level: number): Uncloneable {
    return new Uncloneable(pathOf(this.#path.slice(0, level - 1)), reason)
  }

  #refuse(reason: string, level: number): void {
    this.#refusal ??= { path: pathOf(this.#path.slice(0, level - 1)), reason }
  }
}
