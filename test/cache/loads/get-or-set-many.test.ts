/** `getOrSetMany`: one call of the loader for what is missing and what nobody loads yet. */
import test from 'ava'
import { connect } from '../../../src/edges/threads/threads.js'
import { type Cache, CacheClosedError, ValueError } from '../../../src/index.js'
import { loopTurn, until } from '../../helpers/loop-turn.js'
import { openMemory } from '../../helpers/open-memory.js'

interface Call {
  keys: string[]
  signal: AbortSignal
  staleValues: ReadonlyMap<string, unknown>
  resolve(pairs: Iterable<readonly [string, unknown]>): void
  reject(error: unknown): void
}

/** A loader whose calls are settled by the test. */
function slowLoader() {
  const calls: Call[] = []
  const load = (keys: string[], context: Pick<Call, 'signal' | 'staleValues'>) =>
    new Promise<Iterable<readonly [string, unknown]>>((resolve, reject) =>
      calls.push({ keys, ...context, resolve, reject }),
    )
  return { calls, load }
}

const doubled = (keys: string[]) => keys.map((key) => [key, key + key] as const)

test('what is missing is loaded with one call, stored and returned with the rest, in the order of the keys', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('b', 'was there')
  const asked: string[][] = []
  const values = await cache.getOrSetMany(
    ['c', 'b', 'a'],
    (keys) => {
      asked.push(keys)
      return doubled(keys).reverse()
    },
    { ttl: 10 },
  )
  t.deepEqual(
    [...values],
    [
      ['c', 'cc'],
      ['b', 'was there'],
      ['a', 'aa'],
    ],
  )
  t.deepEqual(asked, [['c', 'a']])
  t.deepEqual([cache.ttl('a'), cache.ttl('b')], [10, Number.POSITIVE_INFINITY])
  t.like(cache.stats(), { hits: 1, misses: 2, sets: 3 })
})

test('nothing is loaded if nothing is missing, or no keys are asked for', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('a', null)
  t.deepEqual(await cache.getOrSetMany(['a'], () => t.fail() as never), new Map([['a', null]]))
  t.deepEqual(await cache.getOrSetMany(new Set<string>(), () => t.fail() as never), new Map())
})

test('the result may be a Map or any iterable of pairs, now or later', async (t) => {
  const { cache } = await openMemory(t)
  const pairs = [['a', 1]] as const
  const results = [new Map(pairs), pairs, pairs.values(), Promise.resolve(new Map(pairs))]
  for (const result of results) {
    cache.clear()
    t.deepEqual(await cache.getOrSetMany(['a'], () => result as typeof pairs), new Map(pairs))
  }
})

test('a key that is left out is neither stored nor in the result; undefined leaves it out', async (t) => {
  const { cache } = await openMemory(t)
  const values = await cache.getOrSetMany(['a', 'b', 'c'], () => [
    ['b', 1],
    ['c', undefined],
  ])
  t.deepEqual([...values], [['b', 1]])
  t.deepEqual(cache.keys(), ['b'])
})

test('keys that were not asked for are ignored; of two values for a key the last counts', async (t) => {
  const { cache } = await openMemory(t)
  const values = await cache.getOrSetMany(['a'], () => [
    ['x', 0],
    ['a', 1],
    ['a', 2],
  ])
  t.deepEqual([...values], [['a', 2]])
  t.deepEqual(cache.keys(), ['a'])
})

test('a key that is asked for twice is loaded, counted and returned once', async (t) => {
  const { cache } = await openMemory(t)
  const values = await cache.getOrSetMany(['a', 'b', 'a'], (keys) => {
    t.deepEqual(keys, ['a', 'b'])
    return doubled(keys)
  })
  t.deepEqual([...values.keys()], ['a', 'b'])
  t.like(cache.stats(), { misses: 2 })
})

test('loads that are running are joined, in both directions', async (t) => {
  const { cache } = await openMemory(t)
  const { calls, load } = slowLoader()
  let finish: (value: unknown) => void = () => undefined
  const single = cache.getOrSet('a', () => new Promise((resolve) => (finish = resolve)))
  const many = cache.getOrSetMany(['a', 'b', 'c'], load)
  const other = cache.getOrSetMany(['c', 'd'], load)
  const joined = cache.getOrSet('b', () => t.fail())
  await loopTurn()
  t.deepEqual(
    calls.map(({ keys }) => keys),
    [['b', 'c'], ['d']],
  )
  calls[1]?.resolve([['d', 4]])
  calls[0]?.resolve([
    ['b', 2],
    ['c', 3],
  ])
  finish(1)
  t.is(await single, 1)
  t.is(await joined, 2)
  t.deepEqual(
    [...(await many)],
    [
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ],
  )
  t.deepEqual(
    [...(await other)],
    [
      ['c', 3],
      ['d', 4],
    ],
  )
})

