/** The limit of V8's Map, lowered here: an entry beyond it is refused before it is journaled. */
import { join } from 'node:path'
import test from 'ava'
import { Order } from '../../../src/core/evolve/eviction/order.js'
import { type Cache, CacheError, memoryJournal } from '../../../src/index.js'
import { openWithin } from '../../../src/open.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

test("a cache at the limit of V8's Map refuses a new key, keeps working, and reopens", async (t) => {
  const journal = memoryJournal()
  const options = { journal, maxSize: Number.POSITIVE_INFINITY }
  const cache = await openWithin(options, { entriesMax: 3 })
  for (const key of ['a', 'b', 'c']) cache.set(key, 1)
  const refused = { instanceOf: RangeError, message: /3 entries.*Nothing was changed/s }
  t.throws(() => cache.set('d', 1), refused)
  t.throws(() => cache.set('d', 1, { ttl: 10 }), refused)
  t.throws(() => cache.increment('d'), refused)
  t.throws(
    () =>
      cache.setMany([
        ['a', 9],
        ['d', 1],
      ]),
    refused,
  )
  t.throws(() => cache.transact(() => cache.set('d', 1)), refused)
  t.deepEqual(
    [...cache.entries()],
    [
      ['a', 1],
      ['b', 1],
      ['c', 1],
    ],
  )
  t.is(cache.stats().journal.sequence, 3)
  cache.set('a', 2)
  cache.delete('b')
  cache.set('d', 4)
  await cache.close()
  const again = await openWithin(options, { entriesMax: 3 })
  t.deepEqual(
    [...again.entries()],
    [
      ['c', 1],
      ['a', 2],
      ['d', 4],
    ],
  )
  await again.close()
})

test('opening a journal with more entries than a Map can hold fails with an error that says so', async (t) => {
  const journal = memoryJournal()
  const options = { journal, maxSize: Number.POSITIVE_INFINITY }
  const cache = await openWithin(options, { entriesMax: 3 })
  cache.set('a', 1)
  cache.set('b', 1)
  await cache.flush()
  cache.transact(() => {
    cache.set('b', 2)
    cache.set('c', 1)
  })
  await cache.close()
  await t.throwsAsync(openWithin(options, { entriesMax: 2 }), {
    instanceOf: CacheError,
    code: 'JOURNAL_UNREADABLE',
    message: /more than 2 entries.*No file was changed\. "daybook repair --to 2" makes the journal end before that\.$/s,
  })
  const again = await openWithin(options, { entriesMax: 3 })
  t.is(again.size, 3)
  await again.compact()
  await again.close()
  await t.throwsAsync(openWithin(options, { entriesMax: 2 }), {
    code: 'JOURNAL_UNREADABLE',
    message: /more than 2 entries.*No file was changed\. Open it with the Node\.js that wrote it/s,
  })
})

test('a file with more entries than a Map can hold is not loaded, and one that was loaded opens with an error', async (t) => {
  const path = join(temporaryDirectory(t), 'three.dbk')
  const journal = memoryJournal()
  const options = { journal, maxSize: Number.POSITIVE_INFINITY }
  const cache = await openWithin(options, { entriesMax: 3 })
  for (const key of ['a', 'b', 'c']) cache.set(key, 1)
  await cache.save(path)
  const small = await openWithin({ journal: memoryJournal(), maxSize: Number.POSITIVE_INFINITY }, { entriesMax: 2 })
  small.set('kept', 1)
  const refused = await small.load(path)
  t.true(!refused.ok && refused.error instanceof RangeError && /more than 2 entries/.test(refused.error.message))
  t.deepEqual(small.keys(), ['kept'])
  await small.close()
  const limited = await openWithin({ journal: memoryJournal(), maxSize: 2 }, { entriesMax: 2 })
  t.like(await limited.load(path), { ok: true, entries: 2, evicted: 1 })
  await limited.close()
  t.true((await cache.load(path)).ok)
  await cache.close()
  await t.throwsAsync(openWithin(options, { entriesMax: 2 }), {
    code: 'JOURNAL_UNREADABLE',
    message: /"daybook repair --to \d+"/,
  })
})

const SETS: Record<string, (cache: Cache, key: string) => unknown> = {
  'a set': (cache, key) => cache.set(key, 1),
  'a set with a ttl': (cache, key) => cache.set(key, 1, { ttl: 10 }),
  'a set in a transaction': (cache, key) => cache.transact(() => cache.set(key, 1)),
}

for (const [name, set] of Object.entries(SETS)) {
  for (const isObserved of [false, true]) {
    const where = isObserved ? ', observed' : ''
    test.serial(`when columns cannot grow, ${name} is refused before it is journaled${where}`, async (t) => {
      const journal = memoryJournal()
      const options = { journal, maxSize: Number.POSITIVE_INFINITY }
      const cache = await openWithin(options)
      if (isObserved) cache.changes$.subscribe()
      const { grow } = Order.prototype
      Order.prototype.grow = () => {
        throw new RangeError('Array buffer allocation failed')
      }
      try {
        t.throws(
          () => {
            while (cache.size < 5_000) set(cache, `k${cache.size}`)
          },
          { message: 'Array buffer allocation failed' },
        )
      } finally {
        Order.prototype.grow = grow
      }
      const { size } = cache
      t.true(size > 100)
      t.is(cache.stats().journal.sequence, size)
      set(cache, 'x')
      await cache.close()
      const again = await openWithin(options)
      t.is(again.size, size + 1)
      await again.close()
    })
  }
}
