import { HEADER_BYTES } from '../../remote/line/frames.js'

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
