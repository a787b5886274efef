/** Decodes plain data. The inverse of `encode.ts`; both follow `tags.ts`. */
import type { PlainBytes, PlainData } from '../../core/model/stored-value.js'
import { ByteReader, MalformedBytesError } from '../bytes/byte-reader.js'
import { TEXT } from '../bytes/text.js'
import { type Bare, bareFor } from './bare.js'
import { type KeyList, keysIn } from './key-lists.js'
import { Branch, PLAIN_LEVELS_MAX, Rows } from './plain-data.js'
import { TAG } from './tags.js'

/** The bytes of a text, while it is decoded. */
const scratch = Buffer.allocUnsafeSlow(16 * 1024)

/** @throws MalformedBytesError for bytes that are no plain data. */
export function decodePlain(bytes: PlainBytes): PlainData {
  const reader = readerOf(bytes)
  const data = takePart(reader, [], 1)
  if (reader.at < reader.end) throw new MalformedBytesError('bytes follow the last part of a value')
  if (typeof data !== 'object' || data === null) throw new MalformedBytesError('a value of plain data is a primitive')
  return data as PlainData
}

function readerOf(bytes: PlainBytes): ByteReader {
  const { length } = bytes
  if (typeof bytes !== 'string') return new ByteReader(Buffer.from(bytes.buffer, bytes.byteOffset, length), 0, length)
  const buffer = length <= scratch.length ? scratch : Buffer.allocUnsafeSlow(length)
  buffer.latin1Write(bytes, 0)
  return new ByteReader(buffer, 0, length, bytes)
}

function takePart(reader: ByteReader, shapes: KeyList[], level: number): unknown {
  const tag = reader.byte()
  switch (tag) {
    case TAG.undefined:
      return undefined
    case TAG.date:
      return new Date(reader.double())
    case TAG.array:
      return takeArray(reader, shapes, below(level))
    case TAG.newShape: {
      const list = keysIn(reader)
      shapes.push(list)
      return takeObject(reader, list, shapes, below(level))
    }
    case TAG.shape: {
      const list = shapes[reader.varint()]
      if (list === undefined) throw new MalformedBytesError('an object has a shape that is not defined before it')
      return takeObject(reader, list, shapes, below(level))
    }
    case TAG.dictionary:
      return takeDictionary(reader, shapes, below(level))
    default:
      return takePrimitive(reader, tag)
  }
}

function below(level: number): number {
  if (level > PLAIN_LEVELS_MAX) throw new MalformedBytesError('plain data is nested too deep')
  return level + 1
}

function takeObject(reader: ByteReader, list: KeyList, shapes: KeyList[], level: number): Bare | Branch {
  const { keys, lastBranches } = list
  const object = bareFor(keys.length)
  let count = 0
  let branches: string[] | undefined // if they are not those of the last object
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string
    const part = takePart(reader, shapes, level)
    object[key] = part
    if (typeof part !== 'object' || part === null) continue
    if (branches === undefined && lastBranches[count] !== key) branches = lastBranches.slice(0, count)
    branches?.push(key)
    count++
  }
  if (count === 0) return object
  // Not those of the list now: a part with the same keys may have changed them.
  if (branches === undefined && count === lastBranches.length) return new Branch(object, lastBranches)
  list.lastBranches = branches ?? lastBranches.slice(0, count)
  return new Branch(object, list.lastBranches)
}

function takeArray(reader: ByteReader, shapes: KeyList[], level: number): unknown[] | Rows {
  const items: unknown[] = []
  let isFlat = true
  for (let left = reader.varint(); left > 0; left--) {
    const item = takePart(reader, shapes, level)
    if (typeof item === 'object' && item !== null) isFlat = false
    items.push(item)
  }
  const exact = items.slice() // V8 leaves room for 16 more items in an array that grows
  return isFlat ? exact : new Rows(exact)
}

function takeDictionary(reader: ByteReader, shapes: KeyList[], level: number): Bare | Branch {
  let left = reader.varint()
  const object = bareFor(left)
  const branches: string[] = []
  for (; left > 0; left--) {
    const key = reader.text(reader.byte())
    const part = takePart(reader, shapes, level)
    object[key] = part
    if (typeof part === 'object' && part !== null) branches.push(key)
  }
  return branches.length === 0 ? object : new Branch(object, branches.slice())
}

/**
 * What a walk that is copying from now on needs of what it has written so far: copies of the objects, arrays and Dates, in the order in
 * which they begin. Those that are not complete end where the bytes do.
 */
export function partsBegun(bytes: Buffer, end: number): object[] {
  const reader = new ByteReader(bytes, 0, end)
  const parts: object[] = []
  const lists: KeyList[] = []
  const begin = <Part extends object>(part: Part): Part => {
    parts.push(part)
    return part
  }
  const goesOn = () => reader.at < reader.end
  const takeKeyed = (keys: readonly string[]): Bare => {
    const object = begin(bareFor(keys.length))
    for (let index = 0; index < keys.length && goesOn(); index++) object[keys[index] as string] = take()
    return object
  }
  const take = (): unknown => {
    const tag = reader.byte()
    switch (tag) {
      case TAG.undefined:
        return undefined
      case TAG.date:
        return begin(new Date(reader.double()))
      case TAG.array: {
        const items = begin<unknown[]>([])
        for (let left = reader.varint(); left > 0 && goesOn(); left--) items.push(take())
        return items
      }
      case TAG.newShape: {
        const list = keysIn(reader)
        lists.push(list)
        return takeKeyed(list.keys)
      }
      case TAG.shape:
        return takeKeyed((lists[reader.varint()] as KeyList).keys) // the walk has written it
      case TAG.dictionary: {
        let left = reader.varint()
        const object = begin(bareFor(left))
        for (; left > 0 && goesOn(); left--) {
          const key = reader.text(reader.byte())
          if (goesOn()) object[key] = take()
        }
        return object
      }
      default:
        return takePrimitive(reader, tag)
    }
  }
  if (goesOn()) take()
  return parts
}

/** @throws MalformedBytesError for a tag that is none of a primitive. */
export function takePrimitive(reader: ByteReader, tag: number): null | boolean | number | string | bigint {
  switch (tag) {
    case TAG.null:
      return null
    case TAG.false:
      return false
    case TAG.true:
      return true
    case TAG.integer: {
      const zigzag = reader.varint()
      return (zigzag >>> 1) ^ -(zigzag & 1)
    }
    case TAG.double:
      return reader.double()
    case TAG.bigint:
      return parseBigint(reader.text(0))
    default:
      if (tag > TAG.text + TEXT.utf16) throw new MalformedBytesError(`a part of a value is of the unknown kind ${tag}`)
      return reader.text(tag - TAG.text)
  }
}

function parseBigint(hexadecimal: string): bigint {
  if (!/^-?[0-9a-f]+$/.test(hexadecimal)) throw new MalformedBytesError('a bigint is not written in hexadecimal digits')
  return hexadecimal.startsWith('-') ? -BigInt(`0x${hexadecimal.slice(1)}`) : BigInt(`0x${hexadecimal}`)
}
