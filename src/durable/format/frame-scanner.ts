/**
 * Reads the frames of one file in order, in chunks of a few megabytes. Checks that each frame is sound; the caller checks that
 * each follows the one before it.
 */

import { MalformedBytesError } from '../../values/bytes/byte-reader.js'
import { nextTurn } from '../storage/event-loop.js'
import { type ReadableFile, readAll } from '../storage/storage.js'
import { FILE_HEADER_BYTES, FRAME_BYTES_MAX, FRAME_HEADER_BYTES, FRAME_MAGIC } from './format.js'
import { type Frame, type FrameProblem, readFrame, sumInSlices } from './frame.js'
import { NewerFormatError } from './newer-format.js'

const CHUNK_BYTES = 4 * 1024 * 1024
/** The checksum of a larger frame, which is that of one large turn, is computed in slices. */
const AT_ONCE_BYTES = 1024 * 1024
/** A few seconds of checksums. The four bytes that begin a frame occur by chance once in 4 GiB. */
const CHECKED_BYTES_MAX = 4 * 1024 * 1024 * 1024

/** A sound frame and the buffer that holds it, valid until the next call; or the place where there is no sound frame. */
export type Scanned =
  | { frame: Frame; bytes: Buffer }
  /** `isTorn`: a crash may have left it. */
  | { frame: undefined; offset: number; reason: string; isTorn: boolean }

export class FrameScanner {
  readonly #file: ReadableFile
  readonly #seed: number
  readonly #chunkBytes: number
  readonly fileBytes: number
  #bytes: Buffer = Buffer.alloc(0)
  #memory: Buffer = Buffer.alloc(0)
  /** The offset of `#bytes[0]` in the file. */
  #offset: number
  #at = 0

  /** @param chunkBytes How much is read at once, unless a frame is larger. */
  constructor(file: ReadableFile, seed: number, start = FILE_HEADER_BYTES, chunkBytes = CHUNK_BYTES) {
    this.#chunkBytes = chunkBytes
    this.#file = file
    this.#seed = seed
    this.fileBytes = file.size()
    this.#offset = start
  }

  /**
   * The next frame; `undefined` at the end of the file. After an unsound one, call {@link findFrame}. Returns a promise only
   * if more of the file must be read: awaiting each of many small frames would cost more than reading them.
   * @throws NewerFormatError for a frame of a kind that only a newer daybook writes.
   */
  next(): Scanned | undefined | Promise<Scanned | undefined> {
    if (this.#offset + this.#at >= this.fileBytes) return undefined
    return this.#scanned(readFrame(this.#bytes, this.#at, this.#offset, this.fileBytes, this.#seed, AT_ONCE_BYTES))
  }

  #scanned(found: Frame | FrameProblem): Scanned | Promise<Scanned | undefined> {
    const place = this.#offset + this.#at
    if (!('problem' in found)) {
      this.#at += found.length
      return { frame: found, bytes: this.#bytes }
    }
    if (found.problem === 'large') return this.#sumLarge(found.length)
    if (found.problem === 'newer') throw new NewerFormatError(found.reason).at(this.#file.path, place)
    if (found.problem !== 'incomplete')
      return { frame: undefined, offset: place, reason: found.reason, isTorn: found.problem === 'unsound' }
    return this.#fill(found.needed).then((isMore) => (isMore ? this.next() : this.#end(place)))
  }

  /** There is nothing more to read. */
  #end(offset: number): Scanned | undefined {
    const isSizeKnown = this.fileBytes < Number.POSITIVE_INFINITY
    if (!isSizeKnown && this.#bytes.length === 0) return undefined
    const reason = isSizeKnown ? 'the file shrank while it was read' : 'the file ends in the middle of a frame'
    return { frame: undefined, offset, reason, isTorn: true }
  }

  async #sumLarge(length: number): Promise<Scanned | undefined> {
    const summing = sumInSlices(this.#bytes, this.#at, length, this.#seed)
    for (;;) {
      const { done, value } = summing.next()
      if (done === true)
        return this.#scanned(readFrame(this.#bytes, this.#at, this.#offset, this.fileBytes, this.#seed, 0, value))
      await nextTurn()
    }
  }

  /**
   * The first sound frame that begins after `offset`, at any place: what was written after the damage.
   * @throws MalformedBytesError if so many places look like frames that checking them all would take minutes. No crash leaves
   * such bytes; somebody forged them.
   */
  async findFrame(offset: number, accept: (frame: Frame) => boolean): Promise<Frame | undefined> {
    this.#offset = offset + 1
    this.#at = 0
    this.#bytes = Buffer.alloc(0)
    let checkedBytes = 0
    for (;;) {
      if (this.#offset + this.#at + FRAME_HEADER_BYTES > this.fileBytes) return undefined
      const found = this.#bytes.indexOf(MAGIC, this.#at)
      if (found === -1) {
        // The magic may begin in the last three bytes.
        this.#at = Math.max(this.#at, this.#bytes.length - MAGIC.length + 1)
        if (!(await this.#fill(this.#chunkBytes))) return undefined
        continue
      }
      this.#at = found
      const frame = readFrame(this.#bytes, found, this.#offset, this.fileBytes, this.#seed)
      if (!('problem' in frame)) {
        if (accept(frame)) return frame
        this.#at = found + 1
      } else if (frame.problem === 'incomplete') {
        if (!(await this.#fill(frame.needed))) return undefined
      } else {
        checkedBytes += frame.problem === 'unsound' ? (frame.summedBytes ?? 0) : 0
        if (checkedBytes > CHECKED_BYTES_MAX)
          throw new MalformedBytesError('too many places look like frames and are not')
        this.#at = found + 1
      }
    }
  }

  /** Drops the frames that were read, and reads on until there are `needed` bytes. False if the file has no more. */
  async #fill(needed: number): Promise<boolean> {
    const kept = this.#bytes.subarray(this.#at)
    this.#offset += this.#at
    this.#at = 0
    const left = this.fileBytes - this.#offset
    const size = Math.min(left, Math.max(this.#chunkBytes, Math.min(needed, FRAME_BYTES_MAX)))
    if (size <= kept.length) return false
    // Reuses the memory if it is large enough: the first access to new memory is slow.
    const bytes = size <= this.#memory.length ? this.#memory.subarray(0, size) : Buffer.allocUnsafeSlow(size)
    if (bytes.buffer !== this.#memory.buffer) this.#memory = bytes
    kept.copy(bytes)
    const read = await readAll(this.#file, bytes, kept.length, size - kept.length, this.#offset + kept.length)
    this.#bytes = bytes.subarray(0, kept.length + read)
    return read > 0
  }
}

const MAGIC = Buffer.alloc(4)
MAGIC.writeUInt32LE(FRAME_MAGIC)