test('a getOrSet of a key that the loader leaves out resolves with undefined', async (t) => {
  const { cache } = await openMemory(t)
  const many = cache.getOrSetMany(['a'], () => [])
  t.is(await cache.getOrSet('a', () => t.fail()), undefined)
  t.deepEqual([...(await many)], [])
})

test('if the loader fails, every call that waits for one of its keys rejects, and the keys are free', async (t) => {
  const { cache } = await openMemory(t)
  const { calls, load } = slowLoader()
  const loads = [
    cache.getOrSetMany(['a', 'b'], load),
    cache.getOrSet('b', () => t.fail()),
    cache.getOrSetMany(['b'], load),
  ]
  await loopTurn()
  const mine = new Error('mine')
  calls[0]?.reject(mine)
  for (const result of await Promise.allSettled(loads)) t.is((result as PromiseRejectedResult).reason, mine)
  t.deepEqual(await cache.getOrSetMany(['a', 'b'], doubled), new Map(doubled(['a', 'b'])))
})

test('what is no iterable of pairs is a TypeError, and nothing is stored', async (t) => {
  const { cache } = await openMemory(t)
  for (const wrong of [undefined, 5, 'ab', { a: 1 }, [5], ['ab'], [[5, 1]]]) {
    await t.throwsAsync(
      cache.getOrSetMany(['a'], () => wrong as never),
      { instanceOf: TypeError },
    )
  }
  t.is(cache.size, 0)
})

test('a change overrules the load of its key, and only that', async (t) => {
  const { cache } = await openMemory(t)
  const { calls, load } = slowLoader()
  const many = cache.getOrSetMany(['a', 'b', 'c'], load)
  await loopTurn()
  cache.set('a', 'set')
  cache.delete('b')
  const late = cache.getOrSetMany(['a', 'b', 'c'], load)
  await loopTurn()
  t.deepEqual(
    calls.map(({ keys }) => keys),
    [['a', 'b', 'c'], ['b']],
  )
  calls[0]?.resolve([
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ])
  t.deepEqual(
    [...(await many)],
    [
      ['a', 'set'],
      ['b', 2],
      ['c', 3],
    ],
  )
  t.deepEqual(cache.keys().sort(), ['a', 'c'])
  calls[1]?.resolve([['b', 'fresh']])
  t.deepEqual(
    [...(await late)],
    [
      ['a', 'set'],
      ['b', 'fresh'],
      ['c', 3],
    ],
  )
})

test('a value that cannot be stored is given, and the others are stored', async (t) => {
  const { cache } = await openMemory(t, { maxBytes: 100 })
  const warnings: Error[] = []
  cache.lifecycle$.subscribe(({ warning }) => warning !== undefined && warnings.push(warning))
  const method = () => 1
  const large = 'x'.repeat(200)
  const values = await cache.getOrSetMany(['a', 'b', 'c'], () => [
    ['a', method],
    ['b', large],
    ['c', 1],
  ])
  t.deepEqual(
    [...values],
    [
      ['a', method],
      ['b', large],
      ['c', 1],
    ],
  )
  t.deepEqual(cache.keys(), ['c'])
  t.deepEqual(
    warnings.map((warning) => warning.constructor),
    [ValueError, RangeError],
  )
})

test('timeout ends the wait for all keys, and the load continues', async (t) => {
  const { cache, clock } = await openMemory(t)
  const { calls, load } = slowLoader()
  const many = cache.getOrSetMany(['a', 'b'], load, { timeout: 1 })
  await loopTurn()
  const { armed } = clock
  clock.advance(1)
  await t.throwsAsync(many, { code: 'LOAD_TIMEOUT' })
  t.is(clock.armed, armed - 1)
  t.false(calls[0]?.signal.aborted)
  calls[0]?.resolve(doubled(['a', 'b']))
  await loopTurn()
  t.deepEqual(cache.getMany(['a', 'b']), ['aa', 'bb'])
})

