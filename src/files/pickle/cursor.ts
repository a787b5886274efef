/** Reads the arguments of opcodes, never past the end of the file. First on the reader's path. After: `fetched`, `machine`. */
import { refusal } from './refusal.js'

const NEWLINE = 0x0a

export class Cursor {
  readonly bytes: Buffer
  /** Where the next read starts, in bytes from the start of the pickle. */
  offset = 0

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get left(): number {
    return this.bytes.length - this.offset
  }

  /** Skips `length` bytes and returns where they start. */
  skip(length: number): number {
    const start = this.offset
    if (length > this.bytes.length - start) {
      throw refusal(
        `it needs ${length} bytes here, but the file has ${this.left} left: it is truncated or damaged`,
        start,
      )
    }
    this.offset = start + length
    return start
  }

  uint1(): number {
    return this.bytes[this.skip(1)]!
  }

  uint2(): number {
    return this.bytes.readUInt16LE(this.skip(2))
  }

  uint4(): number {
    return this.bytes.readUInt32LE(this.skip(4))
  }

  int4(): number {
    return this.bytes.readInt32LE(this.skip(4))
  }

  /** A length of 8 bytes. Not exact above 2^53, which is longer than any file. */
  uint8(): number {
    const start = this.skip(8)
    return this.bytes.readUInt32LE(start + 4) * 2 ** 32 + this.bytes.readUInt32LE(start)
  }

  /** A signed length of 4 bytes, which must not be negative. */
  length4(): number {
    const length = this.int4()
    if (length < 0) throw refusal(`a length of ${length}`, this.offset - 4)
    return length
  }

  float8(): number {
    return this.bytes.readDoubleBE(this.skip(8))
  }

  /** The next `length` bytes, not copied. */
  take(length: number): Buffer {
    const start = this.skip(length)
    return this.bytes.subarray(start, start + length)
  }

  /** The bytes before the next newline, which is skipped, too. Not copied. */
  line(bytesMax = Number.POSITIVE_INFINITY): Buffer {
    const end = this.bytes.indexOf(NEWLINE, this.offset)
    if (end < 0) throw refusal('a line that does not end: the file is truncated or damaged', this.offset)
    if (end - this.offset > bytesMax) throw refusal(`a line of more than ${bytesMax} bytes`, this.offset)
    const line = this.bytes.subarray(this.offset, end)
    this.offset = end + 1
    return line
  }
}
