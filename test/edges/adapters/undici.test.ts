/** The contract of undici's cache stores. With undici itself: test/ecosystem/undici.test.mjs. */
import { once } from 'node:events'
import test from 'ava'
import {
  type HttpCacheKey,
  type HttpCacheValue,
  type UndiciStore,
  undiciStore,
} from '../../../src/edges/adapters/undici.js'
import type { CacheError } from '../../../src/index.js'
import { BACKINGS } from '../../helpers/edges/backings.js'
import { openMemory, reopen } from '../../helpers/open-memory.js'

const KEY: HttpCacheKey = { origin: 'http://localhost', method: 'GET', path: '/', headers: {} }

function valueAt(nowMs: number, others: Partial<HttpCacheValue> = {}): HttpCacheValue {
  const times = { cachedAt: nowMs, staleAt: nowMs + 1_000, deleteAt: nowMs + 5_000 }
  return { statusCode: 200, statusMessage: 'OK', headers: { foo: 'bar' }, ...times, ...others }
}

async function store(into: UndiciStore, key: HttpCacheKey, value: HttpCacheValue, body = 'body'): Promise<void> {
  const stream = into.createWriteStream(key, value)
  stream.write(body.slice(0, 2))
  stream.end(body.slice(2))
  await once(stream, 'finish')
}

/** The body that a store has for a request. */
async function bodyOf(from: UndiciStore, key: HttpCacheKey): Promise<string | undefined> {
  return (await from.get(key))?.body.toString()
}

for (const { kind, open } of BACKINGS) {
  test(`on ${kind}: a response comes back whole, stale or not, until its deleteAt`, async (t) => {
    const { clock, backing } = await open(t)
    const responses = undiciStore({ cache: backing })
    t.is(await responses.get(KEY), undefined)
    const value = valueAt(clock.now(), { etag: '"1"', cacheControlDirectives: { 'max-age': 1 } })
    await store(responses, KEY, value)
    clock.advance('4999ms')
    t.deepEqual(await responses.get(KEY), { ...value, method: 'GET', body: Buffer.from('body') } as never)
    clock.advance('1ms')
    t.is(await responses.get(KEY), undefined)
  })

  test(`on ${kind}: variants by method, and by the headers that vary names`, async (t) => {
    const { clock, backing } = await open(t)
    const responses = undiciStore({ cache: backing })
    const withLanguage = (language?: string | string[]) => ({
      ...KEY,
      headers: language === undefined ? {} : { 'accept-language': language },
    })
    const varying = (language: string | string[] | null) =>
      valueAt(clock.now(), { vary: { 'accept-language': language } })
    await store(responses, withLanguage('de'), varying('de'), 'hallo')
    await store(responses, withLanguage(['fr', 'be']), varying(['fr', 'be']), 'bonjour')
    await store(responses, withLanguage(), varying(null), 'hello')
    await store(responses, { ...KEY, method: 'HEAD' }, valueAt(clock.now()), '')
    t.is(await bodyOf(responses, withLanguage('de')), 'hallo')
    t.is(await bodyOf(responses, withLanguage(['fr', 'be'])), 'bonjour')
    t.is(await bodyOf(responses, withLanguage(['fr'])), undefined)
    t.is(await bodyOf(responses, withLanguage('es')), undefined)
    t.is(await bodyOf(responses, withLanguage()), 'hello')
    t.is(await bodyOf(responses, { ...KEY, method: 'HEAD' }), '')
    await responses.delete(KEY)
    t.is(await bodyOf(responses, withLanguage('de')), undefined)
    t.is(await bodyOf(responses, { ...KEY, method: 'HEAD' }), undefined)
  })

  test(`on ${kind}: each variant ends at a time of its own`, async (t) => {
    const { clock, backing } = await open(t)
    const responses = undiciStore({ cache: backing })
    const head = { ...KEY, method: 'HEAD' }
    await store(responses, KEY, valueAt(clock.now(), { deleteAt: clock.now() + 2_000 }), 'short')
    await store(responses, head, valueAt(clock.now(), { deleteAt: clock.now() + 9_000 }), 'long')
    clock.advance('1999ms')
    t.is(await bodyOf(responses, KEY), 'short')
    clock.advance('1ms')
    t.is(await bodyOf(responses, KEY), undefined)
    t.is(await bodyOf(responses, head), 'long')
  })

  test(`on ${kind}: a newer response replaces the one for the same request`, async (t) => {
    const { clock, backing } = await open(t)
    const responses = undiciStore({ cache: backing })
    await store(responses, KEY, valueAt(clock.now()), 'old')
    clock.advance('1500ms')
    await store(responses, KEY, valueAt(clock.now()), 'new')
    t.is(await bodyOf(responses, KEY), 'new')
    clock.advance('4999ms')
    t.is(await bodyOf(responses, KEY), 'new')
  })

  test(`on ${kind}: responses that arrive at the same time do not lose each other`, async (t) => {
    const { clock, backing } = await open(t)
    const responses = undiciStore({ cache: backing })
    const methods = Array.from({ length: 20 }, (_, index) => `M${index}`)
    await Promise.all(methods.map((method) => store(responses, { ...KEY, method }, valueAt(clock.now()), method)))
    t.deepEqual(await Promise.all(methods.map((method) => bodyOf(responses, { ...KEY, method }))), methods)
  })
}

