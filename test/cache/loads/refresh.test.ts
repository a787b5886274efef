/** `refresh`: a hit late in the life of an entry starts one reload in the background. */
import test from 'ava'
import { isDue } from '../../../src/cache/loads/refresh.js'
import { connect } from '../../../src/edges/threads/threads.js'
import type { CacheError, Clock } from '../../../src/index.js'
import { loopTurn, until } from '../../helpers/loop-turn.js'
import { openMemory } from '../../helpers/open-memory.js'

/** A loader that counts its calls and gives the number of the call. */
function counter() {
  const staleValues: unknown[] = []
  const load = async (_: string, { staleValue }: { staleValue: unknown }) => staleValues.push(staleValue)
  return { staleValues, load }
}

test('a hit after the share of the ttl gives the old value and starts one reload, which gets it as staleValue', async (t) => {
  const { cache, clock } = await openMemory(t)
  const { staleValues, load } = counter()
  const call = () => cache.getOrSet('a', load, { ttl: 10, refresh: 0.8 })
  t.is(await call(), 1)
  clock.advance('7999ms')
  t.is(await call(), 1)
  await loopTurn()
  t.is(staleValues.length, 1)
  clock.advance('1ms')
  t.deepEqual(await Promise.all([call(), call()]), [1, 1])
  await loopTurn()
  t.deepEqual(staleValues, [undefined, 1])
  t.is(await call(), 2)
  t.is(cache.ttl('a'), 10)
})

test('it is the ttl of this call that counts: of the stored value, if it is a function', async (t) => {
  const { cache, clock } = await openMemory<number>(t, { ttl: 100 })
  cache.set('a', 20, { ttl: 10 })
  clock.advance(5)
  let loads = 0
  const load = () => {
    loads++
    return 20
  }
  const due = async (options: object) => {
    await cache.getOrSet('a', load, options)
    await loopTurn()
    cache.set('a', 20, { ttl: 5 })
    return [loads, (loads = 0)][0] as number
  }
  t.is(await due({ ttl: 10, refresh: 0.5 }), 1)
  t.is(await due({ ttl: 10, refresh: 0.51 }), 0)
  t.is(await due({ ttl: 5, refresh: 0.01 }), 0)
  t.is(await due({ refresh: 0.95 }), 1) // the default ttl
  t.is(await due({ ttl: (value: number) => value, refresh: 0.75 }), 1)
  t.is(await due({ ttl: (value: number) => value, refresh: 0.76 }), 0)
  t.is(await due({ ttl: () => undefined, refresh: 0.95 }), 1)
  t.is(await due({ ttl: Number.POSITIVE_INFINITY, refresh: 0.1 }), 0)
  t.is(await due({ ttl: 10 }), 0)
})

test('an entry without a deadline is never due', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('a', 1)
  t.is(await cache.getOrSet('a', () => t.fail(), { ttl: 10, refresh: 0 }), 1)
  await loopTurn()
  t.false(isDue(Number.POSITIVE_INFINITY, 10, 0.5))
  t.false(isDue(1, Number.POSITIVE_INFINITY, 0.5))
  for (let refresh = 0; refresh <= 1; refresh += 0.125) t.true(isDue(1_000 * (1 - refresh), 1_000, refresh))
})

test('a reload that fails is a warning, and the next hit starts another', async (t) => {
  const { cache, clock } = await openMemory(t)
  const warnings: unknown[] = []
  cache.lifecycle$.subscribe(({ warning }) => warning !== undefined && warnings.push(warning))
  cache.set('a', 1, { ttl: 10 })
  clock.advance(9)
  const mine = new Error('mine')
  const fails = () => Promise.reject(mine)
  for (const count of [1, 2]) {
    t.is(await cache.getOrSet('a', fails, { ttl: 10, refresh: 0.8 }), 1)
    await loopTurn()
    t.is(warnings.length, count)
  }
  t.is(warnings[0], mine)
})

