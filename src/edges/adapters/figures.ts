/** What both kinds of metrics read: the stats of a cache, once for all instruments of a scrape. */
import { checkOptions } from '../../cache/arguments/arguments.js'
import type { Stats } from '../../cache/streams/stats.js'
import { mustBe } from '../../errors.js'

/** A `Cache` or a `RemoteCache`, whatever the type of its values. */
export interface Measured {
  stats(): Stats | Promise<Stats>
}

export interface MetricsOptions {
  /** The cache to measure, or a promise of it. */
  cache: Measured | PromiseLike<Measured>
  /** The name of the cache among others, a label of every figure. Default `'daybook'`. */
  name?: string | undefined
}

export function checkMetricsOptions<O extends MetricsOptions>(
  options: O,
  others: readonly string[],
): O & { name: string } {
  const { cache, name = 'daybook' } = checkOptions(options, ['cache', 'name', ...others])
  const { stats, then } = (cache ?? {}) as { stats?: unknown; then?: unknown }
  if (typeof stats !== 'function' && typeof then !== 'function') {
    throw new TypeError(mustBe('cache', 'a cache, a client of one, or a promise of one', cache))
  }
  if (typeof name !== 'string') throw new TypeError(mustBe('name', 'a string', name))
  return { ...options, name }
}

/**
 * Returns a function that reads the stats. Calls at the same time share one reading. It resolves with `undefined` if there is none,
 * because the cache is closed or out of reach: its figures are then left out, and those of others are not.
 */
export function statsReader(cache: MetricsOptions['cache']): () => Promise<Stats | undefined> {
  let reading: Promise<Stats | undefined> | undefined
  return () => {
    reading ??= (async () => (await cache).stats())()
      .catch(() => undefined)
      .finally(() => {
        reading = undefined
      })
    return reading
  }
}
