/**
 * Messages as bytes: the number of bytes that follow as a u32, little-endian, then the message as `v8.serialize` writes it.
 * Greetings are JSON, so that any version of either end can read them, and so are short messages of nothing but texts and numbers,
 * because V8's serializer takes five times as long to begin with. No bytes are a sign of life.
 */
import { DefaultDeserializer, DefaultSerializer, serialize } from 'node:v8'

/** The largest message. A longer one is refused at its header. */
export const FRAME_BYTES_MAX = 256 * 1024 * 1024
export const HEADER_BYTES = 4
const HEADER = Buffer.alloc(HEADER_BYTES)
/** The first byte of a greeting, and of a short message. What V8 writes begins with 255. */
const JSON_BEGINS = ['{'.charCodeAt(0), '['.charCodeAt(0)]
/** Parts and characters of a short message. */
const SHORT_PARTS = 24
const SHORT_TEXT = 200

/** The version of `v8.serialize` here. Later versions of V8 read it. */
export const V8_VERSION = serialize(null)[1] as number

export const SIGN_OF_LIFE: Buffer = Buffer.alloc(HEADER_BYTES)

/** A frame of JSON. */
export function jsonFrame(greeting: object): Buffer {
  const text = JSON.stringify(greeting)
  const frame = Buffer.allocUnsafe(HEADER_BYTES + text.length * 3)
  const bytes = frame.utf8Write(text, HEADER_BYTES)
  frame.writeUInt32LE(bytes, 0)
  return frame.subarray(0, HEADER_BYTES + bytes)
}

/**
 * The frame of a short message of nothing but ASCII, as a text in latin1, which a socket sends with less work than bytes; undefined for
 * other messages.
 */
export function shortText(message: unknown): string | undefined {
  if (!Array.isArray(message) || partsLeft(message, SHORT_PARTS) < 0) return undefined
  const text = JSON.stringify(message)
  const { length } = text
  if (Buffer.byteLength(text) !== length) return undefined
  return String.fromCharCode(length & 0xff, (length >> 8) & 0xff, length >> 16, 0) + text
}

/** @throws RangeError if the message is too large; the error of V8 if it cannot be cloned. */
export function encodeFrame(message: unknown): Buffer {
  if (Array.isArray(message) && partsLeft(message, SHORT_PARTS) >= 0) return jsonFrame(message)
  const serializer = new DefaultSerializer()
  serializer.writeRawBytes(HEADER)
  serializer.writeHeader()
  serializer.writeValue(message)
  const frame = serializer.releaseBuffer()
  const bytes = frame.length - HEADER_BYTES
  if (bytes > FRAME_BYTES_MAX)
    throw new RangeError(
      `A message of ${bytes} bytes cannot be sent: the limit is ${FRAME_BYTES_MAX}. Nothing was changed. Ask for less at once.`,
    )
  frame.writeUInt32LE(bytes, 0)
  return frame
}

/** How many parts of so many are left beside those of an array; below 0 if JSON would not keep one of them exactly, or it is not short. */
function partsLeft(array: readonly unknown[], parts: number): number {
  let left = parts - array.length
  for (let index = 0; index < array.length && left >= 0; index++) {
    const part = array[index]
    if (typeof part === 'string' ? part.length > SHORT_TEXT : typeof part === 'number' ? !isJsonNumber(part) : false)
      return -1
    if (typeof part === 'object' && part !== null) left = Array.isArray(part) ? partsLeft(part, left) : -1
    else if (part === undefined || typeof part === 'bigint') return -1
  }
  return left
}

function isJsonNumber(number: number): boolean {
  return Number.isFinite(number) && !Object.is(number, -0)
}

/** The message of a frame without its header, or of a part of some bytes. @throws an error if it is none. */
export function decodeFrame(bytes: Buffer, start = 0, end = bytes.length): unknown {
  if (JSON_BEGINS.includes(bytes[start] as number)) return JSON.parse(bytes.utf8Slice(start, end))
  const deserializer = new CopyingDeserializer(bytes.subarray(start, end))
  deserializer.readHeader()
  return deserializer.readValue()
}

/** Node's own returns views of the frame, each of which would keep all of it in memory. */
class CopyingDeserializer extends DefaultDeserializer {
  override _readHostObject(): ReturnType<DefaultDeserializer['_readHostObject']> {
    const view = super._readHostObject()
    if (view instanceof Uint8Array) return new Uint8Array(view)
    return 'slice' in view ? (view as Float64Array).slice() : structuredClone(view)
  }
}
