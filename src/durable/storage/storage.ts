/**
 * The file system behind one small interface: everything that the journal asks of a disk, and nothing else, so that the
 * tests can put a disk in its place that fails, forgets and delays.
 *
 * Paths are absolute or relative to the working directory. Errors are those of `node:fs`, with their `code`.
 */
export interface Storage {
  /** Makes the directory and its parents, with mode 0700, unless it is there. */
  makeDirectory(directory: string): void
  /** The names in a directory that match a glob, sorted, and what they are. An absent directory has none. */
  list(directory: string, pattern: string): Promise<StorageEntry[]>
  /** Opens a file that is there. Never follows a symbolic link. */
  open(path: string, mode: 'read' | 'write'): StorageFile
  /** Creates a file with mode 0600. Fails with EEXIST when something is there. */
  create(path: string): StorageFile
  rename(from: string, to: string): void
  unlink(path: string): void
  /** Makes created, renamed and removed names durable. */
  syncDirectory(directory: string): void
  /** The same without blocking the caller. */
  syncDirectoryLater(directory: string): Promise<void>
  /** Takes a lock file for this opener alone; `undefined` when another one has it. The lock dies with its process. */
  lock(path: string): StorageLock | undefined
}

export interface StorageEntry {
  name: string
  /** Anything but an ordinary file (a symbolic link, a FIFO, a directory) is no place for a journal. */
  isFile: boolean
  bytes: number
}

export interface StorageFile {
  readonly path: string
  size(): number
  /** Reads up to `length` bytes into `target`; answers how many there were. */
  read(target: Uint8Array, offset: number, length: number, position: number): Promise<number>
  /** Writes; may write less than asked and answers how much. */
  write(source: Uint8Array, offset: number, length: number, position: number): number
  /** The same without blocking the caller, for files that nobody waits for. */
  writeLater(source: Uint8Array, offset: number, length: number, position: number): Promise<number>
  truncate(bytes: number): void
  /** Forces the file's data to disk, without blocking. */
  sync(): Promise<void>
  /** The same, blocking. Only where the order of writes demands it. */
  syncNow(): void
  close(): void
}

export interface StorageLock {
  /** What the lock's holder wrote down. */
  read(): string
  write(note: string): void
  release(): void
}

/** Writes all of `source`, however many calls it takes. */
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

/** Reads until `length` bytes are there or the file ends. */
export async function readAll(
  file: StorageFile,
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
