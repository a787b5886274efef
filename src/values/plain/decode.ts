/** Decodes plain data. The inverse of `encode.ts`; both follow `tags.ts`. */
import type { PlainBytes, PlainData } from '../../core/model/stored-value.js'
import { ByteReader, MalformedBytesError } from '../bytes/byte-reader.js'
import { TEXT } from '../bytes/text.js'
import { Bare, PLAIN_LEVELS_MAX } from './plain-data.js'
import { keysIn } from './shapes.js'
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

function takePart(reader: ByteReader, shapes: (readonly string[])[], level: number): unknown {
  const tag = reader.byte()
  switch (tag) {
    case TAG.undefined:
      return undefined
    case TAG.date:
      return new Date(reader.double())
    case TAG.array:
      return takeArray(reader, shapes, below(level))
    case TAG.newShape: {
      const keys = keysIn(reader)
      shapes.push(keys)
      return takeObject(reader, keys, shapes, below(level))
    }
    case TAG.shape: {
      const keys = shapes[reader.varint()]
      if (keys === undefined) throw new MalformedBytesError('an object has a shape that is not defined before it')
      return takeObject(reader, keys, shapes, below(level))
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

function takeObject(reader: ByteReader, keys: readonly string[], shapes: (readonly string[])[], level: number): Bare {
  const object = new Bare()
  for (let index = 0; index < keys.length; index++) object[keys[index] as string] = takePart(reader, shapes, level)
  return object
}

function takeArray(reader: ByteReader, shapes: (readonly string[])[], level: number): unknown[] {
  const items: unknown[] = []
  for (let left = reader.varint(); left > 0; left--) items.push(takePart(reader, shapes, level))
  return items.slice() // V8 leaves room for 16 more items in an array that grows
}

function takeDictionary(reader: ByteReader, shapes: (readonly string[])[], level: number): Bare {
  const object = new Bare()
  for (let left = reader.varint(); left > 0; left--) {
    const key = reader.text(reader.byte())
    object[key] = takePart(reader, shapes, level)
  }
  return object
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
