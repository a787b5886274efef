/**
 * `daybook/prometheus`: the stats of caches in a registry of prom-client 15.
 *
 *   prometheusMetrics(client, { cache, name: 'sessions' })   // import client from 'prom-client'
 *
 * The contract: counters and gauges with a `collect` function, which reads the stats when the registry is scraped. There is one
 * set of them in a registry, for all caches; the label `cache` has the name. There is no gauge of the hit ratio, because only a
 * ratio over a time means something: `rate(daybook_hits_total[5m]) / (rate(daybook_hits_total[5m]) + rate(daybook_misses_total[5m]))`.
 */
import { mustBe } from '../../errors.js'
import { checkMetricsOptions, type Figures, figuresReader, type MetricsOptions } from './figures.js'

export type { Measured, MetricsOptions } from './figures.js'

// biome-ignore format: a row is a line
const METRICS = [
  ['Counter', 'daybook_hits_total', 'Reads that found an entry', ({ stats }) => stats.hits],
  ['Counter', 'daybook_misses_total', 'Reads that found none', ({ stats }) => stats.misses],
  ['Counter', 'daybook_evictions_total', 'Entries removed to make room', ({ stats }) => stats.evictions],
  ['Counter', 'daybook_expirations_total', 'Entries removed because their time was over', ({ stats }) => stats.expirations],
  ['Counter', 'daybook_sets_total', 'Entries stored', ({ stats }) => stats.sets],
  ['Counter', 'daybook_deletes_total', 'Entries deleted', ({ stats }) => stats.deletes],
  ['Gauge', 'daybook_entries', 'Entries stored now', ({ stats }) => stats.size],
  ['Gauge', 'daybook_journal_bytes', 'Size of the journal on disk', ({ stats }) => stats.journal.bytes],
  ['Gauge', 'daybook_journal_pending_bytes', 'Bytes that are not yet written to the journal', ({ stats }) => stats.journal.pendingBytes],
  ['Gauge', 'daybook_durable_lag', 'Events that are not yet durable', ({ stats: { journal } }) => journal.sequence - journal.durableSequence],
  // Only of the nodes of a cluster.
  ['Gauge', 'daybook_cluster_leader', '1 on the node that leads its cluster, 0 on the others', ({ cluster }) => cluster && Number(cluster.role === 'leader')],
  ['Gauge', 'daybook_cluster_term', 'The term of the leader', ({ cluster }) => cluster?.term],
  ['Gauge', 'daybook_cluster_lag_seconds', 'Since when this node has not had the newest record of the log', ({ cluster }) => cluster && cluster.lagMs / 1_000],
] as const satisfies readonly (readonly ['Counter' | 'Gauge', string, string, (figures: Figures) => number | undefined])[]

interface Metric {
  reset(): void
  inc(labels: { cache: string }, value: number): void
}

type MetricClass = new (configuration: never) => object

interface PromRegistry {
  getSingleMetric(name: string): unknown
}

/** What is used of the module `prom-client`. */
export interface PromClient {
  Counter: MetricClass
  Gauge: MetricClass
  register: PromRegistry
}

export interface PrometheusOptions extends MetricsOptions {
  /** The registry. Default: that of prom-client, `register`. */
  registry?: PromRegistry | undefined
}

type Readers = Map<string, ReturnType<typeof figuresReader>>

/** The caches in each registry, by name. */
const measured = new WeakMap<PromRegistry, Readers>()

/** Adds the figures of a cache to a registry: `import client from 'prom-client'`. Returns a function that takes them out again. */
export function prometheusMetrics(client: PromClient, options: PrometheusOptions): () => void {
  if (typeof (client as { prometheusContentType?: unknown } | undefined)?.prometheusContentType !== 'string') {
    throw new TypeError(mustBe('The first argument', 'the module prom-client, version 15 or later', client))
  }
  const { cache, name, registry = client.register } = checkMetricsOptions(options, ['registry'])
  if (typeof registry?.getSingleMetric !== 'function') {
    throw new TypeError(mustBe('registry', 'a registry of prom-client', registry))
  }
  const readers: Readers = measured.get(registry) ?? new Map()
  if (readers.has(name)) throw new TypeError(mustBe('name', 'another one for each cache of a registry', name))
  const reader = figuresReader(cache)
  measured.set(registry, readers.set(name, reader))
  for (const metric of METRICS) {
    if (registry.getSingleMetric(metric[1]) === undefined) register(client, registry, readers, metric)
  }
  return () => {
    if (readers.get(name) === reader) readers.delete(name)
  }
}

function register(
  client: PromClient,
  registry: PromRegistry,
  readers: Readers,
  [kind, name, help, figureOf]: (typeof METRICS)[number],
): void {
  const Class = client[kind] as new (configuration: object) => object
  async function collect(this: Metric): Promise<void> {
    const figures = await Promise.all([...readers].map(async ([cache, read]) => [cache, await read()] as const))
    this.reset() // from here on at once, so that two scrapes at the same time do not add up
    for (const [cache, read] of figures) {
      const figure = read && figureOf(read)
      if (figure !== undefined) this.inc({ cache }, figure)
    }
  }
  new Class({ name, help, labelNames: ['cache'], registers: [registry], collect })
}
