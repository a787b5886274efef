import { closeSync, constants, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { tryLock } from 'fs-native-extensions'

/**
 * Whether another cache has the directory open now. Asked only when what was read looks damaged: the answer takes a shared
 * lock for some microseconds, during which an opener would be refused.
 */
export function isInUse(directory: string): boolean {
  let descriptor: number
  try {
    descriptor = openSync(join(directory, 'LOCK'), constants.O_RDONLY)
  } catch {
    return false
  }
  try {
    return !tryLock(descriptor, { shared: true })
  } catch {
    return false // a file system without locks
  } finally {
    closeSync(descriptor) // and the lock with it
  }
}

/** What LOCK says of the journal: its id, once it was created whole; else nothing. */
export function readLockNote(directory: string): string {
  try {
    return readFileSync(join(directory, 'LOCK'), 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
