/** Asks the process that owns a cache, which alone knows the present counters. Before: `commands/stats`. After: `journal/any-cache`. */
import type { Stats } from '../../cache/streams/stats.js'
import type { Sequence } from '../../core/model/sequence.js'
import { fileName } from '../../durable/format/format.js'
import { isInUse } from '../../durable/history/lock-file.js'
import { disk } from '../../durable/storage/disk.js'
import { socketOf } from '../../durable/storage/owner-file.js'
import { CacheError } from '../../errors.js'
import { joinOwner } from '../journal/any-cache.js'
import { limitJson } from '../terminal/change-json.js'
import { remark } from '../terminal/output.js'
import { showMoment } from '../terminal/quantities.js'
import type { JournalStats } from './journal-stats.js'

/** Undefined if no process owns the cache for others. If one does and cannot be asked, a remark says why. */
export async function statsOfOwner(directory: string): Promise<JournalStats | undefined> {
  if (socketOf(directory) === undefined || !(await isInUse(disk, directory))) return undefined
  try {
    await using cache = await joinOwner(directory)
    let owner: number | undefined
    cache.role$.subscribe(({ pid }) => {
      owner = pid
    })
    const stats = await cache.stats()
    return summarize(directory, stats, owner ?? null)
  } catch (error) {
    if (!(error instanceof CacheError)) throw error
    remark(`The owner of ${directory} cannot be asked, so the files are read: ${error.message}`)
    return undefined
  }
}

function summarize(directory: string, { journal, atMs: _, ...counted }: Stats, pid: number | null): JournalStats {
  const { snapshotSequence, snapshotBytes } = journal
  return {
    directory,
    source: 'owner',
    pid,
    isInUse: true,
    ...counted,
    expired: null,
    entryBytes: null,
    maxSize: limitJson(journal.maxSize),
    maxBytes: limitJson(journal.maxBytes),
    sequence: journal.sequence,
    durableSequence: journal.durableSequence,
    isClosedCleanly: false,
    snapshot:
      snapshotSequence === 0
        ? null
        : {
            file: fileName(snapshotSequence as Sequence, 'snapshot'),
            sequence: snapshotSequence,
            bytes: snapshotBytes,
          },
    segments: journal.segments,
    segmentBytes: journal.bytes,
    events: null,
    oldestSequence: journal.oldestSequence,
    oldestTime: showMoment(journal.oldestTimeMs),
    historyBytes: journal.historyBytes,
  }
}
