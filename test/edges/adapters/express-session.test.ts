/** The contract of session stores. With express-session itself: test/ecosystem/express.test.mjs. */
import { EventEmitter } from 'node:events'
import test from 'ava'
import { type SessionStoreOptions, sessionStore } from '../../../src/edges/adapters/express-session.js'
import { CacheClosedError } from '../../../src/index.js'
import { BACKINGS } from '../../helpers/edges/backings.js'
import { until } from '../../helpers/loop-turn.js'
import { openMemory, reopen } from '../../helpers/open-memory.js'
import { uncaughtErrors } from '../../helpers/uncaught-errors.js'

interface Data {
  cookie: { expires?: Date | string | null; maxAge?: number }
  [name: string]: unknown
}

type Callback = (error: unknown, result?: unknown) => void

/** The store of a session module, as far as it is used: all of its methods take a callback. */
abstract class Store extends EventEmitter {
  abstract get(sid: string, callback: Callback): void
  abstract set(sid: string, data: Data, callback?: Callback): void
  abstract touch(sid: string, data: Data, callback?: Callback): void
  abstract destroy(sid: string, callback?: Callback): void
  abstract all(callback: Callback): void
  abstract length(callback: Callback): void
  abstract clear(callback?: Callback): void
}

/** A store whose methods are given their callback here, and return a promise. */
function open(options: SessionStoreOptions) {
  const store = sessionStore({ Store }, options)
  const calling =
    (name: 'get' | 'set' | 'touch' | 'destroy' | 'all' | 'length' | 'clear') =>
    (...parameters: unknown[]) =>
      new Promise<unknown>((resolve, reject) => {
        const callback: Callback = (error, result) => (error === null ? resolve(result) : reject(error))
        ;(store[name] as (...parameters: unknown[]) => void)(...parameters, callback)
      })
  return {
    store,
    get: calling('get'),
    set: calling('set'),
    touch: calling('touch'),
    destroy: calling('destroy'),
    all: calling('all'),
    length: calling('length'),
    clear: calling('clear'),
  }
}

for (const { kind, open: openBacking } of BACKINGS) {
  test(`on ${kind}: a session comes back; of none there is null`, async (t) => {
    const { backing } = await openBacking(t)
    const { get, set, destroy } = open({ cache: backing })
    t.is(await get('s1'), null)
    t.is(await set('s1', { cookie: {}, user: 'ada' }), undefined)
    t.deepEqual(await get('s1'), { cookie: {}, user: 'ada' })
    await destroy('s1')
    await destroy('s1')
    t.is(await get('s1'), null)
  })

  test(`on ${kind}: a session ends when its cookie does, given as a Date or as text`, async (t) => {
    const { clock, backing } = await openBacking(t)
    const { get, set } = open({ cache: backing })
    const expires = new Date(clock.now() + 5_000)
    await set('date', { cookie: { expires } })
    await set('text', { cookie: { expires: expires.toISOString() } })
    clock.advance('4999ms')
    t.deepEqual(await get('date'), { cookie: { expires: expires.toISOString() } })
    t.truthy(await get('text'))
    clock.advance('1ms')
    t.is(await get('date'), null)
    t.is(await get('text'), null)
  })

  test(`on ${kind}: touch moves the deadline and keeps what the session holds by now`, async (t) => {
    const { clock, backing } = await openBacking(t)
    const { get, set, touch } = open({ cache: backing })
    const cookieFor = (seconds: number) => ({ expires: new Date(clock.now() + seconds * 1_000) })
    await set('s1', { cookie: cookieFor(10), user: 'ada' })
    const stale = { cookie: cookieFor(60), user: 'nobody' } // what a slower request has read before
    await Promise.all([set('s1', { cookie: cookieFor(10), user: 'bob' }), touch('s1', stale)])
    clock.advance(59)
    t.deepEqual(await get('s1'), { cookie: { expires: stale.cookie.expires.toISOString() }, user: 'bob' })
    clock.advance(1)
    t.is(await get('s1'), null)
  })

  test(`on ${kind}: touch does not bring back a session that is gone`, async (t) => {
    const { backing } = await openBacking(t)
    const { get, touch } = open({ cache: backing })
    await touch('s1', { cookie: {} })
    t.is(await get('s1'), null)
  })

  test(`on ${kind}: all, length and clear concern the keys with the prefix only`, async (t) => {
    const { backing } = await openBacking(t)
    const mine = open({ cache: backing, prefix: 'mine:' })
    const others = open({ cache: backing })
    for (const sid of ['a', 'b']) await mine.set(sid, { cookie: {}, sid })
    await others.set('c', { cookie: {} })
    t.is(await mine.length(), 2)
    t.deepEqual({ ...((await mine.all()) as object) }, { a: { cookie: {}, sid: 'a' }, b: { cookie: {}, sid: 'b' } })
    await mine.clear()
    t.is(await mine.length(), 0)
    t.is(await others.length(), 1)
  })
}

