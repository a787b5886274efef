import { dirname } from 'node:path'
import { removeIfThere } from './replace-file.js'
import { type Storage, type StorageFile, writeAll } from './storage.js'

/** Creates a file. It and its name are durable when this returns; if it fails, the file is removed. Blocks. */
export function createFile(storage: Storage, path: string, bytes: Uint8Array): StorageFile {
  const file = storage.create(path)
  try {
    writeAll(file, bytes, 0)
    file.syncNow()
    storage.syncDirectory(dirname(path))
    return file
  } catch (error) {
    file.close()
    removeIfThere(storage, path)
    throw error
  }
}
