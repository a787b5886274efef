import { dirname } from 'node:path'
import { CacheError, reasonOf } from '../../errors.js'
import type { Storage, StorageFile } from './storage.js'

/**
 * Writes a file so that its name always belongs to the old file or to the complete new one: a temporary file in the same
 * directory, fsync, rename, fsync of the directory. If it fails, the old file stays and the temporary one is removed.
 * @throws CacheError `OUTCOME_UNKNOWN` if only the last fsync fails: then the new file already has the name.
 */
export async function replaceFile<T>(
  storage: Storage,
  path: string,
  temporary: string,
  write: (file: StorageFile) => Promise<T>,
): Promise<T> {
  const file = storage.create(temporary)
  try {
    const written = await write(file)
    storage.rename(temporary, path)
    await storage.syncDirectoryLater(dirname(path)).catch((error: Error) => {
      const what = `${path} is the new file, but its directory could not be synced (${reasonOf(error)})`
      throw new CacheError('OUTCOME_UNKNOWN', what, {
        consequence: 'A power cut may bring back the old file.',
        advice: 'Try again.',
        cause: error,
      })
    })
    return written
  } catch (error) {
    removeIfThere(storage, temporary)
    throw error
  } finally {
    file.close()
  }
}

export function removeIfThere(storage: Storage, path: string): void {
  try {
    storage.unlink(path)
  } catch {
    // It does not exist or cannot be removed; nothing refers to it.
  }
}
