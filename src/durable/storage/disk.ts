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
  lstat,
  lstatSync,
  mkdirSync,
  openSync,
  read,
  readdir,
  readSync,
  renameSync,
  unlinkSync,
  write,
  writeSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { tryLock } from 'fs-native-extensions'
import {
  NOTE_BYTES_MAX,
  notAFile,
  type Storage,
  type StorageEntry,
  type StorageFile,
  type StorageLock,
} from './storage.js'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants
const FILE_MODE = 0o600
const DIRECTORY_MODE = 0o700

const readLater = promisify(read)
const writeLater = promisify(write)
const fdatasyncLater = promisify(fdatasync)
const fsyncLater = promisify(fsync)
const readdirLater = promisify(readdir)
const lstatLater = promisify(lstat)

/** The real file system. */
export const disk: Storage = {
  makeDirectory(directory) {
    const first = mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE })
    if (first === undefined) return
    // The names of what was made have to be on disk, or a power cut takes the journal with them.
    for (let made = resolve(directory); made.length >= first.length; made = dirname(made))
      this.syncDirectory(dirname(made))
  },

  async list(directory) {
    const names = (await unlessMissing(readdirLater(directory))) ?? []
    const entries = await Promise.all(names.sort().map((name) => entryOf(directory, name)))
    return entries.filter((entry) => entry !== undefined)
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
    if (process.platform === 'win32') return // a directory cannot be opened there; NTFS journals names itself
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

  /** Asks with a shared lock, held for some microseconds, during which an opener would be refused. */
  isLocked(path) {
    try {
      const file = openFile(path, O_RDONLY)
      try {
        return !tryLock(file.descriptor, { shared: true })
      } finally {
        file.close() // and releases the lock
      }
    } catch {
      return false // there is no such file, or it cannot be opened, or the file system has no locks
    }
  },

  noteIn(path) {
    let file: DiskFile
    try {
      file = openFile(path, O_RDONLY)
    } catch (error) {
      if (isMissing(error)) return ''
      throw error
    }
    try {
      const bytes = Buffer.alloc(NOTE_BYTES_MAX)
      return bytes.toString('utf8', 0, readSync(file.descriptor, bytes, 0, NOTE_BYTES_MAX, 0))
    } finally {
      file.close()
    }
  },
}

/** What lstat says, so a link is seen as a link. A file that was removed since its name was read is left out. */
async function entryOf(directory: string, name: string): Promise<StorageEntry | undefined> {
  const found = await unlessMissing(lstatLater(join(directory, name)))
  return found && { name, isFile: found.isFile(), bytes: found.size }
}

async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

const LARGE_BYTES = 1024 * 1024

/**
 * A file that loses its last name is freed before the call returns, which takes 25 ms for 70 MB. So a large one is kept
 * open until another thread closes it, and is freed there.
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
    return undefined // then this thread frees it
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
    if (code === 'EEXIST' && lstatSync(path, { throwIfNoEntry: false })?.isFile() === false) throw notAFile(path)
    throw error
  }
  if (!fstatSync(descriptor).isFile()) {
    closeSync(descriptor)
    throw notAFile(path)
  }
  return new DiskFile(path, descriptor)
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
