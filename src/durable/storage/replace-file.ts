import { dirname } from 'node:path'
import { CacheError } from '../../errors.js'
import type { Storage, StorageFile } from './storage.js'

/**
 * Writes a file so that at every moment the name belongs to the old file or to the complete new one: a temporary file beside
 * it, fsync, rename, fsync of the directory. On failure the old file stays and the temporary one is removed.
 * @throws CacheError `OUTCOME_UNKNOWN` when only the last fsync fails: then the new file has the name already.
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
      throw new CacheError(
        'OUTCOME_UNKNOWN',
        `${path} is the new file, but its directory could not be synced (${error.message}): a power cut may bring back what was there before. Try again.`,
        { cause: error },
      )
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
    // It does not exist, or cannot be removed; nothing refers to it.
  }
}