test('the signal is aborted when no key is wanted any more: hardTimeout ends the load of every key', async (t) => {
  const { cache, clock } = await openMemory(t)
  const { calls, load } = slowLoader()
  const many = cache.getOrSetMany(['a', 'b'], load, { hardTimeout: 10 })
  const short = cache.getOrSet('a', () => t.fail(), { hardTimeout: 5 })
  await loopTurn()
  clock.advance(5)
  await t.throwsAsync(short, { code: 'LOAD_TIMEOUT' })
  await t.throwsAsync(many, { code: 'LOAD_TIMEOUT' })
  t.false(calls[0]?.signal.aborted) // b is still wanted
  clock.advance(5)
  t.true(calls[0]?.signal.aborted)
  calls[0]?.resolve(doubled(['a', 'b']))
  await loopTurn()
  t.is(cache.size, 0)
  t.is(await cache.getOrSet('a', () => 'again'), 'again')
})

test('close rejects, and aborts the signal', async (t) => {
  const { cache } = await openMemory(t)
  const { calls, load } = slowLoader()
  const many = cache.getOrSetMany(['a', 'b'], load)
  await loopTurn()
  const closed = cache.close()
  await t.throwsAsync(many, { instanceOf: CacheClosedError })
  await closed
  t.true(calls[0]?.signal.aborted)
})

test('a loader that would wait for one of its own keys is refused, directly and through others', async (t) => {
  const { cache } = await openMemory(t)
  const code = 'LOAD_CYCLE'
  await t.throwsAsync(
    cache.getOrSetMany(['a', 'b'], async () => [['a', await cache.getOrSet('b', () => 1)]]),
    { code },
  )
  await t.throwsAsync(
    cache.getOrSetMany(['a', 'b'], async () => [['a', await cache.getOrSet('x', () => cache.getOrSet('b', () => 1))]]),
    { code },
  )
  await t.throwsAsync(
    cache.getOrSet('x', () => cache.getOrSetMany(['a', 'b'], async () => [['a', await cache.getOrSet('x', () => 1)]])),
    { code },
  )
  t.is(cache.size, 0)
  t.deepEqual(
    await cache.getOrSetMany(['a', 'b'], async () => [['a', await cache.getOrSet('c', () => 1)]]),
    new Map([['a', 1]]),
  )
})

test('refresh: what is due is reloaded by the same call, and nobody waits for it', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.setMany(
    [
      ['a', 1],
      ['b', 2],
    ],
    { ttl: 10 },
  )
  cache.set('c', 3, { ttl: 20 })
  clock.advance(9)
  const { calls, load } = slowLoader()
  const options = { ttl: 10, refresh: 0.8 }
  t.deepEqual(
    [...(await cache.getOrSetMany(['a', 'c'], load, options))],
    [
      ['a', 1],
      ['c', 3],
    ],
  )
  const many = cache.getOrSetMany(['a', 'b', 'c', 'd'], load, options)
  await loopTurn()
  t.deepEqual(
    calls.map(({ keys, staleValues }) => [keys, [...staleValues]]),
    [
      [['a'], [['a', 1]]],
      [['d', 'b'], [['b', 2]]],
    ],
  )
  calls[1]?.resolve([
    ['b', 20],
    ['d', 40],
  ])
  t.deepEqual(
    [...(await many)],
    [
      ['a', 1],
      ['b', 2],
      ['c', 3],
      ['d', 40],
    ],
  )
  t.is(cache.peek('b'), 20)
})

test('ttl may be a function, and jitter is drawn for each entry', async (t) => {
  let draws = 0
  const { cache } = await openMemory<number>(t, { random: () => (draws++ === 0 ? 0 : 1) })
  await cache.getOrSetMany(
    ['a', 'b', 'c'],
    () => [
      ['a', 10],
      ['b', 10],
      ['c', 0],
    ],
    { ttl: (value) => value, jitter: 0.5 },
  )
  t.deepEqual(
    ['a', 'b', 'c'].map((key) => cache.ttl(key)),
    [5, 15, undefined],
  )
})

const MISTAKES: Record<string, unknown[]> = {
  keys: ['a', doubled],
  'A key': [[5], doubled],
  loadMissing: [['a'], 5],
  options: [['a'], doubled, null],
  ttll: [['a'], doubled, { ttll: 1 }],
}
for (const [named, parameters] of Object.entries(MISTAKES)) {
  test(`a wrong argument is a TypeError that names ${named}, here and through a port`, async (t) => {
    const { cache } = await openMemory(t)
    const client = await connect(cache.share())
    for (const each of [cache, client] as { getOrSetMany(...parameters: unknown[]): Promise<unknown> }[])
      await t.throwsAsync(each.getOrSetMany(...parameters), { instanceOf: TypeError, message: new RegExp(named) })
    t.like(cache.stats(), { misses: 0 })
    await client.close()
  })
}

