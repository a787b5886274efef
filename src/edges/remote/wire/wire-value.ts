/**
 * Values on the wire. Primitives are sent unchanged, everything else as the bytes that the cache and the journal hold. So a
 * value is encoded once, by the client during the call (changing the object afterwards has no effect, although the batch is
 * sent at the end of the tick), and decoded once, by the client that requested it. Values and refusals are exactly those of a
 * cache in the same thread.
 */
import { isUint8Array } from 'node:util/types'
import {
  EncodedPlain,
  EncodedValue,
  type Encoding,
  type PlainBytes,
  type PlainData,
  type StoredValue,
} from '../../../core/model/stored-value.js'
import { describe, ValueError } from '../../../errors.js'
import { adoptEncoded, adoptPlain, restoreValue, storeValue } from '../../../values/encode.js'
import { plainBytesOf } from '../../../values/plain/encode.js'

// The first element of an array identifies its contents.
/** Plain data. */
export const PLAIN = 0
export const STRUCTURED = 1
export const BYTES = 2
export const BUFFER = 3
export const ERROR = 4
/** The answer follows in a separate message. */
export const LATER_TAG = 5
/** `{ ok: false, error }`, of `save` and `load`. */
export const FILE_ERROR = 6
/** A list of wires. */
export const LIST = 7
/** Alternating keys and values. */
export const PAIRS = 8
/** A value, and an object with the rest of its entry. */
export const ENTRY = 11
/** A structured value with records of its errors. */
export const WITH_ERRORS = 9
/** A key, and its entries before and after. */
export const DIFFERENCE = 14
/** Plain data in a value: its bytes, or a text of them. */
const PLAIN_VALUE = 10

/** A value that cannot be sent: the request whose loader returned it, its key, and the error. */
export const UNSENT = 12

/** A value of an entry: with when the entry stops being fresh, how long that is from now, and the cache's default ttl. */
export const DATED = 13

export type Wire = undefined | null | boolean | number | string | bigint | readonly [number, ...unknown[]]

const TAG_OF: Readonly<Record<Encoding, number>> = {
  structured: STRUCTURED,
  errors: WITH_ERRORS,
  bytes: BYTES,
  buffer: BUFFER,
}
const ENCODING_OF = new Map(Object.entries(TAG_OF).map(([encoding, tag]) => [tag as unknown, encoding as Encoding]))

/** Encodes a stored value for the wire. */
export function toWire(stored: StoredValue | undefined): Wire {
  if (typeof stored !== 'object' || stored === null) return stored
  if (stored instanceof EncodedValue) return [TAG_OF[stored.encoding], ownBytes(stored.bytes)]
  return [PLAIN_VALUE, stored.bytes ?? plainBytesOf(stored.copy as PlainData)]
}

/** Cloning a view copies its whole buffer, and keeping one keeps all of it: so the view's own part is copied, if there is more. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : Uint8Array.from(bytes)
}

/**
 * Decodes a value to store from a client, which may be broken or hostile.
 * @throws ValueError for anything that is not a value.
 */
export function toStored(wire: unknown): StoredValue {
  if (typeof wire !== 'object' || wire === null) return storeValue(wire, 'copy')
  if (Array.isArray(wire)) {
    const [tag, content] = wire as unknown[]
    if (tag === PLAIN_VALUE && typeof content === 'string') return adoptPlain(content)
    if (isUint8Array(content) && content.buffer instanceof ArrayBuffer) {
      const bytes = ownBytes(content)
      if (tag === PLAIN_VALUE) return adoptPlain(bytes)
      const encoding = ENCODING_OF.get(tag)
      if (encoding !== undefined) return adoptEncoded(encoding, bytes)
    }
  }
  throw new ValueError(`A client sent ${describe(wire)}, which is not an encoded value`, {
    advice: "Use daybook's own clients.",
  })
}

/** Decodes a value for the caller, to whom its content already belongs. */
export function restoreWire(tag: unknown, content: unknown): unknown {
  if (tag === PLAIN_VALUE) return restoreValue(new EncodedPlain(content as PlainBytes), 'copy')
  const bytes = content as Uint8Array
  if (tag === BYTES) return bytes
  if (tag === BUFFER) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return restoreValue(new EncodedValue(ENCODING_OF.get(tag) as Encoding, bytes), 'copy')
}

/** The value that a wire brings, of which others get their own: nothing of it is shared with them. */
export function ownCopy(wire: unknown): unknown {
  if (!Array.isArray(wire)) return wire
  const [tag, content] = wire as [number, Uint8Array]
  return restoreWire(tag, tag === BYTES || tag === BUFFER ? content.slice() : content)
}

/** Whether it begins a value. */
export function isValueTag(tag: unknown): boolean {
  return tag === PLAIN_VALUE || ENCODING_OF.has(tag)
}

/** Approximately how many bytes a value takes on the wire. */
export function wireBytes(wire: unknown): number {
  if (typeof wire === 'string') return wire.length
  if (typeof wire !== 'object' || wire === null) return 8
  const content = (wire as readonly unknown[])[1]
  return isUint8Array(content) || typeof content === 'string' ? content.length + 32 : 64
}
