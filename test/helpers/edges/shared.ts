/** Clients of one shared cache, all in this process: between them are real sockets and a real lock. */
import type { ExecutionContext } from 'ava'
import type { CacheOptions } from '../../../src/index.js'
import { openWithin } from '../../../src/open.js'
import { openSharedWithin, type SharedCache, type SharedOptions } from '../../../src/processes.js'
import { temporaryDirectory } from '../temporary-directory.js'

export interface SharedPlace {
  directory: string
  /** Joins; `open` are options of the cache that this one opens if it becomes the owner. */
  join<V = unknown>(options?: SharedOptions, open?: CacheOptions): Promise<SharedCache<V>>
}

export function sharedPlace(t: ExecutionContext, directory = temporaryDirectory(t)): SharedPlace {
  const joined: SharedCache[] = []
  t.teardown(async () => {
    for (const cache of joined.reverse()) await cache.close().catch(() => undefined)
  })
  return {
    directory,
    async join<V>(options: SharedOptions = {}, open: CacheOptions = {}) {
      const cache = await openSharedWithin<V>({ directory, reconnectTimeout: 120, ...options }, (own) =>
        openWithin({ ...own, ...open }),
      )
      joined.push(cache as SharedCache)
      return cache
    },
  }
}
