/** One segment, open for writing: the file, and the place of its next frame. */
import { join } from 'node:path'
import { CacheError } from '../../errors.js'
import { encodeFileHeader, type FileHeader } from '../format/file-header.js'
import { FILE_HEADER_BYTES, fileName, VERSION } from '../format/format.js'
import type { FinishedFrames } from '../format/frame.js'
import { moveAfter, whyNotNext } from '../format/frame-order.js'
import type { SegmentPosition } from '../history/read-segments.js'
import { createFile } from '../storage/create-file.js'
import { removeIfThere } from '../storage/replace-file.js'
import { type Storage, type StorageFile, writeAll } from '../storage/storage.js'

export class SegmentWriter {
  readonly #file: StorageFile
  #position: SegmentPosition

  private constructor(file: StorageFile, position: SegmentPosition) {
    this.#file = file
    this.#position = position
  }

  /** Creates a segment. It and its name are durable when this returns; if it fails, the file is removed. */
  static create(
    storage: Storage,
    directory: string,
    header: Omit<FileHeader, 'kind' | 'checksum' | 'version'>,
  ): SegmentWriter {
    const { sequence, previousChecksum } = header
    const bytes = encodeFileHeader({ kind: 'segment', ...header })
    const file = createFile(storage, join(directory, fileName(sequence, 'segment')), bytes)
    return new SegmentWriter(file, {
      sequence,
      previousChecksum,
      offset: FILE_HEADER_BYTES,
      version: VERSION,
      nextSequence: sequence,
      lastChecksum: bytes.readUInt32LE(FILE_HEADER_BYTES - 4),
      seal: undefined,
    })
  }

  /** Continues at the end of a segment that was recovered. */
  static reopen(storage: Storage, directory: string, position: SegmentPosition): SegmentWriter {
    const file = storage.open(join(directory, fileName(position.sequence, 'segment')), 'write')
    return new SegmentWriter(file, { ...position })
  }

  /** The checksum of the last frame before this segment. */
  get previousChecksum(): number {
    return this.#position.previousChecksum
  }

  /** The checksum that the next frame must name. */
  get lastChecksum(): number {
    return this.#position.lastChecksum
  }

  get offset(): number {
    return this.#position.offset
  }

  /** Whether an older daybook wrote it, so that it must get no more events. */
  get isOlder(): boolean {
    return this.#position.version < VERSION
  }

  get hasEvents(): boolean {
    return this.#position.nextSequence > this.#position.sequence
  }

  /** Appends frames, all or none. If that fails, the file is truncated to its former size. */
  append({ frames, bytes }: FinishedFrames): void {
    const next = { ...this.#position }
    for (const { header, checksum } of frames) {
      const reason = whyNotNext(header, next) // a frame that the reader would refuse must not be written
      if (reason !== undefined) throw new CacheError('INTERNAL', `A frame that is wrong was not written: ${reason}`)
      moveAfter(next, header, checksum)
    }
    try {
      writeAll(this.#file, bytes, next.offset)
    } catch (error) {
      this.#cutBack()
      throw error
    }
    next.offset += bytes.length
    this.#position = next
  }

  #cutBack(): void {
    try {
      this.#file.truncate(this.#position.offset)
    } catch {
      // The next write goes to the same offset; recovery sets aside the rest of this one.
    }
  }

  /** Removes a segment without frames. If that fails, recovery removes it. */
  discard(storage: Storage): void {
    this.#file.close()
    removeIfThere(storage, this.#file.path)
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
