/** The metrics of prom-client, as its registry collects them. With prom-client itself: test/ecosystem/metrics.test.mjs. */
import test from 'ava'
import { BehaviorSubject } from 'rxjs'
import { prometheusMetrics } from '../../../src/edges/adapters/prometheus.js'
import { openMemory, reopen } from '../../helpers/open-memory.js'

interface Configuration {
  name: string
  registers: [Registry]
  collect(this: Metric): Promise<void>
}

/** As prom-client's: a name may be registered once. */
class Registry {
  readonly metrics = new Map<string, Metric>()
  getSingleMetric = (name: string) => this.metrics.get(name)
  /** name{cache}: value */
  async scrape(): Promise<Record<string, number>> {
    const lines: Record<string, number> = {}
    await Promise.all([...this.metrics.values()].map((metric) => metric.configuration.collect.call(metric)))
    for (const [name, { values }] of this.metrics)
      for (const [cache, value] of values) lines[`${name}{${cache}}`] = value
    return lines
  }
}

class Metric {
  readonly values = new Map<string, number>()
  constructor(readonly configuration: Configuration) {
    const { registers, name } = configuration
    if (registers[0].metrics.has(name)) throw new Error(`A metric with the name ${name} has already been registered.`)
    registers[0].metrics.set(name, this)
  }
  reset(): void {
    this.values.clear()
  }
  inc({ cache }: { cache: string }, value: number): void {
    this.values.set(cache, (this.values.get(cache) ?? 0) + value)
  }
}

function fakeClient() {
  return { Counter: Metric, Gauge: Metric, register: new Registry(), prometheusContentType: 'text/plain' }
}

test('each figure has its name and the label of the cache', async (t) => {
  const client = fakeClient()
  const { cache, clock } = await openMemory(t, { maxSize: 3 })
  prometheusMetrics(client, { cache, name: 'users' })
  for (const key of ['a', 'b', 'c', 'd']) cache.set(key, key, { ttl: key === 'd' ? 1 : 100 })
  for (const key of ['b', 'c', 'a']) cache.get(key)
  clock.advance(1)
  cache.delete('b')
  const { journal } = cache.stats()
  t.deepEqual(await client.register.scrape(), {
    'daybook_hits_total{users}': 2,
    'daybook_misses_total{users}': 1,
    'daybook_evictions_total{users}': 1,
    'daybook_expirations_total{users}': 1,
    'daybook_sets_total{users}': 4,
    'daybook_deletes_total{users}': 1,
    'daybook_entries{users}': 1,
    'daybook_journal_bytes{users}': journal.bytes,
    'daybook_journal_pending_bytes{users}': journal.pendingBytes,
    'daybook_durable_lag{users}': journal.sequence - journal.durableSequence,
  })
})

test('a node of a cluster: whether it leads, the term, and how far it is behind', async (t) => {
  const client = fakeClient()
  const { cache } = await openMemory(t)
  const role$ = new BehaviorSubject({ role: 'follower', term: 7, lagMs: 1_500 })
  prometheusMetrics(client, { cache: { stats: () => cache.stats(), role$ }, name: 'users' })
  prometheusMetrics(client, {
    cache: { stats: () => cache.stats(), role$: new BehaviorSubject({ pid: 1 }) },
    name: 'other',
  })
  const scraped = await client.register.scrape()
  t.like(scraped, {
    'daybook_cluster_leader{users}': 0,
    'daybook_cluster_term{users}': 7,
    'daybook_cluster_lag_seconds{users}': 1.5,
  })
  t.deepEqual(
    Object.keys(scraped).filter((name) => /cluster.*other/.test(name)),
    [],
  )
  role$.next({ role: 'leader', term: 8, lagMs: 0 })
  t.like(await client.register.scrape(), { 'daybook_cluster_leader{users}': 1, 'daybook_cluster_term{users}': 8 })
})

test('a scrape says what is, not what has been added up', async (t) => {
  const client = fakeClient()
  const { cache } = await openMemory(t)
  prometheusMetrics(client, { cache })
  cache.set('a', 1)
  for (let time = 0; time < 3; time++) t.is((await client.register.scrape())['daybook_sets_total{daybook}'], 1)
  const both = await Promise.all([client.register.scrape(), client.register.scrape()])
  for (const lines of both) t.is(lines['daybook_sets_total{daybook}'], 1)
})

test('several caches in one registry, each under its name; a cache can be taken out', async (t) => {
  const client = fakeClient()
  const [one, other] = [await openMemory(t), await openMemory(t)]
  const remove = prometheusMetrics(client, { cache: one.cache, name: 'one' })
  prometheusMetrics(client, { cache: other.cache, name: 'other' })
  one.cache.set('a', 1)
  let lines = await client.register.scrape()
  t.is(lines['daybook_entries{one}'], 1)
  t.is(lines['daybook_entries{other}'], 0)
  remove()
  lines = await client.register.scrape()
  t.is(lines['daybook_entries{one}'], undefined)
  t.is(lines['daybook_entries{other}'], 0)
  t.notThrows(() => prometheusMetrics(client, { cache: one.cache, name: 'one' }))
})

test('a registry of its own', async (t) => {
  const client = fakeClient()
  const registry = new Registry()
  const { cache } = await openMemory(t)
  prometheusMetrics(client, { cache, registry })
  t.is((await registry.scrape())['daybook_entries{daybook}'], 0)
  t.deepEqual(await client.register.scrape(), {})
})

test('a closed cache is left out, and the others are not', async (t) => {
  const client = fakeClient()
  const [one, other] = [await openMemory(t), await openMemory(t)]
  prometheusMetrics(client, { cache: one.cache, name: 'one' })
  prometheusMetrics(client, { cache: other.cache, name: 'other' })
  await one.cache.close()
  const lines = await client.register.scrape()
  t.is(Object.keys(lines).length, 10)
  t.true(Object.keys(lines).every((name) => name.endsWith('{other}')))
})

test('a registry that was cleared gets its metrics again', async (t) => {
  const client = fakeClient()
  const { cache } = await openMemory(t)
  prometheusMetrics(client, { cache, name: 'one' })
  client.register.metrics.clear()
  prometheusMetrics(client, { cache, name: 'two' })
  t.is((await client.register.scrape())['daybook_entries{one}'], 0)
})

test('counters go on after reopening', async (t) => {
  const opened = await openMemory(t)
  opened.cache.set('a', 1)
  opened.cache.get('a')
  const { cache } = await reopen(t, opened)
  const client = fakeClient()
  prometheusMetrics(client, { cache })
  t.like(await client.register.scrape(), { 'daybook_sets_total{daybook}': 1, 'daybook_hits_total{daybook}': 1 })
})

test('the same name twice, another module, an old version and another registry are refused', async (t) => {
  const client = fakeClient()
  const { cache } = await openMemory(t)
  prometheusMetrics(client, { cache })
  t.throws(() => prometheusMetrics(client, { cache }), { instanceOf: TypeError, message: /^name must be another one/ })
  const { prometheusContentType: _, ...old } = client
  for (const wrong of [undefined, {}, old]) {
    t.throws(() => prometheusMetrics(wrong as never, { cache }), {
      instanceOf: TypeError,
      message: /the module prom-client, version 15 or later/,
    })
  }
  t.throws(() => prometheusMetrics(client, { cache, name: 'b', registry: {} as never }), {
    instanceOf: TypeError,
    message: /^registry must be/,
  })
})
