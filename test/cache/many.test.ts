import test from 'ava'
import { ValueError } from '../../src/index.js'
import { BreakableJournal } from '../helpers/breakable-journal.js'
import { everything } from '../helpers/everything.js'
import { openMemory } from '../helpers/open-memory.js'

test('getMany returns values in the order of the keys, and counts each as a get', async (t) => {
  const { cache } = await openMemory(t)
  cache.setMany([
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ])
  t.deepEqual(cache.getMany(['b', 'x', 'a', 'b']), [2, undefined, 1, 2])
  t.deepEqual(cache.keys(), ['c', 'a', 'b'])
  t.like(cache.stats(), { hits: 3, misses: 1 })
})

test('keys and entries may come from any iterable', async (t) => {
  const { cache } = await openMemory(t)
  t.is(cache.setMany(new Map([['a', 1]])), 1)
  t.is(
    cache.setMany(
      (function* () {
        yield ['b', 2] as const
      })(),
    ),
    1,
  )
  t.deepEqual(cache.getMany(new Set(['a', 'b'])), [1, 2])
  t.is(cache.deleteMany(new Set(['a', 'b'])), 2)
})

test('setMany stores all with one deadline, and returns how many it stored', async (t) => {
  const { cache, clock } = await openMemory(t)
  t.is(
    cache.setMany(
      [
        ['a', 1],
        ['b', 2],
      ],
      { ttl: 5 },
    ),
    2,
  )
  cache.set('c', 0)
  t.is(
    cache.setMany(
      [
        ['c', 3],
        ['d', 4],
      ],
      { only: 'absent' },
    ),
    1,
  )
  t.deepEqual(cache.getMany(['a', 'b', 'c', 'd']), [1, 2, 0, 4])
  clock.advance(5)
  t.deepEqual(cache.keys(), ['c', 'd'])
})

test('setMany of more entries than fit keeps the last ones', async (t) => {
  const { cache } = await openMemory(t, { maxSize: 3 })
  t.is(cache.setMany(Array.from({ length: 10 }, (_, index) => [`k${index}`, index])), 10)
  t.deepEqual(cache.keys(), ['k7', 'k8', 'k9'])
  t.is(cache.stats().evictions, 7)
})

test('a key that occurs twice in setMany is set twice', async (t) => {
  const { cache } = await openMemory(t)
  t.is(
    cache.setMany([
      ['a', 1],
      ['a', 2],
    ]),
    2,
  )
  t.is(cache.peek('a'), 2)
})

for (const method of ['setMany', 'deleteMany', 'deletePattern', 'deletePrefix', 'transact'] as const) {
  test(`${method} is one append`, async (t) => {
    const journal = new BreakableJournal()
    const { cache } = await openMemory(t, { journal })
    for (let index = 0; index < 5; index++) cache.set(`k${index}`, index)
    for (let index = 0; index < 3; index++) cache.set(`p:${index}`, index)
    journal.appended.length = 0
    const calls = {
      setMany: () => cache.setMany([1, 2, 3].map((n) => [`n${n}`, n])),
      deleteMany: () => cache.deleteMany(['k0', 'k1', 'k2']),
      deletePattern: () => cache.deletePattern('k[0-2]'),
      deletePrefix: () => cache.deletePrefix('p:'),
      transact: () => cache.transact(() => [0, 1, 2].map((n) => cache.increment(`k${n}`)).length),
    }
    t.is(calls[method](), 3)
    t.is(journal.appended.length, 1)
    t.is(journal.appended[0]?.length, 3)
  })

  test(`${method} is undone completely when the append throws`, async (t) => {
    const journal = new BreakableJournal()
    const { cache } = await openMemory(t, { journal, maxSize: 8 })
    for (let index = 0; index < 5; index++) cache.set(`k${index}`, index, { ttl: index + 1 })
    for (let index = 0; index < 3; index++) cache.set(`p:${index}`, index)
    cache.get('k0')
    const before = everything(cache)
    const changes: unknown[] = []
    cache.changes$.subscribe((change) => changes.push(change))
    const calls = {
      setMany: () => cache.setMany([1, 2, 3].map((n) => [`n${n}`, n])),
      deleteMany: () => cache.deleteMany(['k0', 'k1', 'k2']),
      deletePattern: () => cache.deletePattern('k[0-2]'),
      deletePrefix: () => cache.deletePrefix('p:'),
      transact: () => cache.transact(() => [0, 1, 2].map((n) => cache.increment(`k${n}`)).length),
    }
    journal.onAppend = () => {
      throw new RangeError('too large')
    }
    t.throws(calls[method], { message: 'too large' })
    journal.onAppend = undefined
    t.deepEqual(everything(cache), before)
    t.deepEqual(changes, [])
    t.is(calls[method](), 3)
  })
}

