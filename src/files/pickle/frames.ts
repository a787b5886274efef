/**
 * The writer's output: frames of about 64 KiB, as Python writes them, so that a reader can fetch each in one read (PEP 3154).
 * An opcode and its argument are never in two frames; a str or bytes object as large as a frame is between frames. Chunks are
 * never reused: callers may keep them.
 */
import { opcodes, PROTOCOL_WRITTEN } from './opcodes.js'

const FRAME_BYTES = 2 ** 16
const SLAB_BYTES = 2 ** 18
/** FRAME and its length. */
const FRAME_HEADER_BYTES = 9

export class Frames {
  /** The slab that bytes are written to, at what {@link reserve} returns. */
  bytes: Buffer
  #chunkStart = 0
  /** Where the frame's header will be, followed by its bytes. */
  #frameStart: number
  #end: number
  #chunks: Uint8Array[] = []

  constructor() {
    this.bytes = Buffer.allocUnsafeSlow(FRAME_BYTES)
    this.bytes[0] = opcodes.PROTO
    this.bytes[1] = PROTOCOL_WRITTEN
    this.#frameStart = 2
    this.#end = 2 + FRAME_HEADER_BYTES
  }

  /** Makes room for `length` bytes and returns the offset in {@link bytes} where they must be written. */
  reserve(length: number): number {
    if (this.#end + length > this.bytes.length) this.#grow(length)
    const at = this.#end
    this.#end += length
    return at
  }

  op(code: number): void {
    const at = this.reserve(1) // first: it may replace the slab
    this.bytes[at] = code
  }

  /** Large data in a chunk of its own, between frames: `header` is its opcode and length. */
  unframed(header: Uint8Array, length: number, write: (target: Buffer, at: number) => void): void {
    this.#endFrame()
    const chunk = Buffer.allocUnsafeSlow(header.length + length)
    chunk.set(header)
    write(chunk, header.length)
    this.#chunks.push(chunk)
  }

  /** To be called between opcodes: ends the frame if it has become large enough. */
  opcodeEnds(): void {
    if (this.#end - this.#frameStart >= FRAME_BYTES) this.#endFrame()
  }

  /** Ends the frame. Returns everything written since the last call. */
  take(): Uint8Array[] {
    this.#endFrame()
    return this.takeWhole()
  }

  /** Returns the frames that have ended since the last call. */
  takeWhole(): Uint8Array[] {
    const chunks = this.#chunks
    if (chunks.length > 0) this.#chunks = []
    return chunks
  }

  #endFrame(): void {
    const length = this.#end - this.#frameStart - FRAME_HEADER_BYTES
    if (length > 0) {
      this.bytes[this.#frameStart] = opcodes.FRAME
      this.bytes.writeUInt32LE(length, this.#frameStart + 1)
      this.bytes.writeUInt32LE(0, this.#frameStart + 5)
      this.#frameStart = this.#end
    }
    // Even without a frame there may be the PROTO, which precedes the first one.
    if (this.#frameStart > this.#chunkStart) this.#chunks.push(this.bytes.subarray(this.#chunkStart, this.#frameStart))
    this.#chunkStart = this.#frameStart
    this.#end = this.#frameStart + FRAME_HEADER_BYTES
  }

  #grow(length: number): void {
    const kept = this.bytes.subarray(this.#chunkStart, Math.min(this.#end, this.bytes.length))
    const used = this.#end - this.#chunkStart
    const slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, 2 * (used + length)))
    slab.set(kept)
    this.bytes = slab
    this.#frameStart -= this.#chunkStart
    this.#chunkStart = 0
    this.#end = used
  }
}
