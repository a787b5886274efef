/** Encodes plain data. The inverse of `decode.ts`; both follow `tags.ts`. */
import type { PlainBytes, PlainData } from '../../core/model/stored-value.js'
import { ByteWriter } from '../bytes/byte-writer.js'
import type { Bare } from './bare.js'
import { Branch, Rows } from './plain-data.js'
import { putKey, ValueShapes } from './shapes.js'
import { TAG } from './tags.js'

const shapes = new ValueShapes()

/** Writes it after what the writer has. */
export function encodePlain(writer: ByteWriter, data: PlainData): void {
  shapes.begin()
  putPart(writer, data)
}

const scratch = new ByteWriter(4 * 1024)

/** Fewer bytes are held as a text. */
const TEXT_BYTES_MAX = 16 * 1024

export function plainBytesOf(data: PlainData): PlainBytes {
  scratch.clear()
  encodePlain(scratch, data)
  return heldBytes(scratch.bytes, 0, scratch.length)
}

/** A part of a buffer, to be kept. */
export function heldBytes(bytes: Buffer, start: number, end: number): PlainBytes {
  return end - start <= TEXT_BYTES_MAX ? bytes.latin1Slice(start, end) : new Uint8Array(bytes.subarray(start, end))
}

/** How many they are. */
export function plainSize(data: PlainData): number {
  scratch.clear()
  encodePlain(scratch, data)
  return scratch.length
}

function putPart(writer: ByteWriter, part: unknown): void {
  if (typeof part !== 'object' || part === null) putPrimitive(writer, part)
  else if (part instanceof Rows) putItems(writer, part.items)
  else if (Array.isArray(part)) putItems(writer, part)
  else if (part instanceof Date) putDate(writer, part.getTime())
  else putObject(writer, part instanceof Branch ? part.object : (part as Bare))
}

function putItems(writer: ByteWriter, items: readonly unknown[]): void {
  putArray(writer, items.length)
  for (let index = 0; index < items.length; index++) putPart(writer, items[index])
}

function putObject(writer: ByteWriter, object: Bare): void {
  const shape = shapes.of(object)
  if (shape === undefined) putDictionary(writer, Object.keys(object).length)
  else shapes.put(writer, shape)
  for (const key in object) {
    if (shape === undefined) putKey(writer, key)
    putPart(writer, object[key])
  }
}

/** Begins an array. */
export function putArray(writer: ByteWriter, length: number): void {
  writer.reserve(6)
  writer.putByte(TAG.array)
  writer.putVarint(length)
}

/** Begins an object without a shape. Before each value is its key. */
export function putDictionary(writer: ByteWriter, keys: number): void {
  writer.reserve(6)
  writer.putByte(TAG.dictionary)
  writer.putVarint(keys)
}

export function putDate(writer: ByteWriter, epochMs: number): void {
  writer.reserve(9)
  writer.putByte(TAG.date)
  writer.putDouble(epochMs)
}

/** Not an object. */
export function putPrimitive(writer: ByteWriter, value: unknown): void {
  if (typeof value === 'number') putNumber(writer, value)
  else if (typeof value === 'string') {
    writer.reserve(1)
    const at = writer.length++
    const text = writer.putText(value) // may move writer.bytes
    writer.bytes[at] = TAG.text + text
  } else putOther(writer, value)
}

function putNumber(writer: ByteWriter, value: number): void {
  writer.reserve(9)
  if ((value | 0) === value && !Object.is(value, -0)) {
    writer.putByte(TAG.integer)
    writer.putVarint((value << 1) ^ (value >> 31))
  } else {
    writer.putByte(TAG.double)
    writer.putDouble(value)
  }
}

/** Functions of their own, because V8 only inlines short ones. */
function putOther(writer: ByteWriter, value: unknown): void {
  writer.reserve(1)
  switch (typeof value) {
    case 'boolean':
      writer.putByte(value ? TAG.true : TAG.false)
      return
    case 'bigint':
      writer.putByte(TAG.bigint)
      writer.putText(value.toString(16))
      return
    default:
      writer.putByte(value === null ? TAG.null : TAG.undefined)
  }
}
