/** Reads the segments of a journal, then has their end judged. Writes nothing. Before: `replay`. After: `read-segments`, then `damage`. */
import { LAST_SEQUENCE, type Sequence } from '../../core/model/sequence.js'
import { CorruptionError } from '../../errors.js'
import type { JournalFile } from '../format/journal-files.js'
import type { ReadableStorage } from '../storage/storage.js'
import { judge, type Verdict } from './damage.js'
import { journalIdIn } from './lock-file.js'
import type { ReadingPlan } from './plan.js'
import { type ChainEnd, type ChainStart, type FrameVisitor, readSegments } from './read-segments.js'

export interface Chain {
  end: ChainEnd
  /** Sound if reading ended early, because nothing is known about the end. */
  verdict: Verdict
}

export async function readChain(
  storage: ReadableStorage,
  directory: string,
  plan: ReadingPlan,
  start: ChainStart,
  visit: FrameVisitor,
  to: Sequence = LAST_SEQUENCE,
): Promise<Chain> {
  const { segments, snapshot, note } = plan
  const end = await readSegments(storage, segments, start, visit, to)
  if (isOtherJournal(end, note)) return { end, verdict: { verdict: 'corrupt', error: otherJournal(segments[0]) } }
  if (end.isEarly) return { end, verdict: { verdict: 'sound', dropped: [] } }
  return { end, verdict: await judge(storage, directory, segments, end, note !== '' || snapshot !== undefined) }
}

function isOtherJournal({ journalId }: ChainEnd, note: string): boolean {
  return journalId !== undefined && journalIdIn(note)?.equals(journalId) === false
}

function otherJournal(first: JournalFile | undefined): CorruptionError {
  const { path: file, sequence } = first as JournalFile // an id was read, and a snapshot is only read with its segment
  return new CorruptionError({
    file,
    offset: 0,
    sequence,
    reason: 'LOCK names a different journal than this file',
  })
}

/** Why a chain is not sound, as a text that can be compared. */
export function troubleOf({ verdict }: Chain): string | undefined {
  if (verdict.verdict === 'sound') return undefined
  if (verdict.verdict === 'corrupt') return verdict.error.message
  return `${verdict.stop.file.path} ${verdict.stop.offset} ${verdict.stop.reason}`
}
