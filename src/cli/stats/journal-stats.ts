/** What `stats` finds, from the files or from the process that owns the cache, and how it prints it. Before: `commands/stats`. */
import type { Stats } from '../../cache/streams/stats.js'
import { type Figure, figureLines } from '../terminal/figures.js'
import { showBytes, showCount, showCountOf, showLimits, showPercent } from '../terminal/quantities.js'

/**
 * What `--json` prints. Bytes are bytes in files, except in `entryBytes`: the encoded keys and values. `maxSize` and `maxBytes` are null
 * without a limit; `expired`, `entryBytes` and `events` are null if an owner was asked, which would have to count them.
 */
export interface JournalStats extends Pick<Stats, Counted> {
  directory: string
  source: 'owner' | 'files'
  /** The process that was asked. */
  pid: number | null
  isInUse: boolean
  expired: number | null
  entryBytes: number | null
  maxSize: number | null
  maxBytes: number | null
  sequence: number
  durableSequence: number
  isClosedCleanly: boolean
  snapshot: { file: string; sequence: number; bytes: number } | null
  segments: number
  segmentBytes: number
  events: number | null
  /** How far back one can look; null if there is no journal yet. */
  oldestSequence: number | null
  oldestTime: string | null
  historyBytes: number
}

type Counted = 'size' | 'hits' | 'misses' | 'hitRatio' | 'evictions' | 'expirations' | 'sets' | 'deletes'

export function statsLines(found: JournalStats): string[] {
  const { snapshot, entryBytes } = found
  return figureLines([
    ['directory', `${found.directory}${found.isInUse ? ' (open in another process)' : ''}`],
    ['source', sourceText(found)],
    [
      'entries',
      `${showCount(found.size)}${found.expired ? ` (${showCount(found.expired)} expired, removed on opening)` : ''}`,
    ],
    ...(entryBytes === null ? [] : [['keys and values', showBytes(entryBytes)] satisfies Figure]),
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
    ['journal', journalText(found)],
    ['reaches back to', reachText(found)],
    ['closed', closedText(found)],
  ])
}

function sourceText({ source, pid, isInUse }: JournalStats): string {
  if (source === 'owner') return `process ${pid}, which owns the cache`
  return isInUse ? 'the files: hits, misses and other counters are as of the last write' : 'the files'
}

function journalText({ events, segments, segmentBytes }: JournalStats): string {
  const inSegments = `${showCountOf(segments, 'segment')}, ${showBytes(segmentBytes)}`
  return events === null ? inSegments : `${showCountOf(events, 'event')} in ${inSegments}`
}

function reachText({ oldestSequence, oldestTime, historyBytes }: JournalStats): string {
  if (oldestSequence === null) return '-'
  return `sequence ${showCount(oldestSequence)}, ${oldestTime}; ${showBytes(historyBytes)} are kept for that`
}

function closedText({ isInUse, isClosedCleanly }: JournalStats): string {
  if (isInUse) return 'no, in use'
  return isClosedCleanly ? 'cleanly' : 'not cleanly: counters are as of the last write'
}
