/**
 * Reads a directory that another process may be writing to. Compaction removes files, and the last frame may be half written.
 * So if something looks damaged, the directory is listed and read again, until the damage is found twice at the same place, or
 * nothing can have changed in between.
 */
import { type CacheError, CorruptionError } from '../../errors.js'
import { allOf, findJournalFiles, type JournalFiles } from '../format/journal-files.js'
import type { Storage } from '../storage/storage.js'
import { isInUse } from './lock-file.js'

/** Limits for a directory that keeps changing. */
const READINGS_MAX = 50
const LISTINGS_MAX = 1_000

/** The result of one attempt, and what is wrong with it, if anything: the place and the reason. */
export interface Attempt<T> {
  result: T
  trouble: string | undefined
}

/** `isLive`: something looked unfinished, and another cache has the directory open. */
export async function readSettled<T>(
  storage: Storage,
  directory: string,
  read: (files: JournalFiles) => Promise<Attempt<T>>,
): Promise<{ result: T; isLive: boolean }> {
  let lastTrouble: string | undefined
  for (let attempt = 1; ; attempt++) {
    const files = await listSettled(storage, directory)
    const outcome = await tried(read(files))
    if (!('error' in outcome) && outcome.trouble === undefined) return { result: outcome.result, isLive: false }
    // Only if needed, because it holds the lock for a moment.
    const isLive = await isInUse(storage, directory)
    const isUnchanged = !isLive && signatureOf(await listSettled(storage, directory)) === signatureOf(files)
    if (isUnchanged || outcome.trouble === lastTrouble || attempt === READINGS_MAX) {
      if ('error' in outcome) throw outcome.error
      return { result: outcome.result, isLive }
    }
    lastTrouble = outcome.trouble
  }
}

/**
 * While a directory is listed, compaction may remove and add files. So a listing counts only if a second one has the same
 * names.
 */
export async function listSettled(storage: Storage, directory: string): Promise<JournalFiles> {
  let before = ''
  for (let attempt = 1; ; attempt++) {
    const files = await findJournalFiles(storage, directory)
    const names = allOf(files)
      .map(({ name }) => name)
      .join('\n')
    if (attempt === LISTINGS_MAX || (attempt > 1 && names === before)) return files
    before = names
  }
}

/** Changes whenever a file comes, goes, grows or is cut. */
function signatureOf(files: JournalFiles): string {
  return allOf(files)
    .map(({ name, bytes }) => `${name} ${bytes}`)
    .join('\n')
}

/** Damage, missing files, and a past that compaction has removed are results; any other error is thrown. */
async function tried<T>(reading: Promise<Attempt<T>>): Promise<Attempt<T> | { error: Error; trouble: string }> {
  try {
    return await reading
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException | CacheError
    const isPassing = error instanceof CorruptionError || code === 'ENOENT' || code === 'HISTORY_GONE'
    if (!isPassing) throw error
    return { error: error as Error, trouble: (error as Error).message }
  }
}
