/** A cache that evicts by S3-FIFO: its limits, its order, and what becomes of them when it is opened again. */
import assert from 'node:assert/strict'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { connect } from '../../src/edges/threads/threads.js'
import { type Cache, type CacheOptions, memoryCache, memoryJournal, openCache } from '../../src/index.js'
import { filesOf } from '../helpers/cli/journals.js'
import { GOLDEN_V1_FOLDER } from '../helpers/durable/golden-journal.js'
import { loopTurn } from '../helpers/loop-turn.js'
import { openMemory, reopen } from '../helpers/open-memory.js'
import { perform, STEP } from '../helpers/properties/commands.js'
import { type GivenLimits, Model } from '../helpers/properties/model.js'
import { holds } from '../helpers/property.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const S3_FIFO = { eviction: 's3-fifo', compaction: false } as const

/** As programs use a cache: what is not there is set. */
function read(cache: Cache, keys: Iterable<string>): void {
  for (const key of keys) if (cache.get(key) === undefined) cache.set(key, key)
}

function* numbered(name: string, count: number): Generator<string> {
  for (let index = 0; index < count; index++) yield `${name} ${index}`
}

/** A cache of 100 entries, of which 25 are in the main queue. */
async function warm(t: ExecutionContext, options: Pick<CacheOptions, 'eviction' | 'journal' | 'maxSize'> = {}) {
  const opened = await openMemory(t, { ...S3_FIFO, maxSize: 100, ...options })
  warmUp(opened.cache)
  return opened
}

function warmUp(cache: Cache): void {
  for (let round = 0; round < 3; round++) read(cache, numbered('hot', 25))
  read(cache, numbered('once', 100))
}

const hotIn = (cache: Cache) => [...numbered('hot', 25)].filter((key) => cache.has(key)).length

test('entries that are used once, as by a scan, do not push out those that are used often; with LRU they do', async (t) => {
  const { cache } = await warm(t)
  read(cache, numbered('scan', 1_000))
  t.is(hotIn(cache), 25)
  const lru = await warm(t, { eviction: 'lru' })
  read(lru.cache, numbered('scan', 1_000))
  t.is(hotIn(lru.cache), 0)
})

test('a key that comes back soon after it was evicted is kept', (t) => {
  const cache = memoryCache({ ...S3_FIFO, maxSize: 100 })
  read(cache, numbered('first', 120))
  t.false(cache.has('first 0'))
  read(cache, ['first 0'])
  read(cache, numbered('scan', 1_000))
  t.true(cache.has('first 0'))
  t.false(cache.has('first 1'))
})

test('evictions are events with the old value, and one more than the limits is never there', async (t) => {
  const { cache } = await warm(t, { maxSize: 10 })
  const evicted: unknown[] = []
  cache.evictions$.subscribe(({ key, value }) => {
    evicted.push([key, value])
    t.is(cache.size, 10)
  })
  const { evictions } = cache.stats()
  read(cache, numbered('scan', 30))
  t.is(evicted.length, 30)
  t.is(cache.stats().evictions, evictions + 30)
  for (const [key, value] of evicted as [string, string][]) t.is(value, key)
})

test('an update never evicts', async (t) => {
  const { cache } = await warm(t)
  const { evictions } = cache.stats()
  for (const key of cache.keys()) cache.set(key, 'updated')
  t.is(cache.stats().evictions, evictions)
  t.is(cache.size, 100)
})

test('no live entry is evicted while an expired one takes up room', async (t) => {
  const { cache, clock } = await openMemory(t, { ...S3_FIFO, maxSize: 10, cleanupInterval: 0 })
  for (const key of numbered('timed', 5)) {
    cache.set(key, 1, { ttl: 10 })
    for (let uses = 0; uses < 3; uses++) cache.get(key)
  }
  read(cache, numbered('live', 5))
  clock.jump(10_000) // no timer fires
  const seen: string[] = []
  cache.changes$.subscribe(({ type }) => seen.push(type))
  read(cache, numbered('more', 5))
  t.deepEqual(seen, Array(5).fill(['expired', 'set']).flat())
  read(cache, numbered('even more', 1))
  t.deepEqual(seen.slice(10), ['evicted', 'set'])
})

