/** What goes wrong while the past is read, as errors that say so. Before: `past`, `change-cursor`. */
import { CacheError, reasonOf } from '../../errors.js'

/** While a journal is compacted, a file that was listed may be gone when it is opened. How often reading begins again then. */
export const ATTEMPTS_MAX = 100

export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

/** Runs `read` again while a file is missing that was listed. */
export async function retryMissing<T>(read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read()
    } catch (error) {
      if (!isMissing(error) || attempt === ATTEMPTS_MAX) throw error
    }
  }
}

/** @throws CacheError `JOURNAL_UNREADABLE` for an error of the operating system; other errors pass unchanged. */
export async function readingPast<T>(directory: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof Error) || error instanceof CacheError || !('syscall' in error || 'code' in error))
      throw error
    throw new CacheError('JOURNAL_UNREADABLE', `The past of ${directory} cannot be read: ${reasonOf(error)}`, {
      cause: error,
      consequence: 'Nothing was changed.',
      advice: 'Check the disk, the permissions and the limit of open files, then try again.',
    })
  }
}
