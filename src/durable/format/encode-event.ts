/** Encodes events and values. The inverse of `decode-event.ts`; both follow `format.ts`. */
import type { CacheEvent } from '../../core/model/event.js'
import { type Extension, extensionOf, NO_TAGS } from '../../core/model/extension.js'
import { type EncodedPlain, EncodedValue, type PlainData, type StoredValue } from '../../core/model/stored-value.js'
import type { ByteWriter } from '../../values/bytes/byte-writer.js'
import { encodePlain, plainSize, putPrimitive } from '../../values/plain/encode.js'
import { encodeExtension } from './extension.js'
import { EVENT_HAS_DEADLINE, EVENT_HAS_EXTENSION, EVENT_TYPE, KEY_TEXT_SHIFT, VALUE } from './format.js'
import { putLimits } from './notes.js'

export function encodeEvent(writer: ByteWriter, event: CacheEvent): void {
  switch (event.type) {
    case 'set':
      encodeSet(writer, event.key, event.value, event.expiresAtMs, event.extension)
      return
    case 'rescheduled': {
      const extension = extensionOf(event.freshUntilMs ?? Number.POSITIVE_INFINITY, NO_TAGS)
      encodeKey(writer, EVENT_TYPE.rescheduled, event.key, event.expiresAtMs, extension)
      encodeDeadline(writer, event.expiresAtMs)
      if (extension !== undefined) encodeExtension(writer, extension)
      return
    }
    case 'deleted':
    case 'expired':
    case 'evicted':
      encodeKey(writer, EVENT_TYPE[event.type], event.key, Number.POSITIVE_INFINITY)
      return
    case 'cleared':
      writer.reserve(1)
      writer.putByte(EVENT_TYPE.cleared)
      return
    case 'limited':
      writer.reserve(17)
      writer.putByte(EVENT_TYPE.limited)
      putLimits(writer, event)
      return
    case 'loaded':
      encodeKey(writer, EVENT_TYPE.loaded, event.file, Number.POSITIVE_INFINITY)
      writer.reserve(16)
      writer.putVarint(event.checksum)
      writer.putDouble(event.entries)
      return
  }
}

/** A `set` event, which is also the form of a row in a snapshot. */
export function encodeSet(
  writer: ByteWriter,
  key: string,
  value: StoredValue,
  expiresAtMs: number,
  extension?: Extension,
): void {
  encodeKey(writer, EVENT_TYPE.set, key, expiresAtMs, extension)
  encodeValue(writer, value)
  encodeDeadline(writer, expiresAtMs)
  if (extension !== undefined) encodeExtension(writer, extension)
}

/** An `evicted` event. */
export function encodeEviction(writer: ByteWriter, key: string): void {
  encodeKey(writer, EVENT_TYPE.evicted, key, Number.POSITIVE_INFINITY)
}

function encodeKey(writer: ByteWriter, type: number, key: string, expiresAtMs: number, extension?: Extension): void {
  writer.reserve(1)
  const at = writer.length++
  const deadline = expiresAtMs === Number.POSITIVE_INFINITY ? 0 : EVENT_HAS_DEADLINE
  const extended = extension === undefined ? 0 : EVENT_HAS_EXTENSION
  const text = writer.putText(key) // may move writer.bytes
  writer.bytes[at] = type | deadline | (text << KEY_TEXT_SHIFT) | extended
}

function encodeDeadline(writer: ByteWriter, expiresAtMs: number): void {
  if (expiresAtMs === Number.POSITIVE_INFINITY) return
  if (!(expiresAtMs > Number.NEGATIVE_INFINITY)) throw noDeadline(expiresAtMs)
  writer.reserve(8)
  writer.putDouble(expiresAtMs)
}

/** The reader refuses it. */
function noDeadline(expiresAtMs: number): RangeError {
  return new RangeError(`A deadline cannot be ${expiresAtMs}.`)
}

function encodeValue(writer: ByteWriter, value: StoredValue): void {
  if (typeof value !== 'object' || value === null) putPrimitive(writer, value)
  else encodeObject(writer, value)
}

function encodeObject(writer: ByteWriter, value: EncodedPlain | EncodedValue): void {
  writer.reserve(5)
  if (value instanceof EncodedValue) {
    writer.putByte(VALUE[value.encoding])
    writer.putBytes(value.bytes)
    return
  }
  writer.putByte(VALUE.plain)
  const at = writer.length
  writer.length += 4
  if (value.bytes === undefined) encodePlain(writer, value.copy as PlainData)
  else writer.putHeld(value.bytes)
  writer.bytes.writeUInt32LE(writer.length - at - 4, at)
}

/** The bytes of a key, a value and tags in the journal, which is what `maxBytes` limits. */
export function encodedBytes(key: string, value: StoredValue, tags = NO_TAGS): number {
  let bytes = textBytes(key) + valueBytes(value)
  for (const tag of tags) bytes += textBytes(tag)
  return bytes
}

function valueBytes(value: StoredValue): number {
  switch (typeof value) {
    case 'number':
      return 9
    case 'string':
      return textBytes(value)
    case 'boolean':
      return 1
    case 'bigint':
      return value.toString(16).length
    default:
      return value === null ? 1 : objectBytes(value)
  }
}

function objectBytes(value: EncodedPlain | EncodedValue): number {
  if (value instanceof EncodedValue) return value.bytes.length
  return value.bytes?.length ?? plainSize(value.copy as PlainData)
}

function textBytes(text: string): number {
  return text.isWellFormed() ? Buffer.byteLength(text, 'utf8') : text.length * 2
}
