import { TEXT } from './text.js'

/** A longer substring is a view in V8 (SlicedString::kMinLength is 13). */
const COPIED_LENGTH_MAX = 12
/** Small enough for V8's young generation. */
const WINDOW_BYTES = 8 * 1024

/** Bytes with a matching checksum make no sense: a newer version or a faulty program wrote them, or somebody forged them. */
export class MalformedBytesError extends Error {}

/** Reads what a `ByteWriter` wrote. Checks every length against the remaining bytes before it allocates anything. */
export class ByteReader {
  readonly bytes: Buffer
  at: number
  readonly end: number
  /** A part of the bytes as latin1, if {@link expectShortText} was called. */
  #window = ''
  #windowStart = 0
  #windowEnd = -1

  /** `latin1`: all the bytes as one character each, if the caller has them; then a short text is a substring. */
  constructor(bytes: Buffer, start: number, end: number, latin1?: string) {
    this.bytes = bytes
    this.at = start
    this.end = end
    if (latin1 === undefined) return
    this.#window = latin1
    this.#windowEnd = end
  }

  /**
   * Prepares for many short texts: one call into the runtime decodes several kilobytes, of which each text is a substring. V8
   * copies substrings of up to 12 characters; a longer one would be a view, which keeps all of them in memory.
   */
  expectShortText(): void {
    this.#windowEnd = this.at
  }

  #piece(start: number, length: number): string {
    if (start + length > this.#windowEnd) {
      this.#windowStart = start
      this.#windowEnd = Math.min(this.end, start + WINDOW_BYTES)
      this.#window = this.bytes.latin1Slice(start, this.#windowEnd)
    }
    const from = start - this.#windowStart
    return this.#window.substring(from, from + length)
  }

  /** @throws MalformedBytesError if there are more bytes. */
  expectEnd(): void {
    if (this.at < this.end) throw new MalformedBytesError('bytes follow the last item of the frame')
  }

  byte(): number {
    if (this.at >= this.end) throw new MalformedBytesError('the payload ends in the middle of an event')
    return this.bytes[this.at++] as number
  }

  double(): number {
    const start = this.#take(8)
    return this.bytes.readDoubleLE(start)
  }

  /** An integer of 1 to 6 bytes. */
  unsigned(width: number): number {
    const start = this.#take(width)
    return this.bytes.readUIntLE(start, width)
  }

  varint(): number {
    let value = this.byte()
    if (value < 0x80) return value // most of them
    value &= 0x7f
    for (let shift = 7; shift < 35; shift += 7) {
      const byte = this.byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw new MalformedBytesError('a number is longer than 32 bits')
  }

  /** A view of the bytes, not a copy. */
  view(): Buffer {
    const length = this.varint()
    const start = this.#take(length)
    return this.bytes.subarray(start, start + length)
  }

  /** A view of the bytes up to `end`. */
  rest(end: number): Buffer {
    if (!(end <= this.end)) throw new MalformedBytesError('a length points past the end of the payload')
    const start = this.at
    this.at = Math.max(start, end)
    return this.bytes.subarray(start, this.at)
  }

  /** Skips as many bytes as a u32 says. Returns where they begin. */
  skipBytes(): number {
    const length = this.bytes.readUInt32LE(this.#take(4))
    return this.#take(length)
  }

  text(kind: number): string {
    const length = this.varint()
    const start = this.#take(length)
    if (kind === TEXT.ascii && length <= COPIED_LENGTH_MAX && this.#windowEnd >= 0) return this.#piece(start, length)
    if (kind === TEXT.ascii) return this.bytes.latin1Slice(start, start + length)
    if (kind === TEXT.utf8) return this.bytes.utf8Slice(start, start + length)
    if (kind === TEXT.utf16 && length % 2 === 0) return this.bytes.ucs2Slice(start, start + length)
    throw new MalformedBytesError(kind === TEXT.utf16 ? 'half a character of text' : `unknown kind of text ${kind}`)
  }

  /** Skips these bytes, if the caller has given all bytes as latin1, and these come next. */
  skipIfNext(latin1: string): boolean {
    const end = this.at + latin1.length
    // Faster than `startsWith`.
    if (this.#windowStart > 0 || this.#windowEnd < end || this.#window.substring(this.at, end) !== latin1) return false
    this.at = end
    return true
  }

  #take(length: number): number {
    const start = this.at
    if (length > this.end - start) throw new MalformedBytesError('a length points past the end of the payload')
    this.at = start + length
    return start
  }
}
