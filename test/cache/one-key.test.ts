import test from 'ava'
import { openMemory } from '../helpers/open-memory.js'

test('get counts a hit and makes the entry the most recently used', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('a', 1)
  cache.set('b', 2)
  t.is(cache.get('a'), 1)
  t.deepEqual(cache.keys(), ['b', 'a'])
  t.like(cache.stats(), { hits: 1, misses: 0 })
})

test('peek changes neither the order of use nor the counters', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('a', 1)
  cache.set('b', 2)
  t.is(cache.peek('a'), 1)
  t.is(cache.peek('c'), undefined)
  t.deepEqual(cache.keys(), ['a', 'b'])
  t.like(cache.stats(), { hits: 0, misses: 0 })
})

test('exists is an alias of has', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('a', 1, { ttl: 10 })
  t.deepEqual([cache.has('a'), cache.exists('a')], [true, true])
  t.deepEqual([cache.has('b'), cache.exists('b')], [false, false])
  clock.advance(10)
  t.deepEqual([cache.exists('a'), cache.has('a')], [false, false])
})

test('has does not count as a use, a hit or a miss', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('a', 1)
  cache.set('b', 2)
  t.true(cache.has('a'))
  t.false(cache.has('c'))
  t.deepEqual(cache.keys(), ['a', 'b'])
  t.like(cache.stats(), { hits: 0, misses: 0 })
})

test('ttl, expire, persist, keys and entries do not count as a use', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('a', 1, { ttl: 10 })
  cache.set('b', 2)
  cache.ttl('a')
  cache.expire('a', 20)
  cache.persist('a')
  cache.keys()
  t.is([...cache.entries()].length, 2)
  t.deepEqual(cache.keys(), ['a', 'b'])
})

test('null is a value, and a hit', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('a', null)
  t.is(cache.get('a'), null)
  t.true(cache.has('a'))
  t.like(cache.stats(), { hits: 1, misses: 0 })
})

test('set returns whether it stored the value', async (t) => {
  const { cache } = await openMemory(t)
  t.true(cache.set('a', 1))
  t.true(cache.set('a', 2))
  t.false(cache.set('a', 3, { only: 'absent' }))
  t.is(cache.peek('a'), 2)
  t.true(cache.set('a', 4, { only: 'present' }))
  t.false(cache.set('b', 5, { only: 'present' }))
  t.true(cache.set('b', 6, { only: 'absent' }))
  t.deepEqual(
    [...cache.entries()],
    [
      ['a', 4],
      ['b', 6],
    ],
  )
})

test('a set that does not store is neither a use of the entry nor an event', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('a', 1, { ttl: 5 })
  cache.set('b', 2)
  const { journal } = cache.stats()
  t.false(cache.set('a', 3, { only: 'absent', ttl: 100 }))
  t.is(cache.stats().journal.sequence, journal.sequence)
  t.is(cache.ttl('a'), 5)
  t.deepEqual(cache.keys(), ['a', 'b'])
})

test('set replaces the old deadline, and removes it when there is no new one', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('a', 1, { ttl: 10 })
  cache.set('a', 2)
  t.is(cache.ttl('a'), Number.POSITIVE_INFINITY)
  cache.set('a', 3, { ttl: 10 })
  cache.set('a', 4, { ttl: 20 })
  clock.advance(15)
  t.is(cache.get('a'), 4)
  clock.advance(5)
  t.is(cache.get('a'), undefined)
})

test('the default ttl applies to entries set without one', async (t) => {
  const { cache, clock } = await openMemory(t, { ttl: '10s' })
  cache.set('default', 1)
  cache.set('own', 1, { ttl: 20 })
  cache.set('never', 1, { ttl: Number.POSITIVE_INFINITY })
  cache.set('undefined', 1, { ttl: undefined, expiresAt: undefined, only: undefined })
  cache.setMany([['many', 1]])
  cache.increment('counter')
  t.deepEqual(
    ['default', 'own', 'never', 'undefined', 'many', 'counter'].map((key) => cache.ttl(key)),
    [10, 20, Number.POSITIVE_INFINITY, 10, 10, 10],
  )
  clock.advance(10)
  t.deepEqual(cache.keys(), ['own', 'never'])
})