test('a cookie without an end lives a day after its last use, or as long as ttl says', async (t) => {
  const { cache } = await openMemory(t)
  await open({ cache }).set('day', { cookie: {} })
  await open({ cache, ttl: '1h' }).set('hour', { cookie: { expires: null } })
  await open({ cache }).set('invalid', { cookie: { expires: new Date(Number.NaN) } })
  t.is(cache.ttl('sess:day'), 86_400)
  t.is(cache.ttl('sess:invalid'), 86_400)
  t.is(cache.ttl('sess:hour'), 3_600)
})

test('a session whose cookie has already ended is deleted', async (t) => {
  const { cache, clock } = await openMemory(t)
  const { get, set } = open({ cache })
  await set('s1', { cookie: {} })
  await set('s1', { cookie: { expires: new Date(clock.now()) } })
  t.is(await get('s1'), null)
})

test('a session is what JSON keeps of it', async (t) => {
  const { cache } = await openMemory(t)
  const { get, set } = open({ cache })
  await set('s1', { cookie: {}, at: new Date(0), save: () => undefined, nothing: undefined })
  t.deepEqual(await get('s1'), { cookie: {}, at: '1970-01-01T00:00:00.000Z' })
})

test('sessions and their deadlines survive reopening', async (t) => {
  const opened = await openMemory(t)
  await open({ cache: opened.cache }).set('s1', { cookie: {}, user: 'ada' })
  const { cache, clock } = await reopen(t, opened)
  const { get } = open({ cache })
  clock.advance(86_399)
  t.deepEqual(await get('s1'), { cookie: {}, user: 'ada' })
  clock.advance(1)
  t.is(await get('s1'), null)
})

test('an error of the cache goes to the callback', async (t) => {
  const { cache } = await openMemory(t)
  const { store, get, set } = open({ cache })
  await cache.close()
  await t.throwsAsync(get('s1'), { instanceOf: CacheClosedError })
  await t.throwsAsync(set('s1', { cookie: {} }), { instanceOf: CacheClosedError })
  store.set('s1', { cookie: {} }) // nobody asks, and nothing is thrown
  await t.throwsAsync(set('s1', { cookie: {}, big: 1n }), { instanceOf: TypeError })
})

test.serial('what a callback throws is an uncaught exception, not a rejection', async (t) => {
  const { cache } = await openMemory(t)
  const errors = uncaughtErrors(t)
  const { store } = open({ cache })
  store.get('s1', () => {
    throw new Error('of the callback')
  })
  await until(() => errors.length > 0, 'the callback was called')
  t.deepEqual(
    errors.map(({ message }) => message),
    ['of the callback'],
  )
})

test('it is a store of the module that was passed', async (t) => {
  const { cache } = await openMemory(t)
  const { store } = open({ cache })
  t.true(store instanceof Store)
  t.is(
    store.on('disconnect', () => undefined),
    store,
  )
})

test('wrong arguments are refused by name', async (t) => {
  const { cache } = await openMemory(t)
  t.throws(() => sessionStore({} as never, { cache }), { instanceOf: TypeError, message: /the module express-session/ })
  t.throws(() => open({ cache, prefix: 1 as never }), { instanceOf: TypeError, message: /^prefix must be/ })
  t.throws(() => open({ cache, ttl: -1 }), { instanceOf: RangeError, message: /^ttl must be/ })
  t.throws(() => open({ cache, maxAge: 1 } as never), { instanceOf: TypeError, message: /'maxAge' is not an option/ })
  t.throws(() => open({} as never), { instanceOf: TypeError, message: /^cache must be/ })
})
