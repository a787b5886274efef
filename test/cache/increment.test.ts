import test from 'ava'
import { type Cache, ValueError } from '../../src/index.js'
import { everything } from '../helpers/everything.js'
import { openMemory } from '../helpers/open-memory.js'

test('increment and decrement return the sum', async (t) => {
  const { cache } = await openMemory(t)
  t.is(cache.increment('n'), 1)
  t.is(cache.increment('n', 10), 11)
  t.is(cache.decrement('n', 4), 7)
  t.is(cache.increment('n', -7), 0)
  t.is(cache.increment('n', 0.5), 0.5)
  t.is(cache.peek('n'), 0.5)
})

test('increment makes the entry the most recently used', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('n', 1)
  cache.set('b', 1)
  cache.increment('n')
  t.deepEqual(cache.keys(), ['b', 'n'])
})

test('a ttl applies only to an entry that increment creates', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.increment('n', 1, { ttl: 10 })
  clock.advance(4)
  cache.increment('n', 1, { ttl: 100 })
  t.is(cache.ttl('n'), 6)
  cache.set('m', 1)
  cache.decrement('m', 1, { ttl: 10 })
  t.is(cache.ttl('m'), Number.POSITIVE_INFINITY)
  clock.advance(6)
  t.is(cache.increment('n', 1, { ttl: 3 }), 1)
  t.is(cache.ttl('n'), 3)
})

test('the default ttl applies only to an entry that increment creates', async (t) => {
  const { cache, clock } = await openMemory(t, { ttl: 10 })
  cache.increment('n')
  clock.advance(4)
  cache.increment('n')
  t.is(cache.ttl('n'), 6)
  cache.persist('n')
  cache.increment('n')
  t.is(cache.ttl('n'), Number.POSITIVE_INFINITY)
})

test('increment of an expired entry starts at the amount', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('n', 'text', { ttl: 1 })
  clock.jump(1_000)
  t.is(cache.increment('n', 3), 3)
  t.like(cache.stats(), { expirations: 1 })
})

/** Asserts that a call throws the expected error and changes nothing. */
async function refused(
  t: import('ava').ExecutionContext,
  value: unknown,
  call: (cache: Cache) => unknown,
  expected: { instanceOf: typeof ValueError } | { name: string },
): Promise<void> {
  const { cache } = await openMemory(t)
  cache.set('n', value, { ttl: 10 })
  cache.set('m', 1)
  const before = everything(cache)
  const error = t.throws(() => call(cache), expected as never) as Error
  t.regex(error.message, /Nothing was changed/)
  t.deepEqual(everything(cache), before)
}

for (const [what, value] of [
  ['the text 5', '5'],
  ['null', null],
  ['an object', { count: 1 }],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['a bigint', 5n],
  ['true', true],
  ['a Date', new Date(0)],
  ['an array', [1]],
] as const) {
  test(`increment of ${what} is a ValueError and changes nothing`, (t) =>
    refused(t, value, (cache) => cache.increment('n'), { instanceOf: ValueError }))
}

for (const by of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
  test(`increment by ${by} is a RangeError and changes nothing`, (t) =>
    refused(t, 1, (cache) => cache.increment('n', by), { name: 'RangeError' }))

  test(`decrement by ${by} is a RangeError and changes nothing`, (t) =>
    refused(t, 1, (cache) => cache.decrement('n', by), { name: 'RangeError' }))
}

for (const by of ['1', null, 1n, {}, true]) {
  test(`increment by ${typeof by} ${by} is a TypeError and changes nothing`, (t) =>
    refused(t, 1, (cache) => cache.increment('n', by as never), { name: 'TypeError' }))
}

test('an integer sum beyond 2^53 − 1 is a RangeError and changes nothing', async (t) => {
  await refused(t, Number.MAX_SAFE_INTEGER, (cache) => cache.increment('n'), { name: 'RangeError' })
  await refused(t, Number.MIN_SAFE_INTEGER, (cache) => cache.decrement('n'), { name: 'RangeError' })
  await refused(t, 1, (cache) => cache.increment('new', 2 ** 53), { name: 'RangeError' })
  await refused(t, 1.7e308, (cache) => cache.increment('n', 1.7e308), { name: 'RangeError' })
})

test('an increment that is refused does not expire an overdue entry', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('n', 1, { ttl: 1 })
  clock.jump(1_000)
  t.throws(() => cache.increment('n', 2 ** 53), { name: 'RangeError' })
  t.like(cache.stats(), { size: 1, expirations: 0 })
})

test('the message of a refusal is short even for a key of a million characters', async (t) => {
  const { cache } = await openMemory(t)
  const key = 'k'.repeat(1_000_000)
  cache.set(key, 'text')
  const error = t.throws(() => cache.increment(key), { instanceOf: ValueError })
  t.true(error.message.length < 1_000)
})