test('on a cache everything happens at once, without a promise', async (t) => {
  const { cache, clock } = await openMemory(t)
  const responses = undiciStore({ cache })
  responses.createWriteStream(KEY, valueAt(clock.now())).end('body')
  t.is((responses.get(KEY) as { body: Buffer }).body.toString(), 'body')
  t.is(responses.delete(KEY), undefined)
  t.is(responses.get(KEY), undefined)
})

test('a body as long as maxEntrySize is stored, a longer one and one that is cut off are not', async (t) => {
  const { cache, clock } = await openMemory(t)
  const responses = undiciStore({ cache, maxEntrySize: 4 })
  await store(responses, KEY, valueAt(clock.now()), 'four')
  t.is(await bodyOf(responses, KEY), 'four')
  await responses.delete(KEY)
  const long = responses.createWriteStream(KEY, valueAt(clock.now()))
  long.end('fives')
  await once(long, 'close')
  const cut = responses.createWriteStream(KEY, valueAt(clock.now()))
  cut.write('cut')
  cut.destroy()
  await once(cut, 'close')
  t.is(responses.get(KEY), undefined)
  t.is(cache.size, 0)
})

test('a variant that has ended is dropped when another is stored', async (t) => {
  const { cache, clock } = await openMemory(t)
  const responses = undiciStore({ cache })
  await store(responses, KEY, valueAt(clock.now(), { deleteAt: clock.now() + 1_000 }))
  await store(responses, { ...KEY, method: 'HEAD' }, valueAt(clock.now(), { deleteAt: clock.now() + 9_000 }))
  clock.advance(1)
  await store(responses, { ...KEY, method: 'OPTIONS' }, valueAt(clock.now()))
  const variants = cache.get('http:http://localhost:/') as { method: string }[]
  t.deepEqual(
    variants.map(({ method }) => method),
    ['HEAD', 'OPTIONS'],
  )
})

test('a read is a hit or a miss of the cache, and keeps the entry from being evicted', async (t) => {
  const { cache, clock } = await openMemory(t, { maxSize: 2 })
  const responses = undiciStore({ cache })
  await store(responses, { ...KEY, path: '/a' }, valueAt(clock.now()))
  await store(responses, { ...KEY, path: '/b' }, valueAt(clock.now()))
  t.truthy(responses.get({ ...KEY, path: '/a' }))
  await store(responses, { ...KEY, path: '/c' }, valueAt(clock.now()))
  t.truthy(responses.get({ ...KEY, path: '/a' }))
  t.falsy(responses.get({ ...KEY, path: '/b' }))
  t.like(cache.stats(), { hits: 2, misses: 1 })
})

test('responses survive reopening, with their times', async (t) => {
  const opened = await openMemory(t)
  const value = valueAt(opened.clock.now())
  await store(undiciStore({ cache: opened.cache }), KEY, value)
  opened.clock.advance(3)
  const { cache, clock } = await reopen(t, opened)
  const responses = undiciStore({ cache })
  t.like(responses.get(KEY), value)
  clock.advance(2)
  t.is(responses.get(KEY), undefined)
})

test('an error of the cache is a miss, fails no stream, and is reported', async (t) => {
  const { cache, clock } = await openMemory(t)
  await cache.close()
  const codes: string[] = []
  const responses = undiciStore({ cache, onError: (error) => codes.push((error as CacheError).code) })
  t.is(responses.get(KEY), undefined)
  await store(responses, KEY, valueAt(clock.now()))
  t.is(responses.delete(KEY), undefined)
  t.deepEqual(codes, ['CACHE_CLOSED', 'CACHE_CLOSED', 'CACHE_CLOSED'])
})

test('wrong options are refused by name', async (t) => {
  const { cache } = await openMemory(t)
  t.throws(() => undiciStore({ cache, maxEntrySize: -1 }), { instanceOf: RangeError, message: /^maxEntrySize must be/ })
  t.throws(() => undiciStore({ cache, prefix: 1 as never }), { instanceOf: TypeError, message: /^prefix must be/ })
  t.throws(() => undiciStore({ cache, onError: 1 as never }), { instanceOf: TypeError, message: /^onError must be/ })
  t.throws(() => undiciStore({ cache, maxSize: 1 } as never), { instanceOf: TypeError, message: /'maxSize' is not/ })
})
