/** What LOCK says, without taking it. */
import { join } from 'node:path'
import { LOCK_NAME } from '../format/format.js'
import type { Storage } from '../storage/storage.js'

/** Whether a cache has the directory open now. The question itself takes the lock for a moment. */
export function isInUse(storage: Storage, directory: string): boolean {
  return storage.isLocked(join(directory, LOCK_NAME))
}

/** The id of the journal in the directory, from the moment its first segment was durable; empty before. */
export function journalNote(storage: Storage, directory: string): string {
  return storage.noteIn(join(directory, LOCK_NAME)).trim()
}
