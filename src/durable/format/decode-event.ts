/** Decodes events and values. The inverse of `encode-event.ts`; both follow `format.ts`. */
import type { CacheEvent, SetEvent } from '../../core/model/event.js'
import type { Extension } from '../../core/model/extension.js'
import { EncodedPlain, EncodedValue, type StoredValue } from '../../core/model/stored-value.js'
import { type ByteReader, MalformedBytesError } from '../../values/bytes/byte-reader.js'
import { takePrimitive } from '../../values/plain/decode.js'
import { heldBytes } from '../../values/plain/encode.js'
import { decodeExtension } from './extension.js'
import {
  EVENT_HAS_DEADLINE,
  EVENT_HAS_EXTENSION,
  EVENT_TYPE,
  EVENT_TYPE_LAST,
  EVENT_TYPE_MASK,
  KEY_TEXT_MASK,
  KEY_TEXT_SHIFT,
  VALUE,
} from './format.js'
import { NewerFormatError } from './newer-format.js'
import { takeLimits } from './notes.js'

/** Receives the parts of a `set` event, or of a row, which is written as one, without an object for them. */
export type SetTaker<T> = (key: string, value: StoredValue, expiresAtMs: number, extension?: Extension) => T
/** Receives a row. Returns `false` for a repeated key, which no file has. */
export type RowTaker = SetTaker<boolean | void>

/** @throws MalformedBytesError for bytes that no daybook writes; NewerFormatError for what only a newer one writes. */
export function decodeEvent(reader: ByteReader): CacheEvent {
  const head = reader.byte()
  if (!isSet(head)) return decodeOther(reader, head)
  return decodeSet(reader, head, setEvent)
}

/** Whether the event that begins with this byte is a `set`. */
export function isSet(head: number): boolean {
  return (head & EVENT_TYPE_MASK) === EVENT_TYPE.set
}

/** The rest of a `set` event, after its first byte. */
export function decodeSet<T>(reader: ByteReader, head: number, take: SetTaker<T>): T {
  const key = decodeKey(reader, head)
  const value = decodeValue(reader)
  const expiresAtMs = decodeDeadline(reader, head)
  if (head >= EVENT_HAS_EXTENSION) return take(key, value, expiresAtMs, decodeExtension(reader, 'set'))
  return take(key, value, expiresAtMs)
}

function setEvent(key: string, value: StoredValue, expiresAtMs: number, extension?: Extension): SetEvent {
  const event: SetEvent = { type: 'set', key, value, expiresAtMs }
  return extension === undefined ? event : { ...event, extension }
}

function decodeKey(reader: ByteReader, head: number): string {
  return reader.text((head >> KEY_TEXT_SHIFT) & KEY_TEXT_MASK)
}

/** Epoch milliseconds. NaN and -Infinity are refused: an entry with such a deadline would neither live nor expire. */
function decodeDeadline(reader: ByteReader, head: number): number {
  if ((head & EVENT_HAS_DEADLINE) === 0) return Number.POSITIVE_INFINITY
  const expiresAtMs = reader.double()
  if (!(expiresAtMs > Number.NEGATIVE_INFINITY)) throw new MalformedBytesError(`a deadline is ${expiresAtMs}`)
  return expiresAtMs
}

/** The rest of an event that is not a `set`. */
export function decodeOther(reader: ByteReader, head: number): Exclude<CacheEvent, SetEvent> {
  const type = head & EVENT_TYPE_MASK
  if (type === EVENT_TYPE.cleared) return { type: 'cleared' }
  if (type === EVENT_TYPE.limited) return { type: 'limited', ...takeLimits(reader) }
  if (type === 0 || type > EVENT_TYPE_LAST) throw new NewerFormatError(`an event of type ${type}`)
  const key = decodeKey(reader, head)
  switch (type) {
    case EVENT_TYPE.deleted:
      return { type: 'deleted', key }
    case EVENT_TYPE.expired:
      return { type: 'expired', key }
    case EVENT_TYPE.evicted:
      return { type: 'evicted', key }
    case EVENT_TYPE.rescheduled: {
      const expiresAtMs = decodeDeadline(reader, head)
      const extension = head >= EVENT_HAS_EXTENSION ? decodeExtension(reader, 'rescheduled') : undefined
      if (extension === undefined) return { type: 'rescheduled', key, expiresAtMs }
      return { type: 'rescheduled', key, expiresAtMs, freshUntilMs: extension.freshUntilMs }
    }
    default: // loaded
      return { type: 'loaded', file: key, checksum: reader.varint(), entries: reader.double() }
  }
}

function decodeValue(reader: ByteReader): StoredValue {
  const tag = reader.byte()
  switch (tag) {
    case VALUE.structured:
      return new EncodedValue('structured', own(reader.view()))
    case VALUE.errors:
      return new EncodedValue('errors', own(reader.view()))
    case VALUE.bytes:
      return new EncodedValue('bytes', own(reader.view()))
    case VALUE.buffer:
      return new EncodedValue('buffer', own(reader.view()))
    case VALUE.plain:
      return new EncodedPlain(heldBytes(reader.bytes, reader.skipBytes(), reader.at))
    default:
      if (tag > VALUE.plain) throw new NewerFormatError(`a value of kind ${tag}`)
      return takePrimitive(reader, tag)
  }
}

/** A copy: a view would keep the whole buffer in memory. (`slice` of a Buffer would return a Buffer.) */
function own(view: Buffer): Uint8Array {
  return new Uint8Array(view)
}
