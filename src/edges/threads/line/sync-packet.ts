/**
 * The memory that a synchronous client shares with its owner: one request and its answer, if they consist of numbers, short
 * strings and other primitives. Everything else (objects, lists, errors, answers that come later) goes over the port.
 *
 *   words   0 SIGNAL    counts the owner's actions for this client; the client sleeps on it (Atomics.wait)
 *           1 STATE     whose turn it is: IDLE, REQUEST (the owner's), ANSWERED (the client's)
 *           2 AWAKE     the owner is polling STATE and needs no message to wake it
 *           3 MESSAGES  how many messages the owner has sent over the port
 *           4 CLIENT_NEXT  what the client does at its next wait: `Patience.next`
 *   byte 64 …           the packet: a sequence of values, each a tag and its data
 */

/** The message that tells the owner to look into the memory. */
export const LOOK = 0

export const SIGNAL = 0
export const STATE = 1
export const AWAKE = 2
export const MESSAGES = 3
export const CLIENT_NEXT = 4

export const IDLE = 0
export const REQUEST = 1
export const ANSWERED = 2

const HEADER_BYTES = 64
export const PACKET_BYTES = 8 * 1024
/** A packet ends this many bytes before the end of the memory, so that no value is read past it. */
const SLACK_BYTES = 16
const PACKET_END = PACKET_BYTES - SLACK_BYTES

const UNDEFINED = 0
const NULL = 1
const FALSE = 2
const TRUE = 3
const WHOLE = 4
const DOUBLE = 5
const LATIN = 6
const WIDE = 7

export class SyncPacket {
  readonly words: Int32Array
  readonly #bytes: Buffer
  #at = HEADER_BYTES

  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory, 0, HEADER_BYTES / 4)
    this.#bytes = Buffer.from(memory as unknown as ArrayBuffer)
  }

  rewind(): void {
    this.#at = HEADER_BYTES
  }

  /** Adds a value. Returns `false` if it does not fit, or the memory cannot hold values of its kind. */
  put(value: unknown): boolean {
    const bytes = this.#bytes
    switch (typeof value) {
      case 'undefined':
        return this.#tag(UNDEFINED)
      case 'boolean':
        return this.#tag(value ? TRUE : FALSE)
      case 'number':
        if (this.#at + 9 > PACKET_END) return false
        if ((value | 0) === value && !Object.is(value, -0)) {
          bytes[this.#at] = WHOLE
          bytes.writeInt32LE(value, this.#at + 1)
          this.#at += 5
        } else {
          bytes[this.#at] = DOUBLE
          bytes.writeDoubleLE(value, this.#at + 1)
          this.#at += 9
        }
        return true
      case 'string':
        return this.#putText(value)
      default:
        return value === null ? this.#tag(NULL) : false
    }
  }

  #tag(tag: number): boolean {
    if (this.#at >= PACKET_END) return false
    this.#bytes[this.#at++] = tag
    return true
  }

  #putText(text: string): boolean {
    const bytes = this.#bytes
    const { length } = text
    if (this.#at + 5 + 2 * length > PACKET_END) return false
    bytes.writeInt32LE(length, this.#at + 1)
    const start = this.#at + 5
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index)
      if (code > 0xff) {
        bytes[this.#at] = WIDE
        bytes.write(text, start, 'utf16le') // including lone surrogates
        this.#at = start + 2 * length
        return true
      }
      bytes[start + index] = code
    }
    bytes[this.#at] = LATIN
    this.#at = start + length
    return true
  }

  /** The next value. The other side may have written anything: invalid data is read as `undefined`. */
  take(): unknown {
    const bytes = this.#bytes
    if (this.#at >= PACKET_END) return undefined
    switch (bytes[this.#at++]) {
      case NULL:
        return null
      case FALSE:
        return false
      case TRUE:
        return true
      case WHOLE:
        this.#at += 4
        return bytes.readInt32LE(this.#at - 4)
      case DOUBLE:
        this.#at += 8
        return bytes.readDoubleLE(this.#at - 8)
      case LATIN:
        return this.#takeText('latin1', 1)
      case WIDE:
        return this.#takeText('utf16le', 2)
      default:
        return undefined
    }
  }

  #takeText(encoding: 'latin1' | 'utf16le', width: number): string | undefined {
    const start = this.#at + 4
    const end = start + width * this.#bytes.readInt32LE(this.#at)
    if (!(end >= start && end <= PACKET_END)) return undefined
    this.#at = end
    return this.#bytes.toString(encoding, start, end)
  }
}
