/** A journal that is only read: nothing in its directory is created, changed or locked. */
import { existsSync } from 'node:fs'
import { allOf, type JournalFiles } from '../../durable/format/journal-files.js'
import { journalNote } from '../../durable/history/lock-file.js'
import { planReading, type ReadingPlan } from '../../durable/history/plan.js'
import { type Attempt, listSettled, readSettled } from '../../durable/history/settled.js'
import { unreadable } from '../../durable/recovery/open-directory.js'
import { disk } from '../../durable/storage/disk.js'

/** @throws Error if the directory does not exist or contains no journal. */
export async function listJournal(directory: string): Promise<JournalFiles> {
  let files: JournalFiles
  try {
    files = await listSettled(disk, directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') throw new Error(`${directory} is not a directory.`)
    throw unreadable(directory, error)
  }
  if (allOf(files).length > 0 || journalNote(disk, directory) !== '') return files
  if (!existsSync(directory)) throw new Error(`${directory} does not exist.`)
  throw new Error(`${directory} contains no journal. Use --directory for another directory.`)
}

/** Reads a journal that another process may be writing to: {@link readSettled}. */
export async function readJournal<T>(
  directory: string,
  read: (files: JournalFiles) => Promise<Attempt<T>>,
): Promise<{ result: T; isLive: boolean }> {
  await listJournal(directory)
  return readSettled(disk, directory, read)
}

/**
 * The files that opening would read.
 * @throws CorruptionError if one of them is missing.
 */
export function planOpening(files: JournalFiles, directory: string): ReadingPlan {
  return planReading(files, directory, journalNote(disk, directory))
}
