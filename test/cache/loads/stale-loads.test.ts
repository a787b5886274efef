/** Stale entries and their reloads, beyond one call: several clients, changes meanwhile, reopening, a crash. */
import { cp } from 'node:fs/promises'
import test from 'ava'
import { connect } from '../../../src/edges/threads/threads.js'
import { openCache } from '../../../src/index.js'
import { CountingClock } from '../../helpers/counting-clock.js'
import { loopTurn, until } from '../../helpers/loop-turn.js'
import { openMemory, reopen } from '../../helpers/open-memory.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

/** Fresh for 10 s, then stale for 20 s. */
const TEN_THEN_TWENTY = { ttl: 10, stale: 20 } as const

/** A loader whose calls are settled by the test. */
function slowLoader() {
  const calls: { resolve: (value: unknown) => void; reject: (error: unknown) => void; staleValue: unknown }[] = []
  const load = (_: string, { staleValue }: { staleValue: unknown }) =>
    new Promise<unknown>((resolve, reject) => calls.push({ resolve, reject, staleValue }))
  return { calls, load }
}

test('the calls of several clients and of the owner start one reload, and get the stale value meanwhile', async (t) => {
  const { cache, clock } = await openMemory(t)
  const clients = await Promise.all([connect(cache.share()), connect(cache.share())])
  cache.set('k', { n: 'old' }, TEN_THEN_TWENTY)
  clock.advance(10)
  const { calls, load } = slowLoader()
  const everyone = [cache, ...clients]
  for (const _ of [1, 2])
    t.deepEqual(await Promise.all(everyone.map((each) => each.getOrSet('k', load))), Array(3).fill({ n: 'old' }))
  t.is(calls.length, 1)
  t.deepEqual(calls[0]?.staleValue, { n: 'old' })
  calls[0]?.resolve('new')
  await until(() => cache.peek('k') === 'new', 'the reload')
  t.deepEqual(await Promise.all(everyone.map((each) => each.getOrSet('k', load))), Array(3).fill('new'))
  t.is(calls.length, 1)
  for (const client of clients) await client.close()
})

test('a client that reloads and goes leaves the stale value, and the next call reloads', async (t) => {
  const { cache, clock } = await openMemory(t)
  const warnings: unknown[] = []
  cache.lifecycle$.subscribe(({ warning }) => warning !== undefined && warnings.push(warning))
  const client = await connect(cache.share())
  cache.set('k', 'old', TEN_THEN_TWENTY)
  clock.advance(10)
  const { calls, load } = slowLoader()
  t.is(await client.getOrSet('k', load), 'old')
  await until(() => calls.length === 1, 'the reload begins')
  await client.close()
  await until(() => warnings.length === 1, 'the warning')
  t.like(warnings[0], { code: 'LOADER_GONE' })
  t.is(await cache.getOrSet('k', () => 'new'), 'old')
  await loopTurn()
  t.is(cache.peek('k'), 'new')
})

test('timeout: 0 does not wait for the reload', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('k', 'old', TEN_THEN_TWENTY)
  clock.advance(10)
  t.is(await cache.getOrSet('k', () => new Promise(() => undefined), { timeout: 0 }), 'old')
})

test('a stale value that is given is a use: another entry is evicted', async (t) => {
  const { cache, clock } = await openMemory(t, { maxSize: 2 })
  cache.set('k', 'old', { ttl: 10, stale: 1_000 })
  cache.set('other', 1)
  clock.advance(10)
  await cache.getOrSet('k', () => new Promise(() => undefined))
  cache.set('new', 1)
  t.deepEqual([cache.get('k', { stale: true }), cache.has('other')], ['old', false])
  cache.set('newer', 1)
  t.is(await cache.getOrSetMany(['k'], () => []).then((values) => values.get('k')), 'old')
})

