/** Reads LOCK without acquiring the lock. */
import { join } from 'node:path'
import { LOCK_NAME } from '../format/format.js'
import type { Storage } from '../storage/storage.js'

/** Whether a cache has the directory open now. Holds the lock for a moment to find out. */
export function isInUse(storage: Storage, directory: string): Promise<boolean> {
  return storage.isLocked(join(directory, LOCK_NAME))
}

/** The id of the journal that a note names, if it is valid. */
export function journalIdIn(note: string): Buffer | undefined {
  return /^[0-9a-f]{32}$/.test(note) ? Buffer.from(note, 'hex') : undefined
}

/** The note that names a journal. */
export function noteOf(journalId: Buffer): string {
  return `${journalId.toString('hex')}\n`
}

/** The id of the journal in the directory; empty until its first segment is durable. */
export function journalNote(storage: Storage, directory: string): string {
  return storage.noteIn(join(directory, LOCK_NAME)).trim()
}