test('maxBytes: entries of any size are within it, and one that is larger is refused', async (t) => {
  const { cache } = await openMemory(t, { ...S3_FIFO, maxSize: Number.POSITIVE_INFINITY, maxBytes: 1_000 })
  for (let index = 0; index < 500; index++) {
    cache.set(`key ${index % 70}`, 'x'.repeat((index * 37) % 200))
    cache.get(`key ${(index * 7) % 70}`)
    let bytes = 0
    for (const [key, value] of cache.entries()) bytes += key.length + (value as string).length
    t.true(bytes <= 1_000)
  }
  t.throws(() => cache.set('large', 'x'.repeat(2_000)), { name: 'RangeError' })
  t.true(cache.stats().evictions > 100)
})

test('keys() begins with the small queue, and within a queue with the oldest', async (t) => {
  const { cache } = await openMemory(t, { ...S3_FIFO, maxSize: 4 })
  for (const key of ['a', 'b', 'c', 'd']) cache.set(key, 1)
  for (const key of ['a', 'a', 'd']) cache.get(key)
  t.deepEqual(cache.keys(), ['a', 'b', 'c', 'd'], 'a read moves nothing')
  cache.set('e', 1)
  t.deepEqual(cache.keys(), ['c', 'd', 'e', 'a'], 'a has moved to the main queue, b was evicted')
  t.deepEqual(
    [...cache.entries()].map(([key]) => key),
    cache.keys(),
  )
})

test('resize evicts in the order of the policy, and counts what it has evicted', async (t) => {
  const { cache } = await warm(t)
  t.is(cache.resize({ maxSize: 60 }), 40)
  t.is(hotIn(cache), 25)
  cache.resize({ maxSize: 200 })
  read(cache, numbered('scan', 1_000))
  t.is(cache.size, 200)
  t.is(hotIn(cache), 25)
})

test('after a clean close the order and the queues are as they were', async (t) => {
  const opened = await warm(t)
  read(opened.cache, numbered('scan', 100))
  const keys = opened.cache.keys()
  const again = await reopen(t, opened, S3_FIFO)
  t.deepEqual(again.cache.keys(), keys)
  t.is(again.cache.recovery.evicted, 0)
  read(again.cache, numbered('another scan', 500))
  t.is(hotIn(again.cache), 25)
})

test('opening with a smaller limit evicts in the order of the policy', async (t) => {
  const again = await reopen(t, await warm(t), { ...S3_FIFO, maxSize: 60 })
  t.is(again.cache.recovery.evicted, 40)
  t.is(hotIn(again.cache), 25)
})

test('any journal can be opened with either policy, and is read alike', async (t) => {
  let opened = await warm(t)
  for (const eviction of ['lru', 's3-fifo', 'lru'] as const) {
    const { cache } = opened
    const keys = cache.keys()
    const counted = cache.stats()
    opened = await reopen(t, opened, { ...S3_FIFO, eviction })
    t.deepEqual(opened.cache.keys(), keys)
    t.like(opened.cache.stats(), { hits: counted.hits, sets: counted.sets, evictions: counted.evictions, size: 100 })
    read(opened.cache, numbered(`scan by ${eviction}`, 30))
    opened.cache.get(opened.cache.keys()[7] as string)
  }
})

test('a journal of version 1 has the same entries in the same order with either policy', async (t) => {
  const [lru, s3Fifo] = await Promise.all(
    (['lru', 's3-fifo'] as const).map(async (eviction) => {
      const directory = temporaryDirectory(t)
      cpSync(join(GOLDEN_V1_FOLDER, 'many'), directory, { recursive: true })
      const cache = await openCache({ directory, eviction })
      const entries = [...cache.entries()]
      cache.resize({ maxSize: 600 })
      await cache.close()
      const again = await openCache({ directory, eviction })
      t.is(again.size, 600)
      await again.close()
      return entries
    }),
  )
  t.deepEqual(s3Fifo, lru)
  t.is(lru?.length, 1_200)
})

