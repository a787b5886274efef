/** The files of a journal that is only looked at: nothing is created, nothing is locked. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileName } from '../durable/format/format.js'
import { findJournalFiles, type JournalFile, type JournalFiles, planRecovery } from '../durable/format/journal-files.js'
import { unreadable } from '../durable/recovery/open-directory.js'
import { disk } from '../durable/storage/disk.js'
import { CorruptionError } from '../errors.js'
import { readLockNote } from './reading/in-use.js'

/** Against a directory that never holds still. */
const ATTEMPTS_MAX = 1_000

/** @throws Error when there is no directory, or no journal in it. */
export async function listJournal(directory: string): Promise<JournalFiles> {
  const files = await list(directory)
  if (allOf(files).length === 0 && readLockNote(directory) === '') {
    throw new Error(`There is no journal in ${directory}. Name the directory of one with --directory.`)
  }
  return files
}

/**
 * A listing takes a moment, in which compaction may remove what was just seen, and what it put there instead was not seen:
 * so it counts only if the directory has the same names before and after.
 */
async function list(directory: string): Promise<JournalFiles> {
  try {
    for (let attempt = 1; ; attempt++) {
      const before = namesIn(directory)
      const files = await findJournalFiles(disk, directory)
      if (attempt === ATTEMPTS_MAX || before === namesIn(directory)) return files
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new Error(`There is no directory ${directory}.`)
    if (code === 'ENOTDIR') throw new Error(`${directory} is not a directory.`)
    throw unreadable(directory, error)
  }
}

function namesIn(directory: string): string {
  return readdirSync(directory).sort().join('\n')
}

/**
 * What recovery would read.
 * @throws CorruptionError when a file that it needs first is not there.
 */
export function planReading(
  files: JournalFiles,
  directory: string,
): { snapshot: JournalFile | undefined; segments: JournalFile[] } {
  const plan = planRecovery(files, directory)
  if (plan.snapshot === undefined && plan.segments.length === 0 && readLockNote(directory) !== '') {
    throw new CorruptionError({
      file: join(directory, fileName(1, 'segment')),
      offset: 0,
      sequence: 1,
      reason: 'the file is missing, and LOCK says that a journal was here (to begin a new one, remove LOCK as well)',
    })
  }
  return plan
}

export function allOf(files: JournalFiles): JournalFile[] {
  return [...files.snapshots, ...files.segments, ...files.loaded]
}

/** Changes whenever a file comes, goes, grows or is cut. */
export function signatureOf(files: JournalFiles): string {
  return allOf(files)
    .map(({ name, bytes }) => `${name} ${bytes}`)
    .join('\n')
}
