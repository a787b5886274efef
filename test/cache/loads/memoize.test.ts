import test from 'ava'
import { connect } from '../../../src/edges/threads/threads.js'
import { type Cache, memoize } from '../../../src/index.js'
import { openMemory } from '../../helpers/open-memory.js'

const key = (a: number, b: number) => `${a}+${b}`

test('a memoized function runs once for equal keys, until delete() or its ttl', async (t) => {
  const { cache, clock } = await openMemory(t)
  let calls = 0
  const add = memoize(
    cache,
    async (a: number, b: number) => {
      calls++
      return a + b
    },
    { key, ttl: 10 },
  )
  t.deepEqual(await Promise.all([add(1, 2), add(1, 2)]), [3, 3])
  t.is(calls, 1)
  t.is(cache.peek('1+2'), 3)
  t.true(await add.delete(1, 2))
  t.false(await add.delete(1, 2))
  t.is(await add(1, 2), 3)
  t.is(calls, 2)
  clock.advance(10_000)
  await add(1, 2)
  t.is(calls, 3)
})

test('a function is memoized in a namespace, and through a port', async (t) => {
  const { cache } = await openMemory(t)
  const client = await connect(cache.share())
  const sum = (a: number, b: number) => a + b
  t.is(await memoize(cache.namespace('n:'), sum, { key })(1, 2), 3)
  const remote = memoize(client, sum, { key })
  t.is(await remote(2, 2), 4)
  t.deepEqual([cache.peek('n:1+2'), cache.peek('2+2')], [3, 4])
  t.true(await remote.delete(2, 2))
  await client.close()
})

test('an error of the function, or of key(), rejects and nothing is stored', async (t) => {
  const { cache } = await openMemory(t)
  const fails = () => {
    throw new Error('mine')
  }
  await t.throwsAsync(memoize(cache, fails, { key: () => 'a' })(), { message: 'mine' })
  await t.throwsAsync(memoize(cache, () => 1, { key: fails })(), { message: 'mine' })
  await t.throwsAsync(memoize(cache, () => t.fail(), { key: () => 5 as never })(), {
    name: 'TypeError',
    message: /key/,
  })
  t.is(cache.size, 0)
})

test('memoize refuses what is no function and options that do not exist', async (t) => {
  const { cache } = await openMemory(t)
  t.throws(() => memoize(cache, 5 as never, { key }), { name: 'TypeError', message: /fn/ })
  t.throws(() => memoize(cache, () => 1, {} as never), { name: 'TypeError', message: /key/ })
  t.throws(() => memoize(cache, () => 1, { key: () => 'a', tll: 1 } as never), { name: 'TypeError', message: /ttl/ })
})

test('a wrong function or key does not compile', async (t) => {
  const { cache } = await openMemory<number>(t)
  const numbers: Cache<number> = cache
  const add: (a: number, b: number) => Promise<number> = memoize(numbers, (a: number, b: number) => a + b, { key })
  // @ts-expect-error the cache holds numbers
  memoize(numbers, (_a: number, _b: number) => 'text', { key })
  // @ts-expect-error a key is a string
  memoize(numbers, (a: number) => a, { key: (a: number) => a })
  // @ts-expect-error key() gets the arguments of the function
  memoize(numbers, (a: number) => a, { key: (a: string) => a })
  // @ts-expect-error the arguments are those of the function
  const wrong = () => add('1', 2)
  t.is(typeof wrong, 'function')
})
