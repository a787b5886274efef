/**
 * `daybook/opentelemetry`: the stats of a cache as observable instruments of a meter of @opentelemetry/api.
 *
 *   opentelemetryMetrics(metrics.getMeter('my-service'), { cache, name: 'sessions' })
 *
 * OpenTelemetry has no convention for caches; the names are our own. The attribute `cache` has the name of the cache.
 *
 *   daybook.cache.operations   counter          result: hit, miss
 *   daybook.cache.evictions    counter
 *   daybook.cache.entries      up-down counter
 *   daybook.journal.size       up-down counter  By
 *   daybook.cluster.leader     gauge            1 or 0; these three only for the nodes of a cluster
 *   daybook.cluster.term       gauge
 *   daybook.cluster.lag        gauge            s
 */
import { mustBe } from '../../errors.js'
import { checkMetricsOptions, figuresReader, type MetricsOptions } from './figures.js'

export type { Measured, MetricsOptions } from './figures.js'

interface InstrumentOptions {
  description: string
  unit?: string
}

/** What is used of a meter. */
export interface OtelMeter {
  createObservableCounter(name: string, options: InstrumentOptions): object
  createObservableGauge(name: string, options: InstrumentOptions): object
  createObservableUpDownCounter(name: string, options: InstrumentOptions): object
  addBatchObservableCallback(callback: never, instruments: never): void
  removeBatchObservableCallback(callback: never, instruments: never): void
}

interface Observation {
  observe(instrument: object, value: number, attributes: Record<string, string>): void
}

/** Observes a cache whenever the meter's metrics are collected. Returns a function that ends that. */
export function opentelemetryMetrics(meter: OtelMeter, options: MetricsOptions): () => void {
  if (typeof meter?.addBatchObservableCallback !== 'function') {
    throw new TypeError(mustBe('The first argument', 'a meter of @opentelemetry/api, version 1.3 or later', meter))
  }
  const { cache, name } = checkMetricsOptions(options, [])
  const read = figuresReader(cache)
  const operations = meter.createObservableCounter('daybook.cache.operations', {
    description: 'Reads, by their result',
  })
  const evictions = meter.createObservableCounter('daybook.cache.evictions', {
    description: 'Entries removed to make room',
  })
  const entries = meter.createObservableUpDownCounter('daybook.cache.entries', { description: 'Entries stored now' })
  const size = meter.createObservableUpDownCounter('daybook.journal.size', {
    description: 'Size of the journal',
    unit: 'By',
  })
  const leader = meter.createObservableGauge('daybook.cluster.leader', {
    description: '1 on the node that leads its cluster, 0 on the others',
  })
  const term = meter.createObservableGauge('daybook.cluster.term', { description: 'The term of the leader' })
  const lag = meter.createObservableGauge('daybook.cluster.lag', {
    description: 'Since when this node has not had the newest record of the log',
    unit: 's',
  })

  const observe = async (result: Observation): Promise<void> => {
    const figures = await read()
    if (figures === undefined) return
    const { stats, cluster } = figures
    result.observe(operations, stats.hits, { cache: name, result: 'hit' })
    result.observe(operations, stats.misses, { cache: name, result: 'miss' })
    result.observe(evictions, stats.evictions, { cache: name })
    result.observe(entries, stats.size, { cache: name })
    result.observe(size, stats.journal.bytes, { cache: name })
    if (cluster === undefined) return
    result.observe(leader, Number(cluster.role === 'leader'), { cache: name })
    result.observe(term, cluster.term, { cache: name })
    result.observe(lag, cluster.lagMs / 1_000, { cache: name })
  }
  const observed = [observe, [operations, evictions, entries, size, leader, term, lag]] as [never, never] // generic types of the api, not ours
  meter.addBatchObservableCallback(...observed)
  return () => meter.removeBatchObservableCallback(...observed)
}
