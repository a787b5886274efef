/** Encodes plain data. The inverse of `decode.ts`; both follow `tags.ts`. */
import type { PlainBytes, PlainData } from '../../core/model/stored-value.js'
import { ByteWriter } from '../bytes/byte-writer.js'
import type { Bare } from './plain-data.js'
import { emptyShape, putKey, SHAPE_KEYS_MAX, type Shape } from './shapes.js'
import { TAG } from './tags.js'

/** Numbers the values, so that a shape shows in which it was defined last. */
let present = 0
let empty: Shape = emptyShape()
let shapes = 0

/** Writes it after what the writer has. */
export function encodePlain(writer: ByteWriter, data: PlainData): void {
  present++
  shapes = 0
  empty = emptyShape()
  putObject(writer, data)
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
  if (typeof part === 'object' && part !== null) putObject(writer, part)
  else putPrimitive(writer, part)
}

function putObject(writer: ByteWriter, part: object): void {
  if (Array.isArray(part)) {
    writer.reserve(6)
    writer.putByte(TAG.array)
    writer.putVarint(part.length)
    for (let index = 0; index < part.length; index++) putPart(writer, part[index])
    return
  }
  if (part instanceof Date) {
    writer.reserve(9)
    writer.putByte(TAG.date)
    writer.putDouble(part.getTime())
    return
  }
  const object = part as Bare
  const shape = shapeOf(object)
  if (shape === undefined) {
    putDictionary(writer, object)
    return
  }
  putShape(writer, shape)
  for (const key in object) putPart(writer, object[key])
}

function shapeOf(object: Bare): Shape | undefined {
  let shape: Shape | undefined = empty
  let keys = 0
  for (const key in object) {
    shape = shape.lastKey === key ? shape.last : shape.with(key)
    if (shape === undefined || ++keys > SHAPE_KEYS_MAX) return undefined
  }
  return shape
}

function putShape(writer: ByteWriter, shape: Shape): void {
  writer.reserve(6)
  if (shape.definedIn === present) {
    writer.putByte(TAG.shape)
    writer.putVarint(shape.number)
    return
  }
  shape.definedIn = present
  shape.number = shapes++
  writer.putByte(TAG.newShape)
  writer.putBytes(shape.bytes)
}

function putDictionary(writer: ByteWriter, object: Bare): void {
  writer.reserve(6)
  writer.putByte(TAG.dictionary)
  const keys = Object.keys(object)
  writer.putVarint(keys.length)
  for (const key of keys) {
    putKey(writer, key)
    putPart(writer, object[key])
  }
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
