/** Bytes to events and values. The way there is `encode-event.ts`; both follow `format.ts`. */
import type { CacheEvent, SetEvent } from '../../core/model/event.js'
import { EncodedValue, type StoredValue } from '../../core/model/stored-value.js'
import { type ByteReader, MalformedBytesError } from './byte-reader.js'
import { EVENT_HAS_DEADLINE, EVENT_TYPE, EVENT_TYPE_MASK, KEY_TEXT_SHIFT, VALUE } from './format.js'

/** Who is given the parts of a `set` event (or of a row, which is written as one), without an object made for them. */
export type RowTaker = (key: string, value: StoredValue, expiresAtMs: number) => void

/** @throws MalformedBytesError for bytes that no version 1 writer wrote. */
export function decodeEvent(reader: ByteReader): CacheEvent {
  let event: CacheEvent | undefined
  const head = reader.byte()
  if (!isSet(head)) return decodeOther(reader, head)
  decodeSet(reader, head, (key, value, expiresAtMs) => {
    event = { type: 'set', key, value, expiresAtMs }
  })
  return event as unknown as CacheEvent // decodeSet has called
}

/** Whether the event that begins with this byte is a `set`; most are. */
export function isSet(head: number): boolean {
  return (head & EVENT_TYPE_MASK) === EVENT_TYPE.set
}

/** The rest of a `set` event, behind its first byte. */
export function decodeSet(reader: ByteReader, head: number, take: RowTaker): void {
  const key = reader.text(head >> KEY_TEXT_SHIFT)
  const value = decodeValue(reader)
  take(key, value, (head & EVENT_HAS_DEADLINE) === 0 ? Number.POSITIVE_INFINITY : reader.double())
}

/** The rest of an event that is no `set`. */
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
      return { type: 'rescheduled', key, expiresAtMs: hasDeadline ? reader.double() : Number.POSITIVE_INFINITY }
    case EVENT_TYPE.loaded:
      return { type: 'loaded', file: key, checksum: reader.varint(), entries: reader.double() }
    default:
      throw new MalformedBytesError(`unknown type of event ${type}`)
  }
}

function decodeValue(reader: ByteReader): StoredValue {
  const tag = reader.byte()
  switch (tag) {
    case VALUE.null:
      return null
    case VALUE.false:
      return false
    case VALUE.true:
      return true
    case VALUE.integer: {
      const zigzag = reader.varint()
      return (zigzag >>> 1) ^ -(zigzag & 1)
    }
    case VALUE.double:
      return reader.double()
    case VALUE.bigint:
      return parseBigint(reader.text(0))
    case VALUE.structured:
      return new EncodedValue('structured', own(reader.view()))
    case VALUE.bytes:
      return new EncodedValue('bytes', own(reader.view()))
    case VALUE.buffer:
      return new EncodedValue('buffer', own(reader.view()))
    default:
      return reader.text(tag - VALUE.text)
  }
}

/** A copy: a view would keep the whole buffer that the file was read into. (`slice` of a Buffer would be a Buffer again.) */
function own(view: Buffer): Uint8Array {
  return new Uint8Array(view)
}

function parseBigint(hexadecimal: string): bigint {
  if (!/^-?[0-9a-f]+$/.test(hexadecimal)) throw new MalformedBytesError('a bigint is not written in hexadecimal digits')
  return hexadecimal.startsWith('-') ? -BigInt(`0x${hexadecimal.slice(1)}`) : BigInt(`0x${hexadecimal}`)
}
