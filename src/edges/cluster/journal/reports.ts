/** What a replicated journal says of itself, in the words of all journals. Before: replicated-journal. */
import type { JournalFigures, RecoveryReport } from '../../../durable/contract.js'
import type { Applier } from './applier.js'
import type { RestoredSnapshot, Snapshots } from './snapshots.js'

export function reportOf(
  { frames, events, bytes, end }: Applier,
  restored: RestoredSnapshot | undefined,
  durationMs: number,
): RecoveryReport {
  const snapshot = restored && {
    file: restored.name,
    sequence: restored.header.nextSequence - 1,
    entries: restored.entries,
  }
  const sequence = end.nextSequence - 1
  const nothingLost = { clean: true, setAside: undefined, damage: undefined, evicted: 0, expired: 0 }
  return { snapshot, segments: 0, frames, events, sequence, bytes, durationMs, ...nothingLost }
}

/** `pending`: what this node has appended and is not in the log yet, if it leads. */
export function figuresOf(
  { end, bytes, timeMs }: Applier,
  snapshots: Snapshots,
  pending: { sequence: number; pendingBytes: number } | undefined,
): JournalFigures {
  const durableSequence = end.nextSequence - 1
  return {
    durableSequence,
    ...(pending ?? { sequence: durableSequence, pendingBytes: 0 }),
    bytes,
    segments: 0,
    snapshotSequence: snapshots.sequence,
    snapshotBytes: snapshots.bytes,
    oldestSequence: durableSequence,
    oldestTimeMs: timeMs,
    historyBytes: 0,
  }
}
