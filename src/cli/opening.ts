/** How the command line opens a cache for writing: no limit on entries unless one is given, and a bar while it recovers. */
import type { Cache } from '../cache/cache.js'
import { openCache } from '../open.js'
import type { OpenOptions } from './options.js'
import { Progress } from './progress.js'

export async function openForCommand(options: OpenOptions): Promise<Cache> {
  const { directory, maxSize, fsync } = options
  const progress = new Progress({ verb: 'Recovering' })
  try {
    return await openCache({ directory, maxSize, fsync, onProgress: ({ done, total }) => progress.update(done, total) })
  } finally {
    progress.end()
  }
}
