/** The contract of Next's cache handlers. With Next itself: test/ecosystem/next-app.mjs, which CI does not run. */
import test from 'ava'
import { type NextCacheEntry, type NextCacheHandler, nextCacheHandler } from '../../../src/edges/adapters/next.js'
import { CacheClosedError, memoryJournal, openCache } from '../../../src/index.js'
import { BACKINGS } from '../../helpers/edges/backings.js'
import { openMemory, reopen } from '../../helpers/open-memory.js'

/** The clock that Next stamps its entries with. */
const nextNow = () => performance.timeOrigin + performance.now()

function streamOf(...parts: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(Buffer.from(part))
      controller.close()
    },
  })
}

async function entryOf(text: string, others: Partial<NextCacheEntry> = {}): Promise<NextCacheEntry> {
  const value = streamOf(text.slice(0, 1), text.slice(1))
  return { value, tags: [], stale: 30, timestamp: nextNow(), expire: 3_600, revalidate: 60, ...others }
}

async function textOf(handler: NextCacheHandler, key: string, softTags: string[] = []): Promise<string | undefined> {
  const entry = await handler.get(key, softTags)
  return entry && (await new Response(entry.value).text())
}

for (const { kind, open } of BACKINGS) {
  test(`on ${kind}: an entry comes back whole, with a new stream each time`, async (t) => {
    const { backing } = await open(t)
    const handler = nextCacheHandler({ cache: backing })
    t.is(await handler.get('k', []), undefined)
    const { value: _, ...rest } = await entryOf('')
    await handler.set('k', entryOf('hello', rest))
    t.is(await textOf(handler, 'k'), 'hello')
    t.is(await textOf(handler, 'k'), 'hello')
    const { value: __, ...found } = (await handler.get('k', [])) as NextCacheEntry
    t.deepEqual(found, rest)
  })

  test(`on ${kind}: a get waits for the set of its key`, async (t) => {
    const { backing } = await open(t)
    const handler = nextCacheHandler({ cache: backing })
    let finish = (_entry: NextCacheEntry) => {}
    const pending = new Promise<NextCacheEntry>((resolve) => {
      finish = resolve
    })
    const set = handler.set('k', pending)
    const found = textOf(handler, 'k')
    finish(await entryOf('late'))
    t.is(await found, 'late')
    await set
  })

  test(`on ${kind}: updateTags expires what has the tag, hard or soft, and nothing that is newer`, async (t) => {
    const { backing } = await open(t)
    const handler = nextCacheHandler({ cache: backing })
    await handler.set('tagged', entryOf('1', { tags: ['posts', 'all'] }))
    await handler.set('other', entryOf('2', { tags: ['all'] }))
    await handler.updateTags(['posts', 'page'])
    t.is(await textOf(handler, 'tagged'), undefined)
    t.is(await textOf(handler, 'other'), '2')
    t.is(await textOf(handler, 'other', ['page']), undefined)
    await handler.set('tagged', entryOf('3', { tags: ['posts'] }))
    t.is(await textOf(handler, 'tagged', ['page']), '3')
  })

  test(`on ${kind}: updateTags with durations makes entries stale, which are given once more`, async (t) => {
    const { backing } = await open(t)
    const handler = nextCacheHandler({ cache: backing })
    await handler.set('k', entryOf('1', { tags: ['posts'] }))
    await handler.updateTags(['posts'], { expire: 3_600 })
    t.is((await handler.get('k', []))?.revalidate, -1)
    await handler.updateTags(['posts'], {})
    t.is((await handler.get('k', []))?.revalidate, -1)
    await handler.updateTags(['posts'], { expire: 0 })
    t.is(await handler.get('k', []), undefined)
  })
}

test('an entry that was begun before its tag was revalidated is expired, though it was stored later', async (t) => {
  const { cache } = await openMemory(t)
  const handler = nextCacheHandler({ cache })
  const begun = entryOf('old', { tags: ['posts'] })
  await begun
  await handler.updateTags(['posts'])
  await handler.set('k', begun)
  t.is(await handler.get('k', []), undefined)
})

test.serial('a tag with a duration expires its entries when that is over', async (t) => {
  const { cache } = await openMemory(t)
  const handler = nextCacheHandler({ cache })
  await handler.set('k', entryOf('1', { tags: ['posts'] }))
  await handler.updateTags(['posts'], { expire: 10 })
  const { now } = performance
  t.teardown(() => {
    performance.now = now
  })
  performance.now = () => now.call(performance) + 9_000
  t.is((await handler.get('k', []))?.revalidate, -1)
  performance.now = () => now.call(performance) + 10_000
  t.is(await handler.get('k', []), undefined)
})

