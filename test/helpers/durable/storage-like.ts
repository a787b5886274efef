import type { Storage, StorageFile } from '../../../src/durable/storage/storage.js'

/** A storage that passes all calls on to `inner`, except those in `changes`. */
export function storageLike(inner: Storage, changes: Partial<Storage>): Storage {
  return {
    makeDirectory: (directory) => inner.makeDirectory(directory),
    list: (directory) => inner.list(directory),
    open: (path, mode) => inner.open(path, mode),
    create: (path) => inner.create(path),
    rename: (from, to) => inner.rename(from, to),
    unlink: (path) => inner.unlink(path),
    syncDirectory: (directory) => inner.syncDirectory(directory),
    async syncDirectoryLater(directory) {
      this.syncDirectory(directory)
    },
    lock: (path) => inner.lock(path),
    isLocked: (path) => inner.isLocked(path),
    lockOwner: (path) => inner.lockOwner(path),
    noteIn: (path) => inner.noteIn(path),
    ...changes,
  }
}

/** The same for a file. */
export function fileLike(inner: StorageFile, changes: Partial<StorageFile>): StorageFile {
  return {
    path: inner.path,
    size: () => inner.size(),
    read: (...parameters) => inner.read(...parameters),
    write: (...parameters) => inner.write(...parameters),
    writeLater: (...parameters) => inner.writeLater(...parameters),
    truncate: (bytes) => inner.truncate(bytes),
    sync: () => inner.sync(),
    syncNow: () => inner.syncNow(),
    close: () => inner.close(),
    ...changes,
  }
}
