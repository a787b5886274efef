import type { Stats } from '../../cache/streams/stats.js'
import { figureLines } from '../terminal/figures.js'
import { showBytes, showCount, showCountOf, showLimits, showPercent } from '../terminal/quantities.js'

/** What `stats` prints. */
export function cacheStatsLines(stats: Stats): string[] {
  const { journal } = stats
  return figureLines([
    ['size', showCount(stats.size)],
    ['limits', showLimits(journal)],
    ['hits', showCount(stats.hits)],
    ['misses', showCount(stats.misses)],
    ['hit ratio', stats.hits + stats.misses === 0 ? '-' : showPercent(stats.hitRatio)],
    ['sets', showCount(stats.sets)],
    ['deletes', showCount(stats.deletes)],
    ['expirations', showCount(stats.expirations)],
    ['evictions', showCount(stats.evictions)],
    ['sequence', showCount(journal.sequence)],
    ['durable through', showCount(journal.durableSequence)],
    ['journal', `${showBytes(journal.bytes)} in ${showCountOf(journal.segments, 'segment')}`],
    [
      'snapshot',
      journal.snapshotSequence === 0
        ? 'none'
        : `${showBytes(journal.snapshotBytes)} as of sequence ${showCount(journal.snapshotSequence)}`,
    ],
  ])
}