test('a namespace gives its loader the short keys, and returns them', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('n:a', 'was there', { ttl: 10 })
  clock.advance(9)
  const client = await connect(cache.share())
  const staleValues: unknown[] = []
  for (const view of [cache.namespace('n:'), client.namespace('n:')]) {
    cache.deleteMany(['n:b', 'b'])
    const load = async (keys: string[], context: { staleValues: ReadonlyMap<string, unknown> }) => {
      staleValues.push([...context.staleValues])
      return new Map(keys.map((key) => [key, `loaded ${key}`]))
    }
    const values = await view.getOrSetMany(['b', 'a'], load, { ttl: 10, refresh: 0.8 })
    t.deepEqual([...values.keys()], ['b', 'a'])
    t.is(values.get('b'), 'loaded b')
    t.is(cache.peek('n:b'), 'loaded b')
  }
  t.deepEqual(staleValues, [[['a', 'was there']], []])
  t.false(cache.has('b'))
  await client.close()
})

test('through a port: joined with the loads of the owner and of other clients; errors and aborts arrive', async (t) => {
  const { cache, clock } = await openMemory(t)
  const [one, other] = await Promise.all([connect(cache.share()), connect(cache.share())])
  const { calls, load } = slowLoader()
  const here = cache.getOrSetMany(['a', 'b'], load)
  const there = one.getOrSetMany(['b', 'c'], load)
  await until(() => calls.length === 2, 'two loads')
  const last = other.getOrSetMany(['a', 'b', 'c', 'd'], load)
  await until(() => calls.length === 3, 'three loads')
  t.deepEqual(
    calls.map(({ keys }) => keys),
    [['a', 'b'], ['c'], ['d']],
  )
  for (const { keys, resolve } of calls) resolve(doubled(keys))
  t.deepEqual([...(await here)], doubled(['a', 'b']) as never)
  t.deepEqual([...(await there)], doubled(['b', 'c']) as never)
  t.deepEqual([...(await last)], doubled(['a', 'b', 'c', 'd']) as never)
  await t.throwsAsync(
    one.getOrSetMany(['e'], () => Promise.reject(new RangeError('mine'))),
    { instanceOf: RangeError, message: 'mine' },
  )
  const hangs = one.getOrSetMany(['f', 'g'], load, { hardTimeout: 1 })
  await until(() => calls.length === 4, 'four loads')
  clock.advance(1)
  await t.throwsAsync(hangs, { code: 'LOAD_TIMEOUT' })
  await until(() => calls[3]?.signal.aborted === true, 'the abort')
  await t.throwsAsync(
    one.getOrSetMany(['h'], () => one.getOrSet('h', () => 1) as never),
    { code: 'LOAD_CYCLE' },
  )
  await one.close()
  await other.close()
})

test('by message the reply is the Map', async (t) => {
  const { cache } = await openMemory(t)
  const reply = await new Promise<{ value: unknown }>((resolve) => {
    const replyTo = { send: resolve }
    cache.actor.send({ type: 'getOrSetMany', keys: ['a'], loadMissing: doubled, replyTo } as never)
  })
  t.deepEqual(reply.value, new Map(doubled(['a'])))
})

test('it is refused inside transact()', async (t) => {
  const { cache } = await openMemory(t)
  t.throws(() => cache.transact(() => cache.getOrSetMany(['a'], doubled)), { code: 'INSIDE_TRANSACTION' })
})

test('a wrong loader does not compile', async (t) => {
  const { cache } = await openMemory<number>(t)
  const numbers: Cache<number> = cache
  const calls = () => [
    // @ts-expect-error the cache holds numbers
    numbers.getOrSetMany(['a'], (keys) => keys.map((key) => [key, key])),
    // @ts-expect-error it gives pairs
    numbers.getOrSetMany(['a'], () => [1]),
    // @ts-expect-error it gets the keys
    numbers.getOrSetMany(['a'], (key: string) => [[key, 1]]),
    // @ts-expect-error staleValues are numbers
    numbers.getOrSetMany(['a'], (_keys, { staleValues }) => staleValues.get('a')?.trim()),
    numbers.getOrSetMany(['a'], async (keys) => new Map(keys.map((key) => [key, 1]))),
    numbers.getOrSetMany(['a'], (_keys, { staleValues }) => [['a', (staleValues.get('a') ?? 0) + 1]]),
  ]
  t.is(typeof calls, 'function')
})
