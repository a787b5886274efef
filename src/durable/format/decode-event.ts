/** Decodes events and values. The inverse of `encode-event.ts`; both follow `format.ts`. */
import type { CacheEvent, SetEvent } from '../../core/model/event.js'
import { EncodedPlain, EncodedValue, type StoredValue } from '../../core/model/stored-value.js'
import { type ByteReader, MalformedBytesError } from '../../values/bytes/byte-reader.js'
import { takePrimitive } from '../../values/plain/decode.js'
import { heldBytes } from '../../values/plain/encode.js'
import { EVENT_HAS_DEADLINE, EVENT_TYPE, EVENT_TYPE_MASK, KEY_TEXT_SHIFT, VALUE } from './format.js'

/** Receives the parts of a `set` event, or of a row, which is written as one, without an object for them. */
export type SetTaker<T> = (key: string, value: StoredValue, expiresAtMs: number) => T
/** Receives a row. Returns `false` for a repeated key, which no file has. */
export type RowTaker = SetTaker<boolean | void>

/** @throws MalformedBytesError for bytes that no version 1 writer wrote. */
export function decodeEvent(reader: ByteReader): CacheEvent {
  const head = reader.byte()
  if (!isSet(head)) return decodeOther(reader, head)
  return decodeSet(reader, head, (key, value, expiresAtMs) => ({ type: 'set', key, value, expiresAtMs }))
}

/** Whether the event that begins with this byte is a `set`. */
export function isSet(head: number): boolean {
  return (head & EVENT_TYPE_MASK) === EVENT_TYPE.set
}

/** The rest of a `set` event, after its first byte. */
export function decodeSet<T>(reader: ByteReader, head: number, take: SetTaker<T>): T {
  const key = reader.text(head >> KEY_TEXT_SHIFT)
  const value = decodeValue(reader)
  return take(key, value, (head & EVENT_HAS_DEADLINE) === 0 ? Number.POSITIVE_INFINITY : decodeDeadline(reader))
}

/** Epoch milliseconds. NaN and -Infinity are refused: an entry with such a deadline would neither live nor expire. */
function decodeDeadline(reader: ByteReader): number {
  const expiresAtMs = reader.double()
  if (!(expiresAtMs > Number.NEGATIVE_INFINITY)) throw new MalformedBytesError(`a deadline is ${expiresAtMs}`)
  return expiresAtMs
}

/** The rest of an event that is not a `set`. */
export function decodeOther(reader: ByteReader, head: number): Exclude<CacheEvent, SetEvent> {
  const hasDeadline = (head & EVENT_HAS_DEADLINE) !== 0
  const type = head & EVENT_TYPE_MASK
  if (type === EVENT_TYPE.cleared) return { type: 'cleared' }
  const key = reader.text(head >> KEY_TEXT_SHIFT)
  switch (type) {
    case EVENT_TYPE.deleted:
      return { type: 'deleted', key }
    case EVENT_TYPE.expired:
      return { type: 'expired', key }
    case EVENT_TYPE.evicted:
      return { type: 'evicted', key }
    case EVENT_TYPE.rescheduled:
      return { type: 'rescheduled', key, expiresAtMs: hasDeadline ? decodeDeadline(reader) : Number.POSITIVE_INFINITY }
    case EVENT_TYPE.loaded:
      return { type: 'loaded', file: key, checksum: reader.varint(), entries: reader.double() }
    default:
      throw new MalformedBytesError(`unknown type of event ${type}`)
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
      return takePrimitive(reader, tag)
  }
}

/** A copy: a view would keep the whole buffer in memory. (`slice` of a Buffer would return a Buffer.) */
function own(view: Buffer): Uint8Array {
  return new Uint8Array(view)
}