test('hardTimeout ends a reload in the background; its timer does not keep the process alive', async (t) => {
  const { cache, clock } = await openMemory(t)
  const warnings: Error[] = []
  cache.lifecycle$.subscribe(({ warning }) => warning !== undefined && warnings.push(warning))
  cache.set('a', 1, { ttl: 100 })
  clock.advance(90)
  let signal: AbortSignal | undefined
  const hangs = (_: string, context: { signal: AbortSignal }) => {
    signal = context.signal
    return new Promise<number>(() => undefined)
  }
  const { setTimeout }: Clock = clock
  const kept: boolean[] = []
  clock.setTimeout = (callback, delayMs, keepsAlive = false) => {
    kept.push(keepsAlive)
    return setTimeout.call(clock, callback, delayMs, keepsAlive)
  }
  t.is(await cache.getOrSet('a', hangs, { ttl: 100, refresh: 0.5, hardTimeout: 1 }), 1)
  t.deepEqual(kept, [false])
  await loopTurn()
  clock.advance(1)
  t.true(signal?.aborted)
  t.is((warnings[0] as CacheError).code, 'LOAD_TIMEOUT')
})

test('a set during the reload overrules it', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('a', 'old', { ttl: 10 })
  clock.advance(9)
  let finish: (value: string) => void = () => undefined
  t.is(await cache.getOrSet('a', () => new Promise((resolve) => (finish = resolve)), { ttl: 10, refresh: 0.8 }), 'old')
  await loopTurn()
  cache.set('a', 'set')
  finish('reloaded')
  await loopTurn()
  t.is(cache.get('a'), 'set')
})

test('a loader may hit the entry that it reloads', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('a', 1, { ttl: 10 })
  clock.advance(9)
  const load = async () => ((await cache.getOrSet('a', load, { ttl: 10, refresh: 0.8 })) as number) + 1
  t.is(await load(), 2)
  await loopTurn()
  t.is(cache.get('a'), 2)
})

for (const ttl of [10, () => 10]) {
  test(`through a port with ${typeof ttl} ttl: one reload for the hits of two clients`, async (t) => {
    const { cache, clock } = await openMemory(t)
    const clients = await Promise.all([connect(cache.share()), connect(cache.share())])
    const { staleValues, load } = counter()
    cache.set('a', 'old', { ttl: 10 })
    clock.advance(5)
    for (const client of clients) t.is(await client.getOrSet('a', load, { ttl, refresh: 0.8 }), 'old')
    await loopTurn()
    t.deepEqual(staleValues, [])
    clock.advance(4)
    const calls = clients.map((client) => client.getOrSet('a', load, { ttl, refresh: 0.8 }))
    t.deepEqual(await Promise.all(calls), ['old', 'old'])
    await until(() => cache.peek('a') === 1, 'the reload')
    await Promise.all(clients.map((client) => client.getOrSet('a', load, { ttl, refresh: 0.8 })))
    t.deepEqual(staleValues, ['old'])
    t.is(cache.ttl('a'), 10)
    for (const client of clients) await client.close()
  })
}

test('what a client found to be due is not reloaded if it has changed since', async (t) => {
  const { cache, clock } = await openMemory(t)
  const client = await connect(cache.share())
  cache.set('a', 1, { ttl: 10 })
  clock.advance(9)
  const ttl = () => {
    cache.set('a', 'set meanwhile', { ttl: 10 })
    return 10
  }
  t.is(await client.getOrSet('a', () => t.fail(), { ttl, refresh: 0.8 }), 1)
  await client.flush()
  await loopTurn()
  t.is(cache.peek('a'), 'set meanwhile')
  await client.close()
})

for (const [refresh, name] of [
  ['0.8', 'TypeError'],
  [null, 'TypeError'],
  [-0.1, 'RangeError'],
  [1.1, 'RangeError'],
  [Number.NaN, 'RangeError'],
] as const) {
  test(`refresh: ${typeof refresh} ${refresh} is a ${name}, and nothing is loaded`, async (t) => {
    const { cache } = await openMemory(t)
    const client = await connect(cache.share())
    for (const each of [cache, client]) {
      await t.throwsAsync((async () => each.getOrSet('a', () => t.fail(), { refresh: refresh as number }))(), {
        name,
        message: /refresh/,
      })
    }
    await client.close()
  })
}