test('reads write nothing, not even an order; counters are exact after a clean close', async (t) => {
  const directory = temporaryDirectory(t)
  const options = { ...S3_FIFO, directory, fsync: 'never' } as const
  const filled = await openCache({ ...options, eviction: 'lru', maxSize: 5_000 })
  const names = [...numbered('key of some length', 5_000)]
  read(filled, names)
  for (const [at, key] of names.entries()) if (at % 3 === 0) filled.get(key) // an order that takes many bytes
  await filled.close()
  const bytes = () =>
    filesOf(directory, 'segment').reduce((sum, file) => sum + readFileSync(join(directory, file)).length, 0)
  const before = bytes()
  const reading = await openCache(options)
  const keys = reading.keys()
  const counted = reading.stats()
  for (const key of keys.toReversed()) reading.get(key)
  await reading.close()
  t.true(bytes() - before < 200, `${bytes() - before} bytes`)
  const again = await openCache(options)
  t.deepEqual(again.keys(), keys)
  t.is(again.stats().hits, counted.hits + 5_000)
  await again.close()
})

test('what an eviction without a set has moved is moved after a clean close, too', async (t) => {
  const opened = await reopen(t, await warm(t), S3_FIFO)
  const used = opened.cache.keys().slice(0, 20)
  for (const key of [...used, ...used]) opened.cache.get(key)
  opened.cache.resize({ maxSize: 95 })
  const keys = opened.cache.keys()
  t.true(keys.indexOf(used[0] as string) > 50)
  t.deepEqual((await reopen(t, opened, S3_FIFO)).cache.keys(), keys)
})

test('after a crash the entries are those of the journal', async (t) => {
  const directory = temporaryDirectory(t)
  const cache = await openCache({ ...S3_FIFO, directory, maxSize: 100, fsync: 'always' })
  warmUp(cache)
  await cache.flush()
  const crashed = temporaryDirectory(t)
  cpSync(directory, crashed, { recursive: true })
  const recovered = await openCache({ ...S3_FIFO, directory: crashed })
  t.deepEqual(recovered.keys().sort(), cache.keys().sort())
  read(recovered, numbered('scan', 200))
  t.is(recovered.size, 100)
  await recovered.close()
  await cache.close()
})

test('a compaction, a save and a load keep the entries and their order', async (t) => {
  const opened = await warm(t)
  const file = join(temporaryDirectory(t), 'saved.snapshot')
  const keys = opened.cache.keys()
  t.like(await opened.cache.save(file), { ok: true })
  await opened.cache.compact()
  const again = await reopen(t, opened, S3_FIFO)
  t.deepEqual(again.cache.keys(), keys)
  read(again.cache, numbered('scan', 300))
  t.like(await again.cache.load(file), { ok: true, entries: 100 })
  t.deepEqual(again.cache.keys(), keys)
  read(again.cache, numbered('another scan', 500))
  t.is(hotIn(again.cache), 25, 'the queues come with the order')
  await again.cache.load(file)
  const loaded = await reopen(t, again, S3_FIFO)
  t.deepEqual(loaded.cache.keys(), keys)
})

test('a load that does not fit leaves out the first entries of the file', async (t) => {
  const { cache } = await warm(t)
  const file = join(temporaryDirectory(t), 'saved.snapshot')
  const keys = cache.keys()
  await cache.save(file)
  const small = memoryCache({ ...S3_FIFO, maxSize: 30 })
  t.like(await small.load(file), { ok: true, evicted: 70 })
  t.deepEqual(small.keys(), keys.slice(70))
})

test('clear begins anew, without ghosts', async (t) => {
  const { cache } = await warm(t)
  cache.clear()
  t.is(cache.size, 0)
  read(cache, ['once 0'])
  read(cache, numbered('scan', 500))
  t.false(cache.has('once 0'))
})

test('a transaction that throws leaves the entries, values and counters as they were', async (t) => {
  const { cache } = await warm(t)
  const entries = new Map(cache.entries())
  const counted = cache.stats()
  t.throws(
    () =>
      cache.transact(() => {
        read(cache, numbered('scan', 80))
        cache.delete('hot 3')
        cache.clear()
        read(cache, numbered('more', 300))
        throw new Error('undo this')
      }),
    { message: 'undo this' },
  )
  t.deepEqual(new Map(cache.entries()), entries)
  const { hits, misses, sets, evictions, deletes } = counted
  t.like(cache.stats(), { hits, misses, sets, evictions, deletes })
  read(cache, numbered('scan', 500))
  t.is(cache.size, 100)
})

