/** What a file holds, as a value: text where its bytes are UTF-8, else bytes. One file is in memory at a time. */
import { isUtf8 } from 'node:buffer'
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { FRAME_BYTES_MAX, FRAME_HEADER_BYTES } from '../../journal/format.js'
import { showBytes } from '../quantities.js'

/** A frame also holds the key and some lengths. */
const CONTENT_BYTES_MAX = FRAME_BYTES_MAX - FRAME_HEADER_BYTES - 64 * 1024

/** Files up to this size are read into one buffer that is used again and again. */
const SCRATCH_BYTES = 4 * 1024 * 1024
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)

/**
 * The value, valid until the next call: bytes may lie in a buffer that is used again, and the cache copies what it stores.
 * @throws Error for a file that cannot be read, or is larger than an entry can be; it is not read then.
 */
export function readContent(path: string): { value: string | Uint8Array; bytes: number } {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stats = fstatSync(descriptor)
    if (!stats.isFile()) throw new Error('it is not an ordinary file')
    if (stats.size > CONTENT_BYTES_MAX) {
      throw new Error(`it has ${showBytes(stats.size)}, and an entry holds ${showBytes(CONTENT_BYTES_MAX)} at most`)
    }
    const bytes = readAll(descriptor, stats.size)
    return { value: asValue(bytes), bytes: bytes.length }
  } finally {
    closeSync(descriptor)
  }
}

/** Of a file that changes its size meanwhile, as much as it had at first. */
function readAll(descriptor: number, size: number): Buffer {
  const target = size <= scratch.length ? scratch : Buffer.allocUnsafeSlow(size)
  let done = 0
  while (done < size) {
    const read = readSync(descriptor, target, done, size - done, done)
    if (read === 0) break
    done += read
  }
  return target.subarray(0, done)
}

function asValue(bytes: Buffer): string | Uint8Array {
  if (isUtf8(bytes)) return bytes.toString('utf8')
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) // not a Buffer: they are stored as what they are
}
