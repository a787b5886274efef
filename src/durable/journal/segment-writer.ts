import { join } from 'node:path'
import { encodeFileHeader } from '../format/file-header.js'
import { FILE_HEADER_BYTES, fileName } from '../format/format.js'
import type { Storage, StorageFile } from '../storage/storage.js'
import { writeAll } from '../storage/storage.js'

/** The end of the journal: where the next frame goes. */
export interface SegmentPosition {
  /** The first sequence of the segment, which names its file. */
  sequence: number
  /** The checksum of the last frame before this segment, as its header says. */
  previousChecksum: number
  /** Bytes of sound frames; the next frame is written here. */
  offset: number
  /** The checksum of the last frame; of the file header, if there is none yet. */
  lastChecksum: number
}

/** One open segment. Knows files and offsets; what a frame holds is not its concern. */
export class SegmentWriter {
  readonly sequence: number
  readonly previousChecksum: number
  lastChecksum: number
  #offset: number
  readonly #file: StorageFile

  private constructor(file: StorageFile, position: SegmentPosition) {
    this.#file = file
    this.sequence = position.sequence
    this.previousChecksum = position.previousChecksum
    this.lastChecksum = position.lastChecksum
    this.#offset = position.offset
  }

  /** Creates a segment, durable with its name before this returns. On failure nothing of it stays. */
  static create(
    storage: Storage,
    directory: string,
    header: { journalId: Buffer; sequence: number; previousChecksum: number; createdAtMs: number },
  ): SegmentWriter {
    const path = join(directory, fileName(header.sequence, 'segment'))
    const file = storage.create(path)
    try {
      const bytes = encodeFileHeader({ kind: 'segment', ...header })
      writeAll(file, bytes, 0)
      file.syncNow()
      storage.syncDirectory(directory)
      const lastChecksum = bytes.readUInt32LE(FILE_HEADER_BYTES - 4)
      return new SegmentWriter(file, { ...header, offset: FILE_HEADER_BYTES, lastChecksum })
    } catch (error) {
      discard(storage, file)
      throw error
    }
  }

  /** Goes on at the end of a segment that was recovered. */
  static reopen(storage: Storage, directory: string, position: SegmentPosition): SegmentWriter {
    return new SegmentWriter(storage.open(join(directory, fileName(position.sequence, 'segment')), 'write'), position)
  }

  get offset(): number {
    return this.#offset
  }

  /** Appends whole frames. When that fails the file is cut back to the last good offset, and nothing was appended. */
  append(frames: Uint8Array, lastChecksum: number): void {
    try {
      writeAll(this.#file, frames, this.#offset)
    } catch (error) {
      this.#cutBack()
      throw error
    }
    this.#offset += frames.length
    this.lastChecksum = lastChecksum
  }

  #cutBack(): void {
    try {
      this.#file.truncate(this.#offset)
    } catch {
      // The next write goes to the same offset; recovery sets aside what is left of this one.
    }
  }

  /** Removes a segment that got no frame. */
  discard(storage: Storage): void {
    discard(storage, this.#file)
  }

  sync(): Promise<void> {
    return this.#file.sync()
  }

  syncNow(): void {
    this.#file.syncNow()
  }

  close(): void {
    this.#file.close()
  }
}

function discard(storage: Storage, file: StorageFile): void {
  file.close()
  try {
    storage.unlink(file.path)
  } catch {
    // Recovery takes an empty segment at the end for what it is.
  }
}