test('a ttl of 0 expires at once', async (t) => {
  const { cache, clock } = await openMemory(t)
  const seen: string[] = []
  cache.expirations$.subscribe(({ key }) => seen.push(key))
  t.true(cache.set('a', 1, { ttl: 0 }))
  t.is(cache.get('a'), undefined)
  cache.set('b', 1, { ttl: '0ms' })
  clock.advance(0)
  t.deepEqual(seen, ['a', 'b'])
  t.is(cache.size, 0)
})

test('expiresAt takes a Date or epoch milliseconds, which may have fractions', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('date', 1, { expiresAt: new Date(clock.now() + 1_000) })
  cache.set('number', 1, { expiresAt: clock.now() + 1_000.5 })
  cache.set('past', 1, { expiresAt: clock.now() - 1 })
  cache.set('never', 1, { expiresAt: Number.POSITIVE_INFINITY })
  t.deepEqual(cache.keys(), ['date', 'number', 'never'])
  clock.advance(1)
  t.deepEqual(cache.keys(), ['number', 'never'])
  clock.advance('0.5ms')
  t.deepEqual(cache.keys(), ['never'])
})

test('ttl returns the seconds that are left', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('a', 1, { ttl: 10 })
  cache.set('b', 1)
  clock.advance('2500ms')
  t.is(cache.ttl('a'), 7.5)
  t.is(cache.ttl('b'), Number.POSITIVE_INFINITY)
  t.is(cache.ttl('c'), undefined)
  clock.jump(7_500)
  t.is(cache.ttl('a'), undefined)
})

test('expire changes a deadline and keeps the value', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('a', 1)
  t.true(cache.expire('a', 5))
  t.is(cache.ttl('a'), 5)
  t.true(cache.expire('a', '1h'))
  clock.advance(5)
  t.is(cache.get('a'), 1)
  t.true(cache.expire('a', Number.POSITIVE_INFINITY))
  t.is(cache.ttl('a'), Number.POSITIVE_INFINITY)
  t.true(cache.expire('a', 0))
  t.is(cache.get('a'), undefined)
  t.false(cache.expire('a', 5))
})

test('an entry expires at the deadline that expire gave it', async (t) => {
  const { cache, clock } = await openMemory(t)
  const seen: number[] = []
  cache.expirations$.subscribe(({ seenAtMs }) => seen.push(seenAtMs - startMs))
  const startMs = clock.now()
  cache.set('a', 1, { ttl: 10 })
  cache.set('b', 1, { ttl: 10 })
  cache.expire('a', 5)
  cache.expire('b', 15)
  clock.advance(20)
  t.deepEqual(seen, [5_000, 15_000])
})

test('persist removes a deadline, and returns whether there was one', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('a', 1, { ttl: 10 })
  t.true(cache.persist('a'))
  t.false(cache.persist('a'))
  t.false(cache.persist('b'))
  clock.advance(10)
  t.is(cache.get('a'), 1)
})

test('delete returns whether there was a live entry', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('a', 1)
  cache.set('b', 1, { ttl: 1 })
  t.true(cache.delete('a'))
  t.false(cache.delete('a'))
  clock.jump(1_000)
  t.false(cache.delete('b'))
  t.like(cache.stats(), { deletes: 1, expirations: 1, size: 0 })
})

test('a deadline more than 2^31 ms away is kept', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('a', 1, { ttl: '50d' })
  clock.advance('49d')
  t.is(cache.get('a'), 1)
  clock.advance('1d')
  t.is(cache.get('a'), undefined)
})

test('size counts stored entries, including expired ones that are not removed yet', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('a', 1, { ttl: 1 })
  clock.jump(1_000)
  t.is(cache.size, 1)
  t.is(cache.stats().size, 1)
  cache.keys()
  t.is(cache.size, 0)
})

test('sets and deletes count events', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('a', 1)
  cache.set('a', 1, { only: 'absent' })
  cache.increment('n')
  cache.setMany([
    ['b', 1],
    ['c', 1],
  ])
  cache.deleteMany(['b', 'x'])
  cache.deletePattern('c')
  t.like(cache.stats(), { sets: 4, deletes: 2, evictions: 0, expirations: 0 })
})
