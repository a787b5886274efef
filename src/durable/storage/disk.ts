import {
  close,
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  read,
  readFileSync,
  renameSync,
  unlinkSync,
  write,
  writeSync,
} from 'node:fs'
import { dirname, resolve } from 'node:path'
import { promisify } from 'node:util'
import glob from 'fast-glob'
import { tryLock } from 'fs-native-extensions'
import { CacheError } from '../../errors.js'
import type { Storage, StorageEntry, StorageFile, StorageLock } from './storage.js'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants
const FILE_MODE = 0o600
const DIRECTORY_MODE = 0o700

const readLater = promisify(read)
const writeLater = promisify(write)
const fdatasyncLater = promisify(fdatasync)
const fsyncLater = promisify(fsync)

/** The real file system. */
export const disk: Storage = {
  makeDirectory(directory) {
    const first = mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE })
    if (first === undefined) return
    // The names of what was made have to be on disk, or a power cut takes the journal with them.
    for (let made = resolve(directory); made.length >= first.length; made = dirname(made))
      this.syncDirectory(dirname(made))
  },

  async list(directory, pattern) {
    // `objectMode` with `stats` gives what lstat says, so a link is seen as a link.
    const found = await glob(pattern, {
      cwd: directory,
      deep: 1,
      dot: true,
      onlyFiles: false,
      followSymbolicLinks: false,
      stats: true,
    })
    return found
      .map(
        (entry): StorageEntry => ({
          name: entry.name,
          isFile: entry.dirent.isFile(),
          bytes: entry.stats?.size ?? 0,
        }),
      )
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  },

  open(path, mode) {
    return openFile(path, mode === 'read' ? O_RDONLY : O_RDWR)
  },

  create(path) {
    return openFile(path, O_RDWR | O_CREAT | O_EXCL)
  },

  rename(from, to) {
    freeLater(to, () => renameSync(from, to))
  },

  unlink(path) {
    freeLater(path, () => unlinkSync(path))
  },

  syncDirectory(directory) {
    if (process.platform === 'win32') return // a directory cannot be opened there; NTFS journals names by itself
    const descriptor = openSync(directory, O_RDONLY)
    try {
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  },

  async syncDirectoryLater(directory) {
    if (process.platform === 'win32') return
    const descriptor = openSync(directory, O_RDONLY)
    try {
      await fsyncLater(descriptor)
    } finally {
      closeSync(descriptor)
    }
  },

  lock(path) {
    const file = openFile(path, O_RDWR | O_CREAT)
    let isOurs = false
    try {
      isOurs = tryLock(file.descriptor)
    } finally {
      if (!isOurs) file.close()
    }
    return isOurs ? new DiskLock(file) : undefined
  },
}

const LARGE_BYTES = 1024 * 1024

/**
 * A file that loses its last name is freed before the call returns: 25 ms for 70 MB. So a large one is held open until
 * another thread closes it, and frees it there.
 */
function freeLater(path: string, loseName: () => void): void {
  const held = hold(path)
  try {
    loseName()
  } finally {
    if (held !== undefined) close(held, () => undefined)
  }
}

function hold(path: string): number | undefined {
  if (process.platform === 'win32') return undefined // there a file that is open keeps its name
  try {
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (!found?.isFile() || found.size < LARGE_BYTES) return undefined
    return openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch {
    return undefined // then it is freed at once
  }
}

/** A link is refused by the system (ELOOP); a FIFO or a directory by us, and O_NONBLOCK keeps a FIFO from blocking. */
function openFile(path: string, flags: number): DiskFile {
  let descriptor: number
  try {
    descriptor = openSync(path, flags | O_NOFOLLOW | O_NONBLOCK, FILE_MODE)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ELOOP' || code === 'EISDIR' || code === 'ENXIO') throw notAFile(path)
    throw error
  }
  if (!fstatSync(descriptor).isFile()) {
    closeSync(descriptor)
    throw notAFile(path)
  }
  return new DiskFile(path, descriptor)
}

export function notAFile(path: string): CacheError {
  return new CacheError(
    'NOT_A_FILE',
    `${path} is not an ordinary file (a symbolic link, a directory or a FIFO stands there). No file was changed: move it away, or use another directory.`,
  )
}

class DiskFile implements StorageFile {
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

  /** Waits for a running {@link sync}: a descriptor that is closed under it may be another file's by then. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    if (this.#syncing === 0) closeSync(this.descriptor)
  }
}

/** Closing the descriptor releases the lock: an open file description's lock, so it also holds against this process. */
class DiskLock implements StorageLock {
  readonly #file: DiskFile

  constructor(file: DiskFile) {
    this.#file = file
  }

  read(): string {
    return readFileSync(this.#file.path, 'utf8')
  }

  write(note: string): void {
    const bytes = Buffer.from(note)
    this.#file.write(bytes, 0, bytes.length, 0)
    this.#file.truncate(bytes.length)
    this.#file.syncNow()
  }

  release(): void {
    this.#file.close()
  }
}
