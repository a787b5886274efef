/** `daybook stats`: shows what a journal holds. Replays it without opening it, also while another process writes to it. */
import type { Command } from 'commander'
import { hitRatio } from '../../cache/streams/stats.js'
import { State } from '../../core/evolve/state.js'
import { hasExpired } from '../../core/model/expiry.js'
import { NEW_LIMITS, unjournaledLimits } from '../../core/model/limits.js'
import { encodedBytes } from '../../durable/format/encode-event.js'
import { isInUse } from '../../durable/history/lock-file.js'
import type { ReadingPlan } from '../../durable/history/plan.js'
import { troubleOf } from '../../durable/history/read-chain.js'
import { type Replayed, replay } from '../../durable/history/replay.js'
import { receiverFor } from '../../durable/history/replayed-state.js'
import { disk } from '../../durable/storage/disk.js'
import { planOpening, readJournal } from '../journal/journal-directory.js'
import { addDirectoryOption, type DirectoryOptions } from '../journal/options.js'
import { limitJson } from '../terminal/change-json.js'
import { figureLines } from '../terminal/figures.js'
import { output } from '../terminal/output.js'
import { Progress } from '../terminal/progress.js'
import { showBytes, showCount, showCountOf, showLimits, showPercent } from '../terminal/quantities.js'

interface StatsOptions extends DirectoryOptions {
  json?: true
}

export function addStatsCommand(program: Command): void {
  addDirectoryOption(program.command('stats'))
    .description('show what the journal holds: entries, counters, sequence numbers, files; also while it is in use')
    .option('--json', 'print one line of JSON')
    .action(async (options: StatsOptions) => {
      const found = await readStats(options.directory)
      if (options.json) output.line(JSON.stringify(found))
      else for (const line of statsLines(found)) output.line(line)
    })
}

async function readStats(directory: string) {
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

type Summary = Awaited<ReturnType<typeof summarize>>

/**
 * What `--json` prints. Bytes are bytes in files, except in `entryBytes`: the encoded keys and values. The limits are those that
 * opening would begin with; null means that there is none.
 */
async function summarize(
  directory: string,
  { state, chain, plan, events }: Replayed & { plan: ReadingPlan; state: State },
) {
  const { snapshot, segments } = plan
  const { hits, misses, evictions, expirations, sets, deletes } = state.counters
  const limits = state.areLimitsJournaled ? state.limits : unjournaledLimits(state.size)
  const isClosedCleanly = chain.end.position?.seal === 'closed' && chain.end.stop === undefined
  return {
    directory,
    isInUse: !isClosedCleanly && (await isInUse(disk, directory)),
    size: state.size,
    expired: countExpired(state),
    entryBytes: countBytes(state),
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
  }
}

function countBytes(state: State): number {
  let bytes = 0
  const cursor = state.inOrder()
  for (let slot = cursor.next(); slot !== undefined; slot = cursor.next())
    bytes += state.measure(state.keyAt(slot), state.valueAt(slot), state.tagsAt(slot))
  return bytes
}

function countExpired(state: State): number {
  const nowMs = Date.now()
  let count = 0
  const cursor = state.inOrder()
  for (let slot = cursor.next(); slot !== undefined; slot = cursor.next()) {
    if (hasExpired(state.deadlineAt(slot), nowMs)) count++
  }
  return count
}

function statsLines(found: Summary): string[] {
  const { snapshot, size, expired } = found
  return figureLines([
    ['directory', `${found.directory}${found.isInUse ? ' (open in another process)' : ''}`],
    ['entries', `${showCount(size)}${expired === 0 ? '' : ` (${showCount(expired)} expired, removed on opening)`}`],
    ['keys and values', showBytes(found.entryBytes)],
    ['limits', showLimits({ maxSize: found.maxSize ?? Infinity, maxBytes: found.maxBytes ?? Infinity })],
    ['hits', showCount(found.hits)],
    ['misses', showCount(found.misses)],
    ['hit ratio', found.hits + found.misses === 0 ? '-' : showPercent(found.hitRatio)],
    ['sets', showCount(found.sets)],
    ['deletes', showCount(found.deletes)],
    ['expirations', showCount(found.expirations)],
    ['evictions', showCount(found.evictions)],
    ['sequence', `${showCount(found.sequence)}, durable through ${showCount(found.durableSequence)}`],
    ['snapshot', snapshot === null ? 'none' : `${snapshot.file}, ${showBytes(snapshot.bytes)}`],
    [
      'journal',
      `${showCountOf(found.events, 'event')} in ${showCountOf(found.segments, 'segment')}, ${showBytes(found.segmentBytes)}`,
    ],
    [
      'closed',
      found.isInUse
        ? 'no, in use'
        : found.isClosedCleanly
          ? 'cleanly'
          : 'not cleanly: counters are as of the last write',
    ],
  ])
}
