import test from 'ava'
import { pairwise, take } from 'rxjs'
import type { Cache, Stats } from '../../../src/index.js'
import { openMemory } from '../../helpers/open-memory.js'

function sizes(cache: Cache): number[] {
  const seen: number[] = []
  cache.stats$.subscribe(({ size }) => seen.push(size))
  return seen
}

test('stats$ emits the current stats at once', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('a', 1)
  cache.get('a')
  let seen: Stats | undefined
  cache.stats$.subscribe((stats) => {
    seen = stats
  })
  t.deepEqual(seen, cache.stats())
})

test('stats$ then emits at most once per statsInterval: after a change, and once more without one', async (t) => {
  const { cache, clock } = await openMemory(t)
  const seen = sizes(cache)
  cache.set('a', 1)
  cache.set('b', 1)
  t.deepEqual(seen, [0])
  clock.advance('999ms')
  t.deepEqual(seen, [0])
  clock.advance('1ms')
  t.deepEqual(seen, [0, 2])
  clock.advance(10)
  t.deepEqual(seen, [0, 2, 2])
  cache.set('c', 1)
  clock.advance(1)
  t.deepEqual(seen, [0, 2, 2, 3])
})

test('stats$ tells the time, so that a rate is computed from two emissions, and falls to 0 when nothing changes', async (t) => {
  const { cache, clock } = await openMemory(t)
  const rates: number[] = []
  cache.stats$.pipe(pairwise()).subscribe(([a, b]) => rates.push(((b.sets - a.sets) * 1_000) / (b.atMs - a.atMs)))
  for (const sets of [30, 10, 0, 0, 0, 0]) {
    for (let index = 0; index < sets; index++) cache.set(`${index}`, 1)
    clock.advance(1)
  }
  t.deepEqual(rates, [30, 10, 0])
  t.is(cache.stats().atMs, clock.now())
})

test('a subscriber that changes the stats that it gets causes no emission', async (t) => {
  const { cache, clock } = await openMemory(t)
  let count = 0
  cache.stats$.subscribe((stats) => {
    stats.size = -1
    count++
  })
  clock.advance(10)
  t.is(count, 1)
})

test('two emissions are at least a statsInterval apart, however often things change', async (t) => {
  const { cache, clock } = await openMemory(t, { statsInterval: '250ms' })
  const atMs: number[] = []
  cache.stats$.subscribe(() => atMs.push(clock.now()))
  for (let step = 0; step < 100; step++) {
    cache.increment('n')
    clock.advance(`${(step * 37) % 90}ms`)
  }
  t.true(atMs.length > 5)
  for (let index = 1; index < atMs.length; index++) t.true((atMs[index] as number) - (atMs[index - 1] as number) >= 250)
})

for (const [what, change] of Object.entries({
  'a hit': (cache: Cache) => cache.get('a'),
  'a miss': (cache: Cache) => cache.get('x'),
  'a set that replaces': (cache: Cache) => cache.set('a', 2),
  'a delete': (cache: Cache) => cache.delete('a'),
  'an eviction': (cache: Cache) => cache.set('new', 2),
  'a clear': (cache: Cache) => cache.clear(),
  'an expiry': (cache: Cache) => cache.expire('a', 0),
})) {
  test(`${what} is a change of the stats`, async (t) => {
    const { cache, clock } = await openMemory(t, { maxSize: 2 })
    cache.setMany([
      ['a', 1],
      ['b', 1],
    ])
    const seen = sizes(cache)
    change(cache)
    clock.advance(1)
    t.is(seen.length, 2)
  })
}

test('a change that is undone is not a change of the stats', async (t) => {
  const { cache, clock } = await openMemory(t)
  const seen = sizes(cache)
  t.throws(() =>
    cache.transact(() => {
      cache.set('a', 1)
      throw new Error('undo')
    }),
  )
  clock.advance(5)
  t.deepEqual(seen, [0])
})

test('each subscriber first receives the current stats', async (t) => {
  const { cache, clock } = await openMemory(t)
  const early = sizes(cache)
  cache.set('a', 1)
  clock.advance('500ms')
  const late = sizes(cache)
  cache.set('b', 1)
  clock.advance(2)
  t.deepEqual(early, [0, 2, 2])
  t.deepEqual(late, [1, 2, 2])
})

test('there is no timer before the first subscriber and after the last', async (t) => {
  const { cache, clock } = await openMemory(t, { cleanupInterval: 0, fsync: 'never' })
  clock.advance(0)
  t.is(clock.armed, 0)
  const subscription = cache.stats$.subscribe()
  t.is(clock.armed, 1)
  subscription.unsubscribe()
  t.is(clock.armed, 0)
  cache.stats$.pipe(take(1)).subscribe()
  t.is(clock.armed, 0)
})

test('a subscriber of stats$ can unsubscribe in a callback, and can call the cache', async (t) => {
  const { cache, clock } = await openMemory(t, { cleanupInterval: 0, fsync: 'never' })
  let count = 0
  const subscription = cache.stats$.subscribe(() => {
    cache.increment('n')
    if (++count === 3) subscription.unsubscribe()
  })
  clock.advance(10)
  t.is(count, 3)
  t.is(clock.armed, 0)
})

test('stats$ completes with close, also for those who subscribe while closing', async (t) => {
  const { cache } = await openMemory(t)
  let completed = 0
  cache.stats$.subscribe({ complete: () => completed++ })
  const closing = cache.close()
  cache.stats$.subscribe({ complete: () => completed++ })
  await closing
  t.is(completed, 2)
})
