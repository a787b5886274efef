/**
 * Which files a reading needs: the snapshot to start from and the segments behind it. Second step of opening.
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
  /** What LOCK says: the id of the journal, once its first segment was durable; else nothing. */
  note: string
}

/**
 * Plans a reading through sequence `to`: the newest snapshot that is not past it, and every segment behind that. Older
 * files are ignored; a crash kept compaction from removing them.
 * @throws CorruptionError when the first file that the reading needs is missing.
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
  if (snapshot !== undefined)
    return `the file is missing, and the journal has to continue there behind ${snapshot.name}`
  if (files.loaded.length > 0) return 'the file is missing'
  if (note === '') return undefined // a new journal
  return 'the file is missing, and LOCK says that a journal was here (to start a new one, remove LOCK as well)'
}
