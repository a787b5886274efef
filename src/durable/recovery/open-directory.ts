/** Creates and locks the directory. First step of opening. Before: `journal/file-journal`. After: `history/plan`. */
import { join } from 'node:path'
import { CacheError, type CacheErrorOptions, CacheLockedError, reasonOf } from '../../errors.js'
import { LOCK_NAME } from '../format/format.js'
import type { Storage, StorageLock } from '../storage/storage.js'

/** Creates the directory if it does not exist, and locks it until the lock is released or the process ends. */
export async function openDirectory(storage: Storage, directory: string): Promise<StorageLock> {
  let lock: StorageLock | undefined
  try {
    storage.makeDirectory(directory)
    lock = await storage.lock(join(directory, LOCK_NAME))
  } catch (error) {
    throw unreadable(directory, error)
  }
  if (lock === undefined) throw locked(storage, directory)
  return lock
}

/** The directory is open in another cache, whose process this names if it is known. */
export function locked(storage: Storage, directory: string, options?: CacheErrorOptions): CacheLockedError {
  const pid = storage.lockOwner(join(directory, LOCK_NAME))
  const where =
    pid === undefined
      ? 'cache, in this process or another one'
      : `cache, in ${pid === process.pid ? 'this process' : `process ${pid}`}`
  return new CacheLockedError(`${directory} is open in another ${where}`, options)
}

/** An error of the operating system as a CacheError `JOURNAL_UNREADABLE`. Other errors pass unchanged. */
export function unreadable(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof CacheError || !('syscall' in error || 'code' in error)) return error
  const what = `${path} cannot be opened as a journal: ${reasonOf(error)}`
  return new CacheError('JOURNAL_UNREADABLE', what, { cause: error })
}