test('a set whose append fails changes nothing, and the next one evicts the same entry', async (t) => {
  const journal = memoryJournal()
  const { cache } = await warm(t, { journal })
  const twin = await warm(t)
  const { append, appendSet } = journal
  const keys = cache.keys()
  for (let attempt = 0; attempt < 3; attempt++) {
    journal.append = journal.appendSet = () => {
      throw new Error('no append')
    }
    t.throws(() => cache.set('new', 1), { message: 'no append' })
    t.deepEqual(cache.keys(), keys)
  }
  Object.assign(journal, { append, appendSet })
  cache.set('new', 1)
  twin.cache.set('new', 1)
  t.deepEqual(cache.keys(), twin.cache.keys())
})

test('in any history the cache has what its journal has, and stays within its limits', (t) =>
  holds(
    t,
    fc.asyncProperty(
      fc.array(fc.oneof({ weight: 20, arbitrary: STEP }, { weight: 1, arbitrary: fc.constant('reopen' as const) }), {
        maxLength: 60,
        size: 'max',
      }),
      fc.constantFrom<GivenLimits>(
        { maxSize: 4, maxBytes: undefined },
        { maxSize: 7, maxBytes: 40 },
        { maxSize: undefined, maxBytes: 60 },
      ),
      async (steps, limits) => {
        const journal = memoryJournal()
        const { cache: first, clock } = await openMemory(t, { ...S3_FIFO, ...limits, journal, cleanupInterval: 7 })
        let cache: Cache = first
        const model = new Model(clock.now(), limits) // perform() needs one; it is an LRU, so it is not compared
        const rows = new Map<string, unknown>()
        const follow = () =>
          cache.changes$.subscribe(({ type, key = '', value }) => {
            if (type === 'set') rows.set(key, value)
            else if (type === 'cleared') rows.clear()
            else if (type === 'deleted' || type === 'expired' || type === 'evicted') assert.ok(rows.delete(key))
          })
        follow()
        for (const step of steps) {
          if (step === 'reopen') {
            const keys = cache.keys()
            await cache.close()
            cache = await openCache({ ...S3_FIFO, journal, clock, cleanupInterval: 7 })
            assert.deepEqual(cache.keys(), keys)
            follow()
          } else {
            try {
              perform(step, cache, model, clock)
            } catch {
              // The step itself throws.
            }
          }
          await loopTurn()
          assert.equal(cache.size, rows.size)
          assert.ok(cache.size <= cache.stats().journal.maxSize)
        }
        assert.deepEqual(new Map(cache.entries()), new Map([...rows].filter(([key]) => cache.has(key))))
        await cache.close()
      },
    ),
    80,
  ))

test('the option is one of two texts', async (t) => {
  for (const [eviction, name] of [
    ['fifo', 'RangeError'],
    ['LRU', 'RangeError'],
    [5, 'TypeError'],
    [null, 'TypeError'],
  ] as const) {
    const options = { journal: memoryJournal(), eviction } as never
    await t.throwsAsync(openCache(options), { name, message: /^eviction must be one of lru, s3-fifo/ })
  }
  t.throws(() => memoryCache({ evictions: 'lru' } as never), { name: 'TypeError', message: /Did you mean eviction\?/ })
})

test('console.log shows the policy if it is not LRU', (t) => {
  t.regex(inspect(memoryCache(S3_FIFO)), /eviction: 's3-fifo'/)
  t.notRegex(inspect(memoryCache()), /eviction:/)
})

test('clients in other threads need not know', async (t) => {
  const { cache } = await warm(t)
  const client = await connect(cache.share())
  for (const key of numbered('scan', 300)) await client.set(key, 1)
  t.is(hotIn(cache), 25)
  t.deepEqual(await client.keys(), cache.keys())
  await client.close()
})
