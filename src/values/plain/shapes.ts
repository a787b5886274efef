/**
 * The lists of keys of objects. Objects of one shape are encoded as the number of their shape and their values. The shapes met
 * lately are kept, as a tree of their keys, with the bytes of each: most objects have the shape of an earlier one.
 */

import { ByteWriter } from '../bytes/byte-writer.js'
import { TAG } from './tags.js'

/** An object with more keys is encoded with its keys in place: it is a dictionary, whose shape will not be met again. */
export const SHAPE_KEYS_MAX = 64
/** Longer keys would take much memory to remember: their objects are dictionaries too. */
export const KEY_LENGTH_MAX = 100
/** Beyond this, all are forgotten. */
const NODES_MAX = 10_000

/** The first keys of some shapes; the root has none. */
export class Shape {
  /** The value in which it was defined last, and its number there. */
  definedIn = 0
  number = 0
  /** The first of its keys. */
  readonly first: string | undefined
  #bytes: Buffer | undefined
  #keys: readonly string[] | undefined
  readonly #parent: Shape | undefined
  readonly #key: string
  /** The next key of an object that had these keys, and its shape: most often it is the same again. */
  lastKey = '' // a text from the beginning: V8 compares texts faster than what may be undefined
  last: Shape | undefined
  /** The key before that: those of an object and of one within it take turns. */
  #otherKey = ''
  #other: Shape | undefined
  #next: Map<string, Shape> | undefined

  constructor(parent?: Shape, key = '') {
    this.#parent = parent
    this.#key = key
    this.first = parent === undefined ? undefined : (parent.first ?? key)
  }

  /** The shape with one more key, unless the key is too long. */
  with(key: string): Shape | undefined {
    const next = (this.#otherKey === key ? this.#other : undefined) ?? this.#find(key)
    if (next === undefined) return undefined
    this.#otherKey = this.lastKey
    this.#other = this.last
    this.lastKey = key
    this.last = next
    return next
  }

  #find(key: string): Shape | undefined {
    this.#next ??= new Map()
    let next = this.#next.get(key)
    if (next === undefined) {
      if (key.length > KEY_LENGTH_MAX) return undefined
      next = new Shape(this, key)
      this.#next.set(key, next)
      nodes++
    }
    return next
  }

  get keys(): readonly string[] {
    if (this.#keys === undefined) {
      const keys: string[] = []
      for (let shape: Shape = this; shape.#parent !== undefined; shape = shape.#parent) keys.unshift(shape.#key)
      this.#keys = keys
    }
    return this.#keys
  }

  /** Its keys, as they are encoded. */
  get bytes(): Buffer {
    if (this.#bytes === undefined) {
      const writer = new ByteWriter(256)
      for (const key of this.keys) putKey(writer, key)
      this.#bytes = Buffer.from(writer.bytes.subarray(0, writer.length))
    }
    return this.#bytes
  }
}

function next(shape: Shape, key: string): Shape | undefined {
  return (shape.lastKey === key ? shape.last : undefined) ?? shape.with(key)
}

let root = new Shape()
let nodes = 0
/** Numbers the values, so that a shape shows in which it was defined last. */
let values = 0

/** The shapes of one value that is being encoded. */
export class ValueShapes {
  #root = root
  #value = 0
  #count = 0

  /** For the next value. */
  begin(): void {
    if (nodes > NODES_MAX) {
      root = new Shape()
      nodes = 0
    }
    this.#root = root
    this.#value = ++values
    this.#count = 0
  }

  /** Of an object that inherits nothing that for...in lists; undefined for a dictionary. */
  of(object: object): Shape | undefined {
    let shape: Shape | undefined = this.#root
    let keys = 0
    for (const key in object) {
      shape = next(shape, key)
      if (shape === undefined || ++keys > SHAPE_KEYS_MAX) return undefined
    }
    return shape
  }

  /** The same by the keys. */
  ofKeys(keys: readonly string[]): Shape | undefined {
    if (keys.length > SHAPE_KEYS_MAX) return undefined
    let shape: Shape | undefined = this.#root
    for (let index = 0; index < keys.length && shape !== undefined; index++) shape = next(shape, keys[index] as string)
    return shape
  }

  /** Begins an object. */
  put(writer: ByteWriter, shape: Shape): void {
    writer.reserve(6)
    if (shape.definedIn === this.#value) {
      writer.putByte(TAG.shape)
      writer.putVarint(shape.number)
      return
    }
    shape.definedIn = this.#value
    shape.number = this.#count++
    writer.putByte(TAG.newShape)
    writer.putBytes(shape.bytes)
  }
}

export function putKey(writer: ByteWriter, key: string): void {
  writer.reserve(1)
  const at = writer.length++
  const text = writer.putText(key) // may move writer.bytes
  writer.bytes[at] = text
}
