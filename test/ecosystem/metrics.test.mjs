/** `daybook/prometheus` with prom-client's registry, `daybook/opentelemetry` with the SDK's exporter in memory. */
import { readFileSync } from 'node:fs'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import test from 'ava'
import client from 'prom-client'
import { packed } from './packed.mjs'

const { memoryCache } = packed('daybook')
const { prometheusMetrics } = packed('daybook/prometheus')
const { opentelemetryMetrics } = packed('daybook/opentelemetry')

/** A cache with 2 entries, 1 hit, 1 miss and 1 eviction. */
function used() {
  const cache = memoryCache({ maxSize: 2 })
  for (const key of ['a', 'b', 'c']) cache.set(key, 1)
  cache.get('a')
  cache.get('b')
  return cache
}

test('the text that Prometheus reads', async (t) => {
  const registry = new client.Registry()
  prometheusMetrics(client, { cache: used(), name: 'users', registry })
  prometheusMetrics(client, { cache: memoryCache(), name: 'other', registry })
  const text = await registry.metrics()
  for (const line of [
    '# TYPE daybook_hits_total counter',
    'daybook_hits_total{cache="users"} 1',
    'daybook_hits_total{cache="other"} 0',
    'daybook_misses_total{cache="users"} 1',
    'daybook_evictions_total{cache="users"} 1',
    'daybook_expirations_total{cache="users"} 0',
    'daybook_sets_total{cache="users"} 3',
    'daybook_deletes_total{cache="users"} 0',
    '# TYPE daybook_entries gauge',
    'daybook_entries{cache="users"} 2',
    '# TYPE daybook_durable_lag gauge',
  ])
    t.true(text.split('\n').includes(line), line)
  t.regex(text, /^daybook_journal_bytes\{cache="users"\} [1-9]\d+$/m)
  t.regex(text, /^daybook_journal_pending_bytes\{cache="users"\} \d+$/m)
  t.is(await registry.metrics(), text)
})

test('the default registry', async (t) => {
  const remove = prometheusMetrics(client, { cache: used() })
  t.is((await client.register.getSingleMetric('daybook_entries').get()).values[0].value, 2)
  remove()
  t.deepEqual((await client.register.getSingleMetric('daybook_entries').get()).values, [])
})

test('what OpenTelemetry exports', async (t) => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 60_000 })
  const provider = new MeterProvider({ readers: [reader] })
  const stop = opentelemetryMetrics(provider.getMeter('test'), { cache: used(), name: 'users' })
  await provider.forceFlush()
  const points = Object.fromEntries(
    exporter
      .getMetrics()
      .at(-1)
      .scopeMetrics[0].metrics.map(({ descriptor, dataPoints }) => [
        descriptor.name,
        dataPoints.map(({ attributes, value }) => [attributes, value]),
      ]),
  )
  t.deepEqual(points['daybook.cache.operations'], [
    [{ cache: 'users', result: 'hit' }, 1],
    [{ cache: 'users', result: 'miss' }, 1],
  ])
  t.deepEqual(points['daybook.cache.evictions'], [[{ cache: 'users' }, 1]])
  t.deepEqual(points['daybook.cache.entries'], [[{ cache: 'users' }, 2]])
  t.true(points['daybook.journal.size'][0][1] > 0)
  stop()
  await provider.shutdown()
})

test('the dashboard asks only for metrics that there are', async (t) => {
  const registry = new client.Registry()
  prometheusMetrics(client, { cache: memoryCache(), registry })
  const names = registry.getMetricsAsArray().map(({ name }) => name)
  const dashboard = readFileSync(new URL('../../examples/grafana-dashboard.json', import.meta.url), 'utf8')
  const asked = new Set(dashboard.match(/\bdaybook_\w+/g))
  t.true(asked.size >= 8)
  for (const name of asked) t.true(names.includes(name), name)
  t.true(JSON.parse(dashboard).panels.length > 0)
})
