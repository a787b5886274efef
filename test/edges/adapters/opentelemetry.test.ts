/** The instruments of OpenTelemetry, as a meter calls them. With the SDK: test/ecosystem/metrics.test.mjs. */
import test from 'ava'
import { BehaviorSubject } from 'rxjs'
import { opentelemetryMetrics } from '../../../src/edges/adapters/opentelemetry.js'
import { openMemory } from '../../helpers/open-memory.js'

type Callback = (result: { observe(instrument: object, value: number, attributes: object): void }) => Promise<void>

/** A meter that lists what is observed. */
class Meter {
  readonly created: Record<string, unknown> = {}
  readonly callbacks = new Map<Callback, object[]>()
  #create(kind: string, name: string, options: { unit?: string }): object {
    this.created[name] = { kind, unit: options.unit }
    return { name }
  }
  createObservableCounter = (name: string, options: { unit?: string }) => this.#create('counter', name, options)
  createObservableGauge = (name: string, options: { unit?: string }) => this.#create('gauge', name, options)
  createObservableUpDownCounter = (name: string, options: { unit?: string }) => this.#create('up-down', name, options)
  addBatchObservableCallback(callback: unknown, instruments: object[]): void {
    this.callbacks.set(callback as Callback, instruments)
  }
  removeBatchObservableCallback(callback: unknown): void {
    this.callbacks.delete(callback as Callback)
  }
  async collect(): Promise<unknown[]> {
    const observed: unknown[] = []
    const observe = (instrument: object, value: number, attributes: object) =>
      observed.push([(instrument as { name: string }).name, value, attributes])
    await Promise.all([...this.callbacks.keys()].map((callback) => callback({ observe })))
    return observed
  }
}

test('the instruments, their kinds and their units', async (t) => {
  const { cache } = await openMemory(t)
  const meter = new Meter()
  opentelemetryMetrics(meter, { cache })
  t.deepEqual(meter.created, {
    'daybook.cache.operations': { kind: 'counter', unit: undefined },
    'daybook.cache.evictions': { kind: 'counter', unit: undefined },
    'daybook.cache.entries': { kind: 'up-down', unit: undefined },
    'daybook.journal.size': { kind: 'up-down', unit: 'By' },
    'daybook.cluster.leader': { kind: 'gauge', unit: undefined },
    'daybook.cluster.term': { kind: 'gauge', unit: undefined },
    'daybook.cluster.lag': { kind: 'gauge', unit: 's' },
  })
  t.is([...meter.callbacks.values()][0]?.length, 7)
})

test('what is observed, with the name of the cache', async (t) => {
  const { cache } = await openMemory(t, { maxSize: 2 })
  const meter = new Meter()
  opentelemetryMetrics(meter, { cache, name: 'users' })
  for (const key of ['a', 'b', 'c']) cache.set(key, 1)
  for (const key of ['a', 'b', 'c']) cache.get(key)
  t.deepEqual(await meter.collect(), [
    ['daybook.cache.operations', 2, { cache: 'users', result: 'hit' }],
    ['daybook.cache.operations', 1, { cache: 'users', result: 'miss' }],
    ['daybook.cache.evictions', 1, { cache: 'users' }],
    ['daybook.cache.entries', 2, { cache: 'users' }],
    ['daybook.journal.size', cache.stats().journal.bytes, { cache: 'users' }],
  ])
})

test('a node of a cluster: whether it leads, the term, and how far it is behind', async (t) => {
  const { cache } = await openMemory(t)
  const meter = new Meter()
  const role$ = new BehaviorSubject({ role: 'follower', term: 7, lagMs: 1_500 })
  opentelemetryMetrics(meter, { cache: { stats: () => cache.stats(), role$ } })
  const observed = () => meter.collect().then((rows) => rows.slice(5))
  t.deepEqual(await observed(), [
    ['daybook.cluster.leader', 0, { cache: 'daybook' }],
    ['daybook.cluster.term', 7, { cache: 'daybook' }],
    ['daybook.cluster.lag', 1.5, { cache: 'daybook' }],
  ])
  role$.next({ role: 'leader', term: 8, lagMs: 0 })
  t.like(await observed(), { 0: ['daybook.cluster.leader', 1, { cache: 'daybook' }] })
})

test('several caches on one meter, and one that is no longer observed', async (t) => {
  const [one, other] = [await openMemory(t), await openMemory(t)]
  const meter = new Meter()
  const stop = opentelemetryMetrics(meter, { cache: one.cache, name: 'one' })
  opentelemetryMetrics(meter, { cache: other.cache, name: 'other' })
  t.is((await meter.collect()).length, 10)
  stop()
  t.is((await meter.collect()).length, 5)
})

test('a closed cache is left out', async (t) => {
  const { cache } = await openMemory(t)
  const meter = new Meter()
  opentelemetryMetrics(meter, { cache })
  await cache.close()
  t.deepEqual(await meter.collect(), [])
})

test('what is not a meter, and an old one, are refused', async (t) => {
  const { cache } = await openMemory(t)
  for (const wrong of [undefined, {}, { createObservableCounter: () => ({}) }]) {
    t.throws(() => opentelemetryMetrics(wrong as never, { cache }), {
      instanceOf: TypeError,
      message: /a meter of @opentelemetry\/api, version 1\.3 or later/,
    })
  }
  t.throws(() => opentelemetryMetrics(new Meter(), {} as never), { instanceOf: TypeError, message: /^cache must be/ })
})