test('an expire, a persist, an eviction and the end of the stale window overrule no reload', async (t) => {
  const { cache, clock } = await openMemory(t, { maxSize: 2 })
  const { calls, load } = slowLoader()
  const changes = [
    () => cache.expire('k', 100),
    () => cache.persist('k'),
    () => cache.touch('k', 50),
    () => cache.set('a', 1) && cache.set('b', 1) && !cache.has('k'),
    () => {
      clock.advance(30)
      return cache.size === 0
    },
  ]
  for (const [index, change] of changes.entries()) {
    cache.clear()
    cache.set('k', 'old', TEN_THEN_TWENTY)
    clock.advance(9)
    t.is(await cache.getOrSet('k', load, { ttl: 10, refresh: 0.5 }), 'old')
    await loopTurn()
    t.truthy(change())
    calls[index]?.resolve('new')
    await loopTurn()
    t.is(cache.peek('k'), 'new', `${change}`)
  }
})

test('a call that waits gets a value that was set meanwhile, not the stale one', async (t) => {
  const { cache, clock } = await openMemory(t)
  const { calls, load } = slowLoader()
  cache.set('k', 'old', TEN_THEN_TWENTY)
  clock.advance(10)
  const late = cache.getOrSet('k', load, { timeout: 1 })
  const failing = cache.getOrSet('k', load, { timeout: 100 })
  await loopTurn()
  cache.set('k', null)
  clock.advance(1)
  t.is(await late, null)
  calls[0]?.reject(new Error('mine'))
  t.is(await failing, null)
})

test('close rejects calls that wait with a stale value, too', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('k', 'old', TEN_THEN_TWENTY)
  clock.advance(10)
  const call = cache.getOrSet('k', () => new Promise(() => undefined), { timeout: 5 })
  await loopTurn()
  const closed = cache.close()
  await t.throwsAsync(call, { code: 'CACHE_CLOSED' })
  await closed
})

test('a loader that would wait for itself gets the stale value', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('k', 1, TEN_THEN_TWENTY)
  clock.advance(10)
  const load = async (): Promise<number> => ((await cache.getOrSet('k', load, { timeout: 5 })) as number) + 1
  t.is(await cache.getOrSet('k', load, { timeout: 5 }), 2)
  t.is(await cache.getOrSetMany(['k', 'l'], () => []).then(({ size }) => size), 1)
})

test('isolation holds for stale values and staleValue', async (t) => {
  const { cache, clock } = await openMemory<{ n: number }>(t)
  cache.set('k', { n: 1 }, TEN_THEN_TWENTY)
  clock.advance(10)
  const given = await cache.getOrSet('k', (_, { staleValue }) => {
    if (staleValue !== undefined) staleValue.n = 2
    throw new Error('mine')
  })
  given.n = 3
  await loopTurn()
  t.deepEqual(cache.get('k', { stale: true }), { n: 1 })
})

for (const [state, afterS, given] of [
  ['fresh', 5, 'old'],
  ['stale', 15, 'old'],
  ['expired', 30, 'new'],
] as const) {
  test(`reopened ${state}: getOrSet gives the ${given} value`, async (t) => {
    const opened = await openMemory(t)
    await opened.cache.getOrSet('k', () => 'old', { ...TEN_THEN_TWENTY, tags: ['t'] })
    opened.clock.advance(afterS)
    const { cache } = await reopen(t, opened)
    let loads = 0
    const load = () => {
      loads++
      return 'new'
    }
    t.is(await cache.getOrSet('k', load), given)
    await loopTurn()
    t.is(loads, state === 'fresh' ? 0 : 1)
    t.is(cache.deleteTag('t'), state === 'fresh' ? 1 : 0) // the reload had no tags
  })
}

test('after a crash during the reload the entry is still stale, and the next call reloads it', async (t) => {
  const [directory, copy] = [temporaryDirectory(t), temporaryDirectory(t)]
  const clock = new CountingClock()
  const cache = await openCache({ directory, clock })
  t.teardown(() => cache.close())
  cache.set('k', 'old', TEN_THEN_TWENTY)
  clock.advance(10)
  t.is(await cache.getOrSet('k', () => new Promise(() => undefined)), 'old')
  await cache.flush()
  await cp(directory, copy, { recursive: true }) // what a crash leaves
  const again = await openCache({ directory: copy, clock })
  t.teardown(() => again.close())
  t.is(again.get('k'), undefined)
  t.is(await again.getOrSet('k', () => 'new', TEN_THEN_TWENTY), 'old')
  await loopTurn()
  t.is(again.get('k'), 'new')
})
