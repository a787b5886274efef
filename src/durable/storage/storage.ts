import { CacheError } from '../../errors.js'

/**
 * The file system: everything that a journal needs of a disk and nothing else, so that tests can replace it with one that
 * fails, forgets and delays.
 *
 * Paths are absolute or relative to the working directory. Errors are those of `node:fs`, with their `code`.
 */
export interface Storage {
  /** Creates the directory and its parents, with mode 0700, if they do not exist. */
  makeDirectory(directory: string): void
  /** The entries of a directory, sorted by name. A missing directory is empty. */
  list(directory: string): Promise<StorageEntry[]>
  /** Opens an existing file. Never follows a symbolic link. */
  open(path: string, mode: 'read' | 'write'): StorageFile
  /** Creates a file with mode 0600. Fails with EEXIST if the file exists. */
  create(path: string): StorageFile
  rename(from: string, to: string): void
  unlink(path: string): void
  /** Makes the creation, renaming and removal of names durable. */
  syncDirectory(directory: string): void
  /** The same without blocking the caller. */
  syncDirectoryLater(directory: string): Promise<void>
  /**
   * Acquires the lock of a lock file; `undefined` if another opener has it. The lock ends with its process.
   * @throws CacheError `LOCK_UNAVAILABLE` where there are no such locks.
   */
  lock(path: string): Promise<StorageLock | undefined>
  /** Whether an opener has the lock now. */
  isLocked(path: string): Promise<boolean>
  /** The id of the process that has the lock, if it is known. */
  lockOwner(path: string): number | undefined
  /** The content of a lock file: at most its first {@link NOTE_BYTES_MAX} bytes. Empty if there is no file. */
  noteIn(path: string): string
}

/** Longer than any note. The rest of a larger file is not read. */
export const NOTE_BYTES_MAX = 64

export interface StorageEntry {
  name: string
  /** False for a symbolic link, a FIFO or a directory. */
  isFile: boolean
  bytes: number
}

/** What reading takes of a storage. */
export interface ReadableStorage {
  open(path: string, mode: 'read'): ReadableFile
}

export interface ReadableFile {
  readonly path: string
  /** Infinity for what is read as it arrives, in order; the end is where `read` returns 0. */
  size(): number
  /** Reads up to `length` bytes into `target`. Returns how many it read. */
  read(target: Uint8Array, offset: number, length: number, position: number): Promise<number>
  close(): void
}

export interface StorageFile extends ReadableFile {
  /** Writes up to `length` bytes. Returns how many it wrote. */
  write(source: Uint8Array, offset: number, length: number, position: number): number
  /** The same without blocking the caller. */
  writeLater(source: Uint8Array, offset: number, length: number, position: number): Promise<number>
  truncate(bytes: number): void
  /** Forces the file's data to disk, without blocking. */
  sync(): Promise<void>
  /** The same, blocking. Only where the order of writes requires it. */
  syncNow(): void
}

export interface StorageLock {
  /** Replaces the note in the lock file. Durable when this returns. */
  write(note: string): void
  release(): void
}

export function notAFile(path: string): CacheError {
  return new CacheError('NOT_A_FILE', `${path} is a symbolic link, a directory or a FIFO, not a file`)
}

/** Writes all of `source`, with as many calls as it takes. */
export function writeAll(file: StorageFile, source: Uint8Array, position: number): void {
  let done = 0
  while (done < source.length) {
    const written = file.write(source, done, source.length - done, position + done)
    if (written <= 0) throw noProgress(file.path)
    done += written
  }
}

/** {@link writeAll} without blocking the caller. */
export async function writeAllLater(file: StorageFile, source: Uint8Array, position: number): Promise<void> {
  let done = 0
  while (done < source.length) {
    const written = await file.writeLater(source, done, source.length - done, position + done)
    if (written <= 0) throw noProgress(file.path)
    done += written
  }
}

function noProgress(path: string): Error {
  return Object.assign(new Error(`ENOSPC: nothing could be written to ${path}`), { code: 'ENOSPC' })
}

/** Reads `length` bytes, or until the file ends. Returns how many it read. */
export async function readAll(
  file: ReadableFile,
  target: Uint8Array,
  offset: number,
  length: number,
  position: number,
): Promise<number> {
  let done = 0
  while (done < length) {
    const read = await file.read(target, offset + done, length - done, position + done)
    if (read === 0) break
    done += read
  }
  return done
}
