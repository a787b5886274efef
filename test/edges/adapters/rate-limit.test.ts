/** The contracts of express-rate-limit and rate-limiter-flexible. With the frameworks: test/ecosystem/rate-limit.test.mjs. */
import test from 'ava'
import { flexibleLimiter, rateLimitStore } from '../../../src/edges/adapters/rate-limit.js'
import { ValueError } from '../../../src/index.js'
import { BACKINGS } from '../../helpers/edges/backings.js'
import { openMemory, reopen } from '../../helpers/open-memory.js'

const MINUTE = { windowMs: 60_000 }

class Result {
  constructor(
    readonly remainingPoints: number,
    readonly msBeforeNext: number,
    readonly consumedPoints: number,
    readonly isFirstInDuration: boolean,
  ) {}
}

/** What rate-limiter-flexible gives the subclasses of its abstract store, as far as it is used. */
class AbstractStore {
  readonly points: number
  constructor(options: { points: number }) {
    this.points = options.points
  }
  _upsert(): void {
    throw new Error('not implemented')
  }
}

interface Consumed {
  points: number
  msBeforeNext: number
}

interface Limiter {
  readonly points: number
  _upsert(key: string, points: number, msDuration: number, isForced?: boolean): Promise<Consumed>
  _get(key: string): Promise<Consumed | null>
  _delete(key: string): Promise<boolean>
  _getRateLimiterRes(key: string, changed: number, result: Consumed): Result
}

const FLEXIBLE = {
  RateLimiterMemcache: class extends AbstractStore {} as unknown as new (options: never) => Limiter,
  RateLimiterRes: Result,
}

for (const { kind, open } of BACKINGS) {
  test(`express-rate-limit on ${kind}: the first hit sets the time of the reset, and later hits keep it`, async (t) => {
    const { clock, backing } = await open(t)
    const store = rateLimitStore({ cache: backing })
    store.init(MINUTE)
    const resetTime = new Date(clock.now() + 60_000)
    t.deepEqual(await store.increment('ip'), { totalHits: 1, resetTime })
    clock.advance(59)
    t.deepEqual(await store.increment('ip'), { totalHits: 2, resetTime })
    t.deepEqual(await store.get('ip'), { totalHits: 2, resetTime })
    clock.advance(1)
    t.is(await store.get('ip'), undefined)
    t.deepEqual(await store.increment('ip'), { totalHits: 1, resetTime: new Date(clock.now() + 60_000) })
  })

  test(`express-rate-limit on ${kind}: decrement takes hits back, keeps the time of the reset and stops at 0`, async (t) => {
    const { clock, backing } = await open(t)
    const store = rateLimitStore({ cache: backing })
    store.init(MINUTE)
    const { resetTime } = await store.increment('ip')
    clock.advance(10)
    await store.increment('ip')
    for (const totalHits of [1, 0, 0]) {
      await store.decrement('ip')
      t.deepEqual(await store.get('ip'), { totalHits, resetTime })
    }
    await store.decrement('nobody')
    t.is(await store.get('nobody'), undefined)
  })

  test(`express-rate-limit on ${kind}: a key is reset, or all keys with the prefix`, async (t) => {
    const { cache, backing } = await open(t)
    const store = rateLimitStore({ cache: backing, prefix: 'login:' })
    const other = rateLimitStore({ cache: backing })
    for (const key of ['a', 'b', 'c']) await store.increment(key)
    await other.increment('a')
    await store.resetKey('a')
    t.is(await store.get('a'), undefined)
    t.is((await store.get('b'))?.totalHits, 1)
    await store.resetAll()
    t.is(await store.get('b'), undefined)
    t.is((await other.get('a'))?.totalHits, 1)
    t.is(cache.size, 1)
  })

  test(`express-rate-limit on ${kind}: concurrent hits are all counted`, async (t) => {
    const { backing } = await open(t)
    const stores = [rateLimitStore({ cache: backing }), rateLimitStore({ cache: backing })]
    const calls = Array.from({ length: 100 }, (_, index) => stores[index % 2]?.increment('ip'))
    const counts = (await Promise.all(calls)).map((hits) => hits?.totalHits)
    t.is(new Set(counts).size, 100)
    await Promise.all(Array.from({ length: 60 }, (_, index) => stores[index % 2]?.decrement('ip')))
    t.is((await stores[0]?.get('ip'))?.totalHits, 40)
  })

  test(`rate-limiter-flexible on ${kind}: points add up until the deadline of the first`, async (t) => {
    const { clock, backing } = await open(t)
    const limiter = flexibleLimiter(FLEXIBLE, { cache: backing, points: 5, duration: 1 })
    t.deepEqual(await limiter._upsert('k', 2, 1_000), { points: 2, msBeforeNext: 1_000 })
    clock.advance('400ms')
    t.deepEqual(await limiter._upsert('k', 3, 1_000), { points: 5, msBeforeNext: 600 })
    t.deepEqual(await limiter._get('k'), { points: 5, msBeforeNext: 600 })
    clock.advance('600ms')
    t.is(await limiter._get('k'), null)
  })

  test(`rate-limiter-flexible on ${kind}: forced points replace count and deadline; 0 is no deadline`, async (t) => {
    const { clock, backing } = await open(t)
    const limiter = flexibleLimiter(FLEXIBLE, { cache: backing, points: 5, duration: 1 })
    await limiter._upsert('k', 4, 1_000)
    t.deepEqual(await limiter._upsert('k', 6, 5_000, true), { points: 6, msBeforeNext: 5_000 })
    t.deepEqual(await limiter._upsert('k', 7, 0, true), { points: 7, msBeforeNext: -1 })
    clock.advance('30d')
    t.deepEqual(await limiter._get('k'), { points: 7, msBeforeNext: -1 })
    t.true(await limiter._delete('k'))
    t.false(await limiter._delete('k'))
  })
}

