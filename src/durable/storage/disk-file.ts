/** An open file of the real file system. */
import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  read,
  write,
  writeSync,
} from 'node:fs'
import { promisify } from 'node:util'
import { notAFile, type StorageFile } from './storage.js'

const { O_NOFOLLOW, O_NONBLOCK } = constants
const FILE_MODE = 0o600

const readLater = promisify(read)
const writeLater = promisify(write)
const fdatasyncLater = promisify(fdatasync)

/** The system refuses a link (ELOOP), and this function a FIFO or a directory. O_NONBLOCK keeps a FIFO from blocking. */
export function openFile(path: string, flags: number): DiskFile {
  let descriptor: number
  try {
    descriptor = openSync(path, flags | O_NOFOLLOW | O_NONBLOCK, FILE_MODE)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ELOOP' || code === 'EISDIR' || code === 'ENXIO') throw notAFile(path)
    if (code === 'EEXIST' && lstatSync(path, { throwIfNoEntry: false })?.isFile() === false) throw notAFile(path)
    throw error
  }
  if (!fstatSync(descriptor).isFile()) {
    closeSync(descriptor)
    throw notAFile(path)
  }
  return new DiskFile(path, descriptor)
}

export class DiskFile implements StorageFile {
  readonly path: string
  readonly descriptor: number
  #syncing = 0
  #isClosed = false

  constructor(path: string, descriptor: number) {
    this.path = path
    this.descriptor = descriptor
  }

  size(): number {
    return fstatSync(this.descriptor).size
  }

  async read(target: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    const { bytesRead } = await readLater(this.descriptor, target, offset, length, position)
    return bytesRead
  }

  write(source: Uint8Array, offset: number, length: number, position: number): number {
    return writeSync(this.descriptor, source, offset, length, position)
  }

  async writeLater(source: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    const { bytesWritten } = await writeLater(this.descriptor, source, offset, length, position)
    return bytesWritten
  }

  truncate(bytes: number): void {
    ftruncateSync(this.descriptor, bytes)
  }

  async sync(): Promise<void> {
    this.#syncing++
    try {
      await fdatasyncLater(this.descriptor)
    } finally {
      if (--this.#syncing === 0 && this.#isClosed) closeSync(this.descriptor)
    }
  }

  syncNow(): void {
    fdatasyncSync(this.descriptor)
  }

  /** Waits for a running {@link sync}: a descriptor that is closed too early may already belong to another file. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    if (this.#syncing === 0) closeSync(this.descriptor)
  }
}
