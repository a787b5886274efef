/** Opening a cache for writing: without a limit on entries unless one is given, and with a bar while it recovers. */
import type { Cache } from '../cache/cache.js'
import { openCache } from '../open.js'
import type { OpenOptions } from './options.js'
import { Progress } from './progress.js'

/** Opens, uses, closes. If the use fails, its error is thrown, not what closing says afterwards. */
export async function withCache<T>(options: OpenOptions, use: (cache: Cache) => Promise<T>): Promise<T> {
  const cache = await openForCommand(options)
  let result: T
  try {
    result = await use(cache)
  } catch (error) {
    await cache.close().catch(() => undefined)
    throw error
  }
  await cache.close()
  return result
}

async function openForCommand(options: OpenOptions): Promise<Cache> {
  const { directory, maxSize, fsync } = options
  const progress = new Progress({ verbs: { bytes: 'Recovering' } })
  try {
    return await openCache({ directory, maxSize, fsync, onProgress: ({ done, total }) => progress.update(done, total) })
  } finally {
    progress.end()
  }
}
