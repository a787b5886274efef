import { HEADER_BYTES } from '../../remote/line/frames.js'

/** Takes a stream of bytes apart into frames. Most chunks are whole frames, for which it creates no objects. */
export class FrameReader {
  readonly #bytesMax: () => number
  /** The beginning of a frame that is not complete. */
  #chunks: Buffer[] = []
  #bytes = 0
  /** Of that frame with its header, as far as that is known. */
  #needed = HEADER_BYTES

  /** @param bytesMax The largest frame now. */
  constructor(bytesMax: () => number) {
    this.#bytesMax = bytesMax
  }

  /**
   * Calls `take` with where each frame that is complete is, without its header: until `take` returns. What the chunk is a view of may be
   * used again afterwards.
   * @throws RangeError for a frame that is too large.
   */
  read(chunk: Buffer, take: (bytes: Buffer, start: number, end: number) => void): void {
    let bytes = chunk
    if (this.#bytes > 0) {
      this.#keep(chunk)
      if (this.#bytes < this.#needed) return
      bytes = Buffer.concat(this.#chunks)
      this.#chunks = []
      this.#bytes = 0
    }
    let at = 0
    this.#needed = HEADER_BYTES
    while (bytes.length - at >= HEADER_BYTES) {
      const length = bytes.readUInt32LE(at)
      if (length > this.#bytesMax()) throw new RangeError(`a message of ${length} bytes is too large`)
      const end = at + HEADER_BYTES + length
      if (end > bytes.length) {
        this.#needed = HEADER_BYTES + length
        break
      }
      take(bytes, at + HEADER_BYTES, end)
      at = end
    }
    if (at < bytes.length) this.#keep(bytes.subarray(at))
  }

  #keep(part: Buffer): void {
    this.#chunks.push(Buffer.from(part))
    this.#bytes += part.length
  }
}
