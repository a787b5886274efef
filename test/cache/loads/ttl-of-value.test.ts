/** `ttl` as a function of the loaded value. */
import test from 'ava'
import { connect } from '../../../src/edges/threads/threads.js'
import { type Cache, memoize } from '../../../src/index.js'
import { openMemory } from '../../helpers/open-memory.js'

const seconds = (value: number | null) => (value === null ? 1 : value)

test('the ttl is that of the loaded value', async (t) => {
  const { cache } = await openMemory<number | null>(t, { ttl: 100 })
  await cache.getOrSet('a', () => 5, { ttl: seconds })
  await cache.getOrSet('b', () => null, { ttl: seconds })
  await cache.getOrSet('c', () => 5, { ttl: () => '2m' })
  await cache.getOrSet('d', () => 5, { ttl: () => Number.POSITIVE_INFINITY })
  t.deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => cache.ttl(key)),
    [5, 1, 120, Number.POSITIVE_INFINITY],
  )
})

test('undefined means the default ttl, and 0 that the value is not stored', async (t) => {
  const { cache } = await openMemory(t, { ttl: 100 })
  const options = { ttl: (value: unknown) => (value === null ? 0 : undefined) }
  t.is(await cache.getOrSet('a', () => 1, options), 1)
  t.is(cache.ttl('a'), 100)
  t.is(await cache.getOrSet('b', () => null, options), null)
  t.deepEqual([cache.has('b'), cache.stats().sets], [false, 1])
})

test('jitter is drawn from the ttl of the value', async (t) => {
  const { cache } = await openMemory(t, { random: () => 1 })
  await cache.getOrSet('a', () => 10, { ttl: () => 10, jitter: 0.5 })
  t.is(cache.ttl('a'), 15)
})

test('the function gets the value that was loaded, before it is copied', async (t) => {
  const { cache } = await openMemory<object>(t)
  const mine = { n: 1 }
  await cache.getOrSet('a', () => mine, { ttl: (value) => (value === mine ? 7 : 8) })
  t.is(cache.ttl('a'), 7)
})

test('it is called neither for a hit nor for undefined', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('a', 1)
  t.is(await cache.getOrSet('a', () => 2, { ttl: () => t.fail() as never }), 1)
  t.is(await cache.getOrSet('b', () => undefined, { ttl: () => t.fail() as never }), undefined)
})

const throws = () => {
  throw new TypeError('mine')
}
for (const [what, ttl, name] of [
  ['throws', throws, 'TypeError'],
  ['returns a negative number', () => -1, 'RangeError'],
  ['returns a text without a unit', () => '5' as never, 'TypeError'],
] as const) {
  test(`a function that ${what} rejects the calls like a loader that fails, and nothing is stored`, async (t) => {
    const { cache } = await openMemory(t)
    const client = await connect(cache.share())
    for (const each of [cache, client])
      await t.throwsAsync(
        each.getOrSet('a', () => 1, { ttl }),
        { name },
      )
    t.is(cache.size, 0)
    await client.close()
  })
}

test('through a port, in a namespace, by message and with memoize', async (t) => {
  const { cache } = await openMemory<number>(t)
  const client = await connect<number>(cache.share())
  const ttl = (value: number) => value * 2
  await client.getOrSet('client', () => 5, { ttl })
  await client.namespace('n:').getOrSet('client', () => 6, { ttl })
  await client.getOrSet('client, not stored', () => 6, { ttl: () => 0 })
  await cache.namespace('n:').getOrSet('here', () => 7, { ttl })
  await memoize(cache, (n: number) => n, { key: () => 'memoized', ttl })(8)
  await memoize(client, async (n: number) => n, { key: () => 'memoized there', ttl })(9)
  await new Promise<void>((resolve) => {
    const replyTo = { send: () => resolve() }
    cache.actor.send({ type: 'getOrSet', key: 'message', loader: () => 10, ttl, replyTo } as never)
  })
  t.deepEqual(Object.fromEntries(cache.keys().map((key) => [key, cache.ttl(key)])), {
    client: 10,
    'n:client': 12,
    'n:here': 14,
    memoized: 16,
    'memoized there': 18,
    message: 20,
  })
  await client.close()
})

test('a wrong loader or ttl does not compile', async (t) => {
  const { cache } = await openMemory<number>(t)
  const numbers: Cache<number> = cache
  const calls = () => [
    // @ts-expect-error the cache holds numbers
    numbers.getOrSet('a', () => 'text'),
    // @ts-expect-error a loader gets a string
    numbers.getOrSet('a', (key: number) => key),
    // @ts-expect-error the function gets the loaded value
    numbers.getOrSet('a', () => 1, { ttl: (value: string) => value.length }),
    // @ts-expect-error it returns a duration
    numbers.getOrSet('a', () => 1, { ttl: () => true }),
    // @ts-expect-error it returns no promise
    numbers.getOrSet('a', () => 1, { ttl: async () => 1 }),
    // @ts-expect-error memoize: the function gets what the memoized one returns
    memoize(numbers, (n: number) => n, { key: String, ttl: (value: string) => value.length }),
    // @ts-expect-error memoize: it returns a duration
    memoize(numbers, (n: number) => n, { key: String, ttl: () => null }),
    numbers.getOrSet('a', () => 1, { ttl: (value) => value.toFixed().length }),
    memoize(numbers, async (n: number) => n, { key: String, ttl: (value) => value.toFixed().length }),
  ]
  t.is(typeof calls, 'function')
})
