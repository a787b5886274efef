/**
 * The lists of keys of objects. Objects of one shape are encoded as the number of their shape and their values. The shapes met
 * lately are kept, as a tree of their keys, with the bytes of each: most objects have the shape of an earlier one.
 */

import { ByteReader } from '../bytes/byte-reader.js'
import { ByteWriter } from '../bytes/byte-writer.js'

/** An object with more keys is encoded with its keys in place: it is a dictionary, whose shape will not be met again. */
export const SHAPE_KEYS_MAX = 64
/** Longer keys would take much memory to remember: their objects are dictionaries too. */
const KEY_LENGTH_MAX = 100
/** Beyond this, all are forgotten. */
const NODES_MAX = 10_000
/** The same for shapes that are read. */
const LISTS_MAX = 1_000
const LIST_BYTES_MAX = SHAPE_KEYS_MAX * KEY_LENGTH_MAX

/** The first keys of some shapes; the root has none. */
export class Shape {
  /** The value in which it was defined last, and its number there. */
  definedIn = 0
  number = 0
  #bytes: Buffer | undefined
  readonly #parent: Shape | undefined
  readonly #key: string
  /** The next key of an object that had these keys, and its shape: most often it is the same again. */
  lastKey: string | undefined
  last: Shape | undefined
  /** The key before that: those of an object and of one within it take turns. */
  #otherKey: string | undefined
  #other: Shape | undefined
  #next: Map<string, Shape> | undefined

  constructor(parent?: Shape, key = '') {
    this.#parent = parent
    this.#key = key
  }

  /** The shape with one more key, unless the key is too long. */
  with(key: string): Shape | undefined {
    const next = this.#otherKey === key ? this.#other : this.#find(key)
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

  /** Its keys, as they are encoded. */
  get bytes(): Buffer {
    if (this.#bytes === undefined) {
      const keys: string[] = []
      for (let shape: Shape = this; shape.#parent !== undefined; shape = shape.#parent) keys.unshift(shape.#key)
      const writer = new ByteWriter(256)
      for (const key of keys) putKey(writer, key)
      this.#bytes = Buffer.from(writer.bytes.subarray(0, writer.length))
    }
    return this.#bytes
  }
}

let root = new Shape()
let nodes = 0

/** The shape without keys. Call it once a value, so that there are not too many. */
export function emptyShape(): Shape {
  if (nodes > NODES_MAX) {
    root = new Shape()
    nodes = 0
  }
  return root
}

export function putKey(writer: ByteWriter, key: string): void {
  writer.reserve(1)
  const at = writer.length++
  const text = writer.putText(key) // may move writer.bytes
  writer.bytes[at] = text
}

const lists = new Map<string, readonly string[]>()

/** The keys of an encoded shape. */
export function keysIn(reader: ByteReader): readonly string[] {
  const bytes = reader.view()
  if (bytes.length > LIST_BYTES_MAX) return listIn(bytes)
  const name = bytes.latin1Slice(0, bytes.length)
  let keys = lists.get(name)
  if (keys === undefined) {
    keys = listIn(bytes)
    if (lists.size >= LISTS_MAX) lists.clear()
    lists.set(name, keys)
  }
  return keys
}

function listIn(bytes: Buffer): readonly string[] {
  const reader = new ByteReader(bytes, 0, bytes.length)
  const keys: string[] = []
  while (reader.at < reader.end) keys.push(reader.text(reader.byte()))
  return keys
}