test.serial(
  'a second revalidation keeps what the first has expired, and does not put off what is going to',
  async (t) => {
    const { cache } = await openMemory(t)
    const handler = nextCacheHandler({ cache })
    const { now } = performance
    const startMs = now.call(performance)
    t.teardown(() => {
      performance.now = now
    })
    const at = (seconds: number) => {
      performance.now = () => startMs + seconds * 1_000
    }
    const store = (key: string) => handler.set(key, entryOf(key, { tags: ['posts'] }))
    const live = async () => {
      const found: string[] = []
      for (const key of ['0', '3', '7', '12']) if ((await handler.get(key)) !== undefined) found.push(key)
      return found
    }
    at(0)
    await store('0')
    at(1)
    await handler.updateTags(['posts'])
    at(2)
    await handler.updateTags(['posts'], { expire: 8 })
    t.deepEqual(await live(), [], 'expired stays expired')
    await store('3')
    at(5)
    await handler.updateTags(['posts'], { expire: 100 })
    at(7)
    await store('7')
    t.deepEqual(await live(), ['3', '7'])
    at(9)
    t.deepEqual(await live(), ['3', '7'])
    at(11)
    t.deepEqual(await live(), ['7'], 'an entry that is newer than the revalidation is not concerned')
    at(12)
    await store('12')
    await handler.updateTags(['posts'], {})
    t.deepEqual(await live(), ['7', '12'])
    t.is((await handler.get('7'))?.revalidate, -1)
    at(200)
    t.deepEqual(await live(), ['7', '12'], 'without a duration it is stale only')
    at(201)
    await handler.updateTags(['posts'], { expire: 0 })
    t.deepEqual(await live(), [])
  },
)

test('an entry lives until its hard end, expire seconds after its timestamp', async (t) => {
  const { cache, clock } = await openMemory(t)
  const handler = nextCacheHandler({ cache })
  await handler.set('k', entryOf('1', { timestamp: clock.now(), expire: 10, revalidate: 1 }))
  clock.advance('9999ms')
  t.is(await textOf(handler, 'k'), '1') // Next regenerates it in the background
  clock.advance('1ms')
  t.is(await handler.get('k', []), undefined)
  await handler.set('dynamic', entryOf('1', { timestamp: clock.now(), expire: 0 }))
  t.is(await handler.get('dynamic', []), undefined)
})

test('the time of a tag is evicted only after the entries that it concerns', async (t) => {
  const { cache } = await openMemory(t, { maxSize: 3 })
  const handler = nextCacheHandler({ cache })
  await handler.set('k', entryOf('old', { tags: ['posts'] }))
  await handler.updateTags(['posts'])
  t.is(await handler.get('k', []), undefined)
  cache.set('a', 1)
  cache.set('b', 1)
  t.false(cache.has('next:entry:k'))
  t.true(cache.has('next:tag:posts'))
})

test('entries and the times of tags survive reopening', async (t) => {
  const opened = await openMemory(t)
  const handler = nextCacheHandler({ cache: opened.cache })
  await handler.set('kept', entryOf('kept'))
  await handler.set('gone', entryOf('gone', { tags: ['posts'] }))
  await handler.updateTags(['posts'])
  const { cache } = await reopen(t, opened)
  const again = nextCacheHandler({ cache })
  t.is(await textOf(again, 'kept'), 'kept')
  t.is(await again.get('gone', []), undefined)
})

test('a stream that breaks off, or an entry that fails, leaves nothing behind', async (t) => {
  const { cache } = await openMemory(t)
  const handler = nextCacheHandler({ cache })
  const broken = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(Buffer.from('half'))
      controller.error(new Error('broken'))
    },
  })
  await handler.set('k', entryOf('', { value: broken }))
  t.is(await handler.get('k', []), undefined)
  await t.throwsAsync(handler.set('k', Promise.reject(new Error('failed'))), { message: 'failed' })
  t.is(await handler.get('k', []), undefined)
  await handler.set('k', entryOf('whole'))
  t.is(await textOf(handler, 'k'), 'whole')
})

test('the tags of a page are left to get; a default ttl of the cache does not end the time of a tag', async (t) => {
  const cache = await openCache({ journal: memoryJournal(), ttl: 10 })
  t.teardown(() => cache.close())
  const handler = nextCacheHandler({ cache })
  await handler.refreshTags()
  t.is(await handler.getExpiration(['page']), Number.POSITIVE_INFINITY)
  await handler.updateTags(['posts'])
  t.is(cache.ttl('next:tag:posts'), Number.POSITIVE_INFINITY)
})

test('an error of the cache rejects the call', async (t) => {
  const { cache } = await openMemory(t)
  await cache.close()
  const handler = nextCacheHandler({ cache })
  await t.throwsAsync(handler.get('k', []), { instanceOf: CacheClosedError })
  await t.throwsAsync(handler.set('k', entryOf('1')), { instanceOf: CacheClosedError })
  await t.throwsAsync(handler.updateTags(['a']), { instanceOf: CacheClosedError })
})

test('Next.js 15 and wrong options are refused by name', async (t) => {
  const { cache } = await openMemory(t)
  const handler = nextCacheHandler({ cache })
  for (const call of [handler.expireTags(), handler.receiveExpiredTags()])
    await t.throwsAsync(call, { instanceOf: TypeError, message: /supports Next\.js 16/ })
  t.throws(() => nextCacheHandler({ cache, prefix: 1 as never }), { instanceOf: TypeError, message: /^prefix must be/ })
  t.throws(() => nextCacheHandler({ cache, tags: [] } as never), { instanceOf: TypeError, message: /'tags' is not/ })
  t.throws(() => nextCacheHandler({} as never), { instanceOf: TypeError, message: /^cache must be/ })
})
