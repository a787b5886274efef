/** The content of a file as a value: text if it is UTF-8, otherwise bytes. One file is in memory at a time. */
import { isUtf8 } from 'node:buffer'
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { FRAME_BYTES_MAX, FRAME_HEADER_BYTES } from '../../durable/format/format.js'
import { showBytes } from '../terminal/quantities.js'

/** A frame also holds the key, and lengths. */
const CONTENT_BYTES_MAX = FRAME_BYTES_MAX - FRAME_HEADER_BYTES - 64 * 1024

/** Files up to this size are read into one buffer that is reused. */
const SCRATCH_BYTES = 4 * 1024 * 1024
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)

export interface Content {
  /** Valid until the next call: the bytes may be in the reused buffer. */
  value: string | Uint8Array
  bytes: number
  /** Whether nothing else uses the memory of the bytes. */
  isOwn: boolean
}

/** @throws Error for a file that cannot be read, or is too large for an entry. */
export function readContent(path: string): Content {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stats = fstatSync(descriptor)
    if (!stats.isFile()) throw new Error('it is not an ordinary file')
    if (stats.size > CONTENT_BYTES_MAX) {
      throw new Error(`it has ${showBytes(stats.size)}, and an entry can hold at most ${showBytes(CONTENT_BYTES_MAX)}`)
    }
    if (stats.size > scratch.length) return readLarge(descriptor, stats.size)
    const bytes = scratch.subarray(0, readAll(descriptor, scratch, stats.size))
    return { value: isUtf8(bytes) ? bytes.toString('utf8') : asBytes(bytes), bytes: bytes.length, isOwn: false }
  } finally {
    closeSync(descriptor)
  }
}

/** The memory that a large text was read into is freed at once, not when garbage is collected. */
function readLarge(descriptor: number, size: number): Content {
  const memory = new ArrayBuffer(size, { maxByteLength: size })
  const bytes = Buffer.from(memory, 0, size)
  const length = readAll(descriptor, bytes, size)
  const read = bytes.subarray(0, length)
  if (!isUtf8(read)) return { value: asBytes(read), bytes: length, isOwn: true }
  const value = read.toString('utf8')
  memory.resize(0)
  return { value, bytes: length, isOwn: true }
}

/** If the file grows meanwhile, only its first `size` bytes are read. */
function readAll(descriptor: number, target: Buffer, size: number): number {
  let done = 0
  while (done < size) {
    const read = readSync(descriptor, target, done, size - done, done)
    if (read === 0) break
    done += read
  }
  return done
}

/** Not a Buffer: a Buffer would be stored as one. */
function asBytes(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

declare global {
  // ES2024; in Node since 20.
  interface ArrayBufferConstructor {
    new (byteLength: number, options: { maxByteLength: number }): ArrayBuffer
  }
  interface ArrayBuffer {
    resize(byteLength: number): void
  }
}
