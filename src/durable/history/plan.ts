/**
 * Decides which files to read: the snapshot to start from and the segments after it. Second step of opening.
 * Before: `recovery/open-directory`. After: `replay`.
 */
import { join } from 'node:path'
import { FIRST_SEQUENCE, LAST_SEQUENCE, type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import { CorruptionError } from '../../errors.js'
import { fileName } from '../format/format.js'
import type { JournalFile, JournalFiles } from '../format/journal-files.js'

export interface ReadingPlan {
  snapshot: JournalFile | undefined
  segments: JournalFile[]
  /** The content of LOCK: the id of the journal; empty until its first segment was durable. */
  note: string
}

/**
 * Plans to read through sequence `to`: the newest snapshot that is not later, and every segment after that. Older files are
 * ignored; a crash kept compaction from removing them.
 * @throws CorruptionError if the first file that is needed is missing.
 */
export function planReading(
  files: JournalFiles,
  directory: string,
  note: string,
  to: Sequence = LAST_SEQUENCE,
): ReadingPlan {
  const snapshot = files.snapshots.findLast(({ sequence }) => sequence <= to)
  const first = snapshot === undefined ? FIRST_SEQUENCE : sequenceAfter(snapshot.sequence)
  const segments = files.segments.filter(({ sequence }) => sequence >= first)
  const reason = whyMissing(segments[0], first, files, snapshot, note)
  if (reason !== undefined) {
    const file = join(directory, fileName(first, 'segment'))
    throw new CorruptionError({ file, offset: 0, sequence: first, reason })
  }
  return { snapshot, segments, note }
}

function whyMissing(
  found: JournalFile | undefined,
  first: Sequence,
  files: JournalFiles,
  snapshot: JournalFile | undefined,
  note: string,
): string | undefined {
  if (found?.sequence === first) return undefined
  if (found !== undefined) return `the file is missing; the next one found begins with sequence ${found.sequence}`
  if (snapshot !== undefined) return `the file is missing, in which the journal must continue after ${snapshot.name}`
  if (files.loaded.length > 0) return 'the file is missing'
  if (note === '') return undefined // a new journal
  return 'the file is missing, but LOCK says that there was a journal (to start a new one, remove LOCK as well)'
}
