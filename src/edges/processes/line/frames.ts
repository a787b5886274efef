/**
 * Messages on a socket: the number of bytes that follow as a u32, little-endian, then the message as `v8.serialize` writes it.
 * Greetings are JSON, so that any version of either end can read them. No bytes are a sign of life.
 */
import { DefaultDeserializer, DefaultSerializer, serialize } from 'node:v8'

/** The largest message. A longer one is refused at its header. */
export const FRAME_BYTES_MAX = 256 * 1024 * 1024
const HEADER_BYTES = 4
const HEADER = Buffer.alloc(HEADER_BYTES)
const JSON_BEGIN = '{'.charCodeAt(0)

/** The version of `v8.serialize` here. Later versions of V8 read it. */
export const V8_VERSION = serialize(null)[1] as number

export const SIGN_OF_LIFE: Buffer = Buffer.alloc(HEADER_BYTES)

export function greetingFrame(greeting: object): Buffer {
  const text = Buffer.from(JSON.stringify(greeting))
  const frame = Buffer.concat([HEADER, text])
  frame.writeUInt32LE(text.length, 0)
  return frame
}

/** @throws RangeError if the message is too large; the error of V8 if it cannot be cloned. */
export function encodeFrame(message: unknown): Buffer {
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

/** The message of a frame without its header. @throws an error if it is none. */
export function decodeFrame(bytes: Buffer): unknown {
  if (bytes[0] === JSON_BEGIN) return JSON.parse(bytes.toString('utf8'))
  const deserializer = new CopyingDeserializer(bytes)
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

/** Takes a stream of bytes apart into frames. */
export class FrameReader {
  readonly #bytesMax: () => number
  #chunks: Buffer[] = []
  #bytes = 0
  /** Of the next frame with its header, once that is known. */
  #needed = HEADER_BYTES

  /** @param bytesMax The largest frame now. */
  constructor(bytesMax: () => number) {
    this.#bytesMax = bytesMax
  }

  /** Calls `take` with each frame that is complete, without its header. @throws RangeError for one that is too large. */
  read(chunk: Buffer, take: (frame: Buffer) => void): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    while (this.#bytes >= this.#needed) {
      const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks)
      this.#chunks = [all]
      const length = all.readUInt32LE(0)
      if (length > this.#bytesMax()) throw new RangeError(`a message of ${length} bytes is too large`)
      const end = HEADER_BYTES + length
      this.#needed = end
      if (all.length < end) return
      take(all.subarray(HEADER_BYTES, end))
      this.#chunks = [all.subarray(end)]
      this.#bytes = all.length - end
      this.#needed = HEADER_BYTES
    }
  }
}
