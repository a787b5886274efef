/**
 * The cache of a command: opened here, or that of a process which owns the directory and answers at its socket. Before: the
 * commands. After: with-cache, or processes.ts.
 */
import type { Cache } from '../../cache/cache.js'
import { socketOf } from '../../durable/storage/owner-file.js'
import { CacheError } from '../../errors.js'
import { openSharedWithin, type SharedCache } from '../../processes.js'
import { UsageError } from '../terminal/failures.js'
import { remark } from '../terminal/output.js'
import type { OpenOptions } from './options.js'
import { withCache } from './with-cache.js'

/** Its methods return what those of `Cache` do, or promises of it. */
export type AnyCache = Cache | SharedCache

export const OWNER_HELP = `
If a process owns the cache for others (daybook serve, openShared), it is asked, and a line says so.`

/** How long an owner has to answer that is just opening the journal, or ending. */
const PATIENCE_S = 5

export function isShared(cache: AnyCache): cache is SharedCache {
  return 'role$' in cache
}

/** Uses the cache of the process that owns the directory, if there is one, and says so; otherwise opens it, as `withCache` does. */
export async function withAnyCache<T>(options: OpenOptions, use: (cache: AnyCache) => Promise<T>): Promise<T> {
  const shared = await joined(options)
  if (shared === undefined) return withCache(options, use)
  try {
    return await use(shared)
  } finally {
    await shared.close()
  }
}

/** @throws CacheError `OWNER_UNAVAILABLE` if no process owns the directory, or it does not answer; `UNSUPPORTED_VERSION`. */
export function joinOwner(directory: string): Promise<SharedCache> {
  return openSharedWithin({ directory, owner: 'never', reconnectTimeout: PATIENCE_S })
}

async function joined({ directory, maxSize }: OpenOptions): Promise<SharedCache | undefined> {
  if (socketOf(directory) === undefined) return undefined
  let shared: SharedCache
  try {
    shared = await joinOwner(directory)
  } catch (error) {
    if (error instanceof CacheError && error.code === 'OWNER_UNAVAILABLE') return undefined // what a killed owner left
    throw error
  }
  if (maxSize !== undefined) {
    await shared.close()
    throw new UsageError('--max-size is for the process that owns the cache; in the shell "resize" changes its limits')
  }
  shared.role$.subscribe(({ role, pid }) => {
    if (role === 'client') remark(`${directory} is owned by process ${pid}, which is asked.`)
  })
  return shared
}

/** Uses a result now if it is there, and otherwise when it is. */
export function whenThere<T>(result: T | Promise<T>, use: (result: T) => void): void | Promise<void> {
  return result instanceof Promise ? result.then(use) : use(result)
}
