/** Replays a journal without opening it, also while another process writes it. Before: `commands/stats`. After: `journal/`. */
import { hitRatio } from '../../cache/streams/stats.js'
import { State } from '../../core/evolve/state.js'
import { hasExpired } from '../../core/model/expiry.js'
import { NEW_LIMITS, unjournaledLimits } from '../../core/model/limits.js'
import { encodedBytes } from '../../durable/format/encode-event.js'
import { findJournalFiles } from '../../durable/format/journal-files.js'
import { isInUse } from '../../durable/history/lock-file.js'
import type { ReadingPlan } from '../../durable/history/plan.js'
import { troubleOf } from '../../durable/history/read-chain.js'
import { type Replayed, replay } from '../../durable/history/replay.js'
import { receiverFor } from '../../durable/history/replayed-state.js'
import { reachOf } from '../../durable/snapshot/retention.js'
import { disk } from '../../durable/storage/disk.js'
import { planOpening, readJournal } from '../journal/journal-directory.js'
import { limitJson } from '../terminal/change-json.js'
import { Progress } from '../terminal/progress.js'
import { showMoment } from '../terminal/quantities.js'
import type { JournalStats } from './journal-stats.js'

/** @throws Error if there is no journal; CorruptionError. */
export async function statsOfFiles(directory: string): Promise<JournalStats> {
  const progress = new Progress({ verbs: { bytes: 'Reading' } })
  try {
    const { result } = await readJournal(directory, async (files) => {
      const plan = planOpening(files, directory)
      const state = new State({
        ...NEW_LIMITS, // until the journal says others; they limit nothing here
        weigh: encodedBytes,
      })
      const receiver = receiverFor(state, (done, total) => progress.update(done, total))
      const replayed = await replay(disk, directory, plan, receiver)
      receiver.restoreOrder()
      const { verdict } = replayed.chain
      if (verdict.verdict === 'corrupt') throw verdict.error
      return { result: { ...replayed, plan, state }, trouble: troubleOf(replayed.chain) }
    })
    return await summarize(directory, result)
  } finally {
    progress.end()
  }
}

/** The limits are those that opening would begin with. */
async function summarize(
  directory: string,
  { state, chain, plan, events }: Replayed & { plan: ReadingPlan; state: State },
): Promise<JournalStats> {
  const { snapshot, segments } = plan
  const { hits, misses, evictions, expirations, sets, deletes } = state.counters
  const limits = state.areLimitsJournaled ? state.limits : unjournaledLimits(state.size)
  const isClosedCleanly = chain.end.position?.seal === 'closed' && chain.end.stop === undefined
  const reach = await reachOf(disk, await findJournalFiles(disk, directory))
  return {
    directory,
    source: 'files',
    pid: null,
    isInUse: !isClosedCleanly && (await isInUse(disk, directory)),
    size: state.size,
    ...countEntries(state),
    maxSize: limitJson(limits.maxSize),
    maxBytes: limitJson(limits.maxBytes),
    hits,
    misses,
    hitRatio: hitRatio(hits, misses),
    evictions,
    expirations,
    sets,
    deletes,
    sequence: chain.end.nextSequence - 1,
    durableSequence: chain.end.durableSequence,
    isClosedCleanly,
    snapshot:
      snapshot === undefined ? null : { file: snapshot.name, sequence: snapshot.sequence, bytes: snapshot.bytes },
    segments: segments.length,
    segmentBytes: segments.reduce((sum, segment) => sum + segment.bytes, 0),
    events,
    oldestSequence: reach?.oldestSequence ?? null,
    oldestTime: reach === undefined ? null : showMoment(reach.oldestTimeMs),
    historyBytes: reach?.historyBytes ?? 0,
  }
}

function countEntries(state: State): { expired: number; entryBytes: number } {
  const nowMs = Date.now()
  let expired = 0
  let entryBytes = 0
  const cursor = state.inOrder()
  for (let slot = cursor.next(); slot !== undefined; slot = cursor.next()) {
    entryBytes += state.measure(state.keyAt(slot), state.valueAt(slot), state.tagsAt(slot))
    if (hasExpired(state.deadlineAt(slot), nowMs)) expired++
  }
  return { expired, entryBytes }
}
