/** Opens a cache for writing, with the limits that its journal remembers, or none if it is new; with a bar during recovery. */
import { existsSync } from 'node:fs'
import type { Cache } from '../../cache/cache.js'
import { findJournalFiles } from '../../durable/format/journal-files.js'
import { reachOf } from '../../durable/snapshot/retention.js'
import { disk } from '../../durable/storage/disk.js'
import { JournalWriteError } from '../../errors.js'
import { openWithin } from '../../open.js'
import { messageOf } from '../terminal/failures.js'
import { remark } from '../terminal/output.js'
import { Progress } from '../terminal/progress.js'
import type { OpenOptions } from './options.js'

/** Opens, uses, closes. If `use` fails, its error is thrown, or that of closing if it says what became of the same changes. */
export async function withCache<T>(options: OpenOptions, use: (cache: Cache) => Promise<T>): Promise<T> {
  const cache = await openForCommand(options)
  let result: T
  try {
    result = await use(cache)
  } catch (error) {
    await cache.close({ force: true }).catch((lost) => {
      if (error instanceof JournalWriteError) throw lost // the other one says that the changes stay pending
      remark(`daybook: ${messageOf(lost)}`)
    })
    throw error
  }
  await cache.close({ force: true })
  return result
}

async function openForCommand(options: OpenOptions): Promise<Cache> {
  const { directory, lock, maxSize, eviction, fsync } = options
  const history = await historyOf(directory)
  const progress = new Progress({ verbs: { bytes: 'Recovering' } })
  try {
    return await openWithin(
      {
        directory,
        lock,
        maxSize,
        eviction,
        fsync,
        history,
        onProgress: ({ done, total }) => progress.update(done, total),
      },
      { newMaxSize: Number.POSITIVE_INFINITY },
    )
  } finally {
    progress.end()
  }
}

/**
 * The option `history` of a command that is not given one: all, if files are kept only to look back. Whoever uses this journal has
 * promised that, and compaction here must not remove them.
 */
export async function historyOf(directory: string): Promise<number | undefined> {
  if (!existsSync(directory)) return undefined
  try {
    const reach = await reachOf(disk, await findJournalFiles(disk, directory))
    return reach !== undefined && reach.historyBytes > 0 ? Number.POSITIVE_INFINITY : undefined
  } catch {
    return Number.POSITIVE_INFINITY // opening will say what is wrong
  }
}
