/**
 * Reading a directory that another process may be writing to. Compaction makes files vanish, and the last frame may be half
 * written; so what looks like damage is looked at again, from a fresh listing, and believed when it is met twice in the
 * same place, or when nobody can have changed anything meanwhile.
 */

import { listJournal, signatureOf } from '../../cli/journal-directory.js'
import { isInUse } from '../../cli/reading/in-use.js'
import { CorruptionError } from '../../errors.js'
import type { JournalFiles } from '../format/journal-files.js'

/** Against a directory that never holds still. */
const ATTEMPTS_MAX = 50

/** What one attempt gave, and what is wrong with it, if anything: the place and the reason. */
export interface Attempt<T> {
  result: T
  trouble: string | undefined
}

export async function readSettled<T>(
  directory: string,
  read: (files: JournalFiles) => Promise<Attempt<T>>,
): Promise<{ result: T; isLive: boolean }> {
  let lastTrouble: string | undefined
  for (let attempt = 1; ; attempt++) {
    const files = await listJournal(directory)
    const outcome = await tried(read(files))
    if (!('error' in outcome) && outcome.trouble === undefined) return { result: outcome.result, isLive: false }
    const isLive = isInUse(directory)
    const isUnchanged = !isLive && signatureOf(await listJournal(directory)) === signatureOf(files)
    if (isUnchanged || outcome.trouble === lastTrouble || attempt === ATTEMPTS_MAX) {
      if ('error' in outcome) throw outcome.error
      return { result: outcome.result, isLive }
    }
    lastTrouble = outcome.trouble
  }
}

/** A file that has gone and damage are answers; anything else is an error. */
async function tried<T>(reading: Promise<Attempt<T>>): Promise<Attempt<T> | { error: Error; trouble: string }> {
  try {
    return await reading
  } catch (error) {
    const isPassing = error instanceof CorruptionError || (error as NodeJS.ErrnoException).code === 'ENOENT'
    if (!isPassing) throw error
    return { error: error as Error, trouble: (error as Error).message }
  }
}
