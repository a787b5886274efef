/** The directory of a journal that is only read, in the command line's words. Nothing in it is created, changed or locked. */
import { existsSync } from 'node:fs'
import { allOf, type JournalFiles } from '../durable/format/journal-files.js'
import { journalNote } from '../durable/history/lock-file.js'
import { planReading, type ReadingPlan } from '../durable/history/plan.js'
import { type Attempt, listSettled, readSettled } from '../durable/history/settled.js'
import { unreadable } from '../durable/recovery/open-directory.js'
import { disk } from '../durable/storage/disk.js'

/** @throws Error when there is no directory, or no journal in it. */
export async function listJournal(directory: string): Promise<JournalFiles> {
  let files: JournalFiles
  try {
    files = await listSettled(disk, directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') throw new Error(`${directory} is not a directory.`)
    throw unreadable(directory, error)
  }
  if (allOf(files).length > 0 || journalNote(disk, directory) !== '') return files
  if (!existsSync(directory)) throw new Error(`There is no directory ${directory}.`)
  throw new Error(`There is no journal in ${directory}. Name the directory of one with --directory.`)
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
 * What opening would read.
 * @throws CorruptionError when a file that it needs first is missing.
 */
export function planOpening(files: JournalFiles, directory: string): ReadingPlan {
  return planReading(files, directory, journalNote(disk, directory))
}
