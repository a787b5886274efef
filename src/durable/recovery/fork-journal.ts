/**
 * Writes a state as a new journal in a directory of its own. Before: `cache/history`. After: `snapshot/write-snapshot`. The order is that
 * of `set-journal-aside`: the snapshot comes last, so that a fork that a crash interrupted does not open as an empty journal.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { NO_SEQUENCE, type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import { CacheError, reasonOf } from '../../errors.js'
import type { SnapshotSource } from '../contract.js'
import { encodeFileHeader } from '../format/file-header.js'
import { FILE_HEADER_BYTES, fileName } from '../format/format.js'
import { allOf, findJournalFiles } from '../format/journal-files.js'
import { journalNote, noteOf } from '../history/lock-file.js'
import { writeSnapshot } from '../snapshot/write-snapshot.js'
import { createFile } from '../storage/create-file.js'
import { removeIfThere } from '../storage/replace-file.js'
import type { Storage } from '../storage/storage.js'
import { openDirectory } from './open-directory.js'

export interface Fork {
  directory: string
  /** Of the last event that it has: its next one gets the number after that. */
  sequence: number
  entries: number
  /** Of its files. */
  bytes: number
}

export interface ForkRequest {
  storage: Storage
  directory: string
  sequence: Sequence
  source: SnapshotSource
  nowMs: number
  journalId?: Buffer
}

/** @throws CacheLockedError; CacheError `FORK_FAILED` if there is a journal already, or something cannot be written. */
export async function forkJournal(request: ForkRequest): Promise<Fork> {
  const { storage, directory } = request
  const lock = await openDirectory(storage, directory)
  try {
    const files = allOf(await findJournalFiles(storage, directory))
    if (files.length > 0 || journalNote(storage, directory) !== '')
      throw new CacheError('FORK_FAILED', `${directory} has a journal already`)
    const journalId = request.journalId ?? randomBytes(16)
    const fork = await writeFiles(request, journalId)
    lock.write(noteOf(journalId))
    return fork
  } catch (error) {
    throw error instanceof CacheError ? error : unwritten(directory, error)
  } finally {
    lock.release()
  }
}

async function writeFiles(
  { storage, directory, sequence, source, nowMs }: ForkRequest,
  journalId: Buffer,
): Promise<Fork> {
  const header = { journalId, previousChecksum: 0, createdAtMs: nowMs }
  const first = sequenceAfter(sequence)
  const segment = join(directory, fileName(first, 'segment'))
  createFile(storage, segment, encodeFileHeader({ kind: 'segment', sequence: first, ...header })).close()
  if (sequence === NO_SEQUENCE) return { directory, sequence, entries: 0, bytes: FILE_HEADER_BYTES } // nothing ever happened
  const path = join(directory, fileName(sequence, 'snapshot'))
  const temporary = `${path}.tmp`
  try {
    removeIfThere(storage, temporary)
    const written = await writeSnapshot({ storage, path, temporary, kind: 'snapshot', sequence, source, ...header })
    return { directory, sequence, entries: written.entries, bytes: written.bytes + FILE_HEADER_BYTES }
  } catch (error) {
    // The snapshot may already have its name: without its segment it would be a damaged journal.
    for (const file of [path, segment]) removeIfThere(storage, file)
    throw unwritten(directory, error)
  }
}

function unwritten(directory: string, error: unknown): CacheError {
  const what = `The fork in ${directory} could not be written: ${reasonOf(error)}`
  return new CacheError('FORK_FAILED', what, { cause: error })
}