test('a result says how many points are left, and whether it is the first', async (t) => {
  const { cache } = await openMemory<number>(t)
  const limiter = flexibleLimiter(FLEXIBLE, { cache, points: 5, duration: 1 })
  t.deepEqual(limiter._getRateLimiterRes('k', 2, { points: 2, msBeforeNext: 9 }), new Result(3, 9, 2, true))
  t.deepEqual(limiter._getRateLimiterRes('k', 2, { points: 8, msBeforeNext: 9 }), new Result(0, 9, 8, false))
})

test('a hit is one event of the journal', async (t) => {
  const { cache } = await openMemory<number>(t)
  const store = rateLimitStore({ cache })
  await store.increment('ip')
  await store.increment('ip')
  t.is(cache.stats().journal.sequence, 2)
})

test('counts and the time of the reset survive reopening', async (t) => {
  const opened = await openMemory<number>(t)
  const store = rateLimitStore({ cache: opened.cache })
  const { resetTime } = await store.increment('ip')
  opened.clock.advance(1)
  const { cache } = await reopen(t, opened)
  t.deepEqual(await rateLimitStore({ cache }).increment('ip'), { totalHits: 2, resetTime })
})

test('a window that is not positive counts, and forgets at once', async (t) => {
  const { cache } = await openMemory<number>(t)
  const store = rateLimitStore({ cache })
  store.init({ windowMs: -1 })
  t.is((await store.increment('ip')).totalHits, 1)
  t.is((await store.increment('ip')).totalHits, 1)
})

test('a key that holds something else is refused', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('rl:ip', 'text')
  await t.throwsAsync(rateLimitStore({ cache: cache }).increment('ip'), { instanceOf: ValueError })
})

test('it says that its keys may be shared, and with which prefix', async (t) => {
  const { cache } = await openMemory<number>(t)
  t.like(rateLimitStore({ cache, prefix: 'x:' }), { localKeys: false, prefix: 'x:' })
})

test('wrong arguments and express-rate-limit 5 are refused by name', async (t) => {
  const { cache } = await openMemory<number>(t)
  rateLimitStore({ cache }).incr('ip', (error) => t.regex(error.message, /supports express-rate-limit 7 and 8/))
  t.throws(() => rateLimitStore({ cache, prefix: 1 as never }), { instanceOf: TypeError, message: /^prefix must be/ })
  t.throws(() => rateLimitStore({ cache, windowMs: 1 } as never), {
    instanceOf: TypeError,
    message: /'windowMs' is not/,
  })
  t.throws(() => flexibleLimiter({} as never, { cache, points: 1, duration: 1 }), {
    instanceOf: TypeError,
    message: /the module rate-limiter-flexible, version 11/,
  })
  t.throws(() => flexibleLimiter(FLEXIBLE, { points: 1, duration: 1 } as never), {
    instanceOf: TypeError,
    message: /^cache must be/,
  })
})
