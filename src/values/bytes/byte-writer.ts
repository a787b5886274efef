import { TEXT } from './text.js'

/** Text up to this length is written by a loop, which is faster for so few bytes than a call into the runtime. */
const LOOP_LENGTH_MAX = 28

/** A growing buffer, in which frames are composed. Numbers are little-endian. */
export class ByteWriter {
  bytes: Buffer
  /** Of the same bytes: V8 compiles its writes into the caller. */
  #view: DataView
  length = 0
  readonly #initialBytes: number

  constructor(initialBytes: number) {
    this.#initialBytes = initialBytes
    this.bytes = Buffer.allocUnsafeSlow(initialBytes)
    this.#view = viewOf(this.bytes)
  }

  /** Empties the buffer, and frees the memory of a very large frame. */
  clear(): void {
    this.length = 0
    if (this.bytes.length > this.#initialBytes * 4) this.#use(Buffer.allocUnsafeSlow(this.#initialBytes))
  }

  #use(bytes: Buffer): void {
    this.#view = viewOf(bytes)
    this.bytes = bytes
  }

  /** Ensures room for `count` more bytes. Must be called before the `put` methods below. */
  reserve(count: number): void {
    if (this.length + count > this.bytes.length) this.#grow(this.length + count)
  }

  #grow(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2))
    this.bytes.copy(grown, 0, 0, this.length)
    this.#use(grown)
  }

  skip(count: number): void {
    this.reserve(count)
    this.length += count
  }

  putByte(value: number): void {
    this.bytes[this.length++] = value
  }

  putDouble(value: number): void {
    this.#view.setFloat64(this.length, value, true)
    this.length += 8
  }

  /** LEB128 of an integer below 2^32: seven bits a byte, the lowest first. At most 5 bytes. */
  putVarint(value: number): void {
    const { bytes } = this
    let at = this.length
    let rest = value >>> 0
    while (rest > 0x7f) {
      bytes[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    bytes[at++] = rest
    this.length = at
  }

  putBytes(bytes: Uint8Array): void {
    this.reserve(bytes.length + 5)
    this.putVarint(bytes.length)
    this.#copy(bytes, bytes.length)
  }

  #copy(bytes: Uint8Array, length: number): void {
    if (length > LOOP_LENGTH_MAX)
      this.bytes.set(length === bytes.length ? bytes : bytes.subarray(0, length), this.length)
    else for (let index = 0; index < length; index++) this.bytes[this.length + index] = bytes[index] as number
    this.length += length
  }

  /** Writes bytes, or the characters of a text as one byte each. */
  putHeld(bytes: Uint8Array | string): void {
    this.reserve(bytes.length)
    if (typeof bytes === 'string') this.bytes.latin1Write(bytes, this.length)
    else this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  /** Copies what another writer holds. Room must have been reserved. */
  putWritten({ bytes, length }: ByteWriter): void {
    this.#copy(bytes, length)
  }

  /** Writes the length in bytes as a varint, then the text. Returns its encoding (TEXT). */
  putText(text: string): number {
    this.reserve(text.length * 3 + 5)
    const { length } = text
    if (length > LOOP_LENGTH_MAX) return this.#putLongText(text)
    const { bytes } = this
    const start = this.length + 1
    let all = 0
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index)
      all |= unit
      bytes[start + index] = unit
    }
    if (all > 0x7f) return this.#putLongText(text)
    bytes[start - 1] = length // one byte of varint
    this.length = start + length
    return TEXT.ascii
  }

  #putLongText(text: string): number {
    // Most text is ASCII, so assume it; the length in UTF-8 shows whether that was right.
    const start = this.length
    this.putVarint(text.length)
    const utf8Bytes = this.bytes.utf8Write(text, this.length)
    if (utf8Bytes === text.length) {
      this.length += utf8Bytes
      return TEXT.ascii
    }
    this.length = start
    if (text.isWellFormed()) {
      this.putVarint(utf8Bytes)
      this.length += this.bytes.utf8Write(text, this.length)
      return TEXT.utf8
    }
    this.putVarint(text.length * 2)
    this.length += this.bytes.ucs2Write(text, this.length)
    return TEXT.utf16
  }
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length)
}

declare global {
  interface String {
    /** ES2024; in Node since 20. */
    isWellFormed(): boolean
  }
  interface Buffer {
    /** Node's fast paths behind `write` and `toString`, without their checks. */
    latin1Write(text: string, offset?: number, length?: number): number
    utf8Write(text: string, offset?: number, length?: number): number
    ucs2Write(text: string, offset?: number, length?: number): number
    latin1Slice(start?: number, end?: number): string
    utf8Slice(start?: number, end?: number): string
    ucs2Slice(start?: number, end?: number): string
  }
}