test('setMany with one bad entry stores nothing', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('a', 1)
  const before = everything(cache)
  const bad = [
    [
      ['b', 2],
      ['c', undefined],
    ],
    [
      ['b', 2],
      [3, 4],
    ],
    [['b', 2], 'xy'],
    [['b', 2], undefined],
    [['b', 2], null],
  ]
  for (const entries of bad) {
    t.throws(() => cache.setMany(entries as never), { any: true } as never, JSON.stringify(entries))
    t.deepEqual(everything(cache), before)
  }
  t.throws(() => cache.setMany([['b', { deep: [() => 1] }]]), { instanceOf: ValueError })
  t.deepEqual(everything(cache), before)
})

test('getMany and deleteMany with one bad key do nothing', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('a', 1)
  const before = everything(cache)
  for (const keys of [['a', 1], ['a', null], 'a', 5, null, undefined, {}]) {
    t.throws(() => cache.getMany(keys as never), { instanceOf: TypeError })
    t.throws(() => cache.deleteMany(keys as never), { instanceOf: TypeError })
  }
  t.deepEqual(everything(cache), before)
})

test('an error thrown by the iterable is thrown by setMany, which changes nothing', async (t) => {
  const { cache } = await openMemory(t)
  const before = everything(cache)
  function* failing(): Generator<[string, unknown]> {
    yield ['a', 1]
    throw new Error('mine')
  }
  t.throws(() => cache.setMany(failing()), { message: 'mine' })
  t.deepEqual(everything(cache), before)
})

test('keys lists live entries, the least recently used first', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('a', 1)
  cache.set('b', 1, { ttl: 1 })
  cache.set('c', 1)
  cache.get('a')
  clock.jump(1_000)
  t.deepEqual(cache.keys(), ['c', 'a'])
  t.deepEqual(cache.keys(undefined), ['c', 'a'])
  t.like(cache.stats(), { expirations: 1, hits: 1 })
})

test('entries iterates over the keys of the first next, whatever changes meanwhile', async (t) => {
  const { cache } = await openMemory(t)
  for (const key of ['a', 'b', 'c']) cache.set(key, 1)
  const entries = cache.entries()
  cache.set('d', 1)
  t.deepEqual(entries.next().value, ['a', 1])
  cache.set('b', 2)
  cache.delete('c')
  cache.set('e', 1)
  cache.clear()
  t.deepEqual(
    [...entries],
    [
      ['b', 1],
      ['c', 1],
      ['d', 1],
    ],
  )
})

test('entries takes a pattern, and changes neither counters nor the order of use', async (t) => {
  const { cache } = await openMemory(t)
  for (const key of ['a1', 'b1', 'a2']) cache.set(key, key)
  t.deepEqual(
    [...cache.entries('a*')],
    [
      ['a1', 'a1'],
      ['a2', 'a2'],
    ],
  )
  t.deepEqual([...cache.entries('')], [])
  t.like(cache.stats(), { hits: 0, misses: 0 })
  t.deepEqual(cache.keys(), ['a1', 'b1', 'a2'])
})

test('entries yields copies', async (t) => {
  const { cache } = await openMemory<{ n: number }>(t)
  cache.set('a', { n: 1 })
  for (const [, value] of cache.entries()) value.n = 2
  t.deepEqual(cache.get('a'), { n: 1 })
})

test('a pattern that is not a string is a TypeError', async (t) => {
  const { cache } = await openMemory(t)
  for (const pattern of [5, null, /a/, {}]) {
    t.throws(() => cache.keys(pattern as never), { instanceOf: TypeError })
    t.throws(() => cache.entries(pattern as never), { instanceOf: TypeError })
    t.throws(() => cache.deletePattern(pattern as never), { instanceOf: TypeError })
    t.throws(() => cache.watch(pattern as never), { instanceOf: TypeError })
  }
  t.throws(() => cache.deletePattern(undefined as never), { instanceOf: TypeError })
})
