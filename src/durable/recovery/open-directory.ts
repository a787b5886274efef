import { join } from 'node:path'
import { CacheError, CacheLockedError } from '../../errors.js'
import type { Storage, StorageLock } from '../storage/storage.js'

/** Made if it is missing; held for this opener alone until the lock is released or the process dies. */
export function openDirectory(storage: Storage, directory: string): StorageLock {
  let lock: StorageLock | undefined
  try {
    storage.makeDirectory(directory)
    lock = storage.lock(join(directory, 'LOCK'))
  } catch (error) {
    throw unreadable(directory, error)
  }
  if (lock === undefined) {
    throw new CacheLockedError(
      `${directory} is open in another cache, in this process or another one. Nothing was changed: close that one first, or use another directory.`,
    )
  }
  return lock
}

/** What the system says about a directory or a file, in an error that says what to do. Errors of ours pass unchanged. */
export function unreadable(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof CacheError || !('syscall' in error || 'code' in error)) return error
  return new CacheError(
    'JOURNAL_UNREADABLE',
    `${path} cannot be opened as a journal: ${error.message}. No file was changed: check that it is a directory that this process may read and write.`,
    { cause: error },
  )
}
