/** What both kinds of metrics read: the stats of a cache, once for all instruments of a scrape. */
import { checkOptions } from '../../cache/arguments/arguments.js'
import type { Stats } from '../../cache/streams/stats.js'
import { mustBe } from '../../errors.js'
import { isExpected } from './backing.js'

/** A `Cache` or a `RemoteCache`, whatever the type of its values. */
export interface Measured {
  stats(): Stats | Promise<Stats>
  /** That of a cluster or of processes, which tells the present role at once. */
  readonly role$?: { subscribe(next: (role: object) => void): { unsubscribe(): void } }
}

/** What a node of a cluster is. */
export interface ClusterFigures {
  readonly role: 'leader' | 'follower'
  readonly term: number
  /** Since this node last held the newest record of the log. */
  readonly lagMs: number
}

/** What a scrape reads of one cache. */
export interface Figures {
  readonly stats: Stats
  /** Undefined unless the cache is that of a cluster. */
  readonly cluster: ClusterFigures | undefined
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
  const { stats } = (cache ?? {}) as { stats?: unknown }
  if (typeof stats !== 'function' && !isExpected(cache)) {
    throw new TypeError(mustBe('cache', 'a cache, a client of one, or a promise of one', cache))
  }
  if (typeof name !== 'string') throw new TypeError(mustBe('name', 'a string', name))
  return { ...options, name }
}

/**
 * Returns a function that reads the figures. Calls at the same time share one reading. It resolves with `undefined` if there are
 * none, because the cache is closed or out of reach: its figures are then left out, and those of others are not.
 */
export function figuresReader(cache: MetricsOptions['cache']): () => Promise<Figures | undefined> {
  let reading: Promise<Figures | undefined> | undefined
  return () => {
    reading ??= (async () => {
      const measured = await cache
      return { stats: await measured.stats(), cluster: clusterOf(measured) }
    })()
      .catch(() => undefined)
      .finally(() => {
        reading = undefined
      })
    return reading
  }
}

function clusterOf({ role$ }: Measured): ClusterFigures | undefined {
  let present: Partial<ClusterFigures> | undefined
  role$
    ?.subscribe((role) => {
      present = role
    })
    .unsubscribe()
  return present?.term === undefined ? undefined : (present as ClusterFigures) // processes have no terms
}
