/** Stale entries beyond one call: reopening in each state of an entry's life, saved files, limits, order of use, undoing. */
import { join } from 'node:path'
import test from 'ava'
import { memoryJournal, openCache } from '../../src/index.js'
import { CountingClock } from '../helpers/counting-clock.js'
import { openMemory, reopen } from '../helpers/open-memory.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

/** Fresh for 10 s, then stale for 20 s. */
const TEN_THEN_TWENTY = { ttl: 10, stale: 20 } as const

for (const isCompacted of [false, true]) {
  const from = isCompacted ? 'a snapshot' : 'events'
  for (const [state, seconds] of [
    ['fresh', 5],
    ['stale', 15],
    ['expired', 30],
  ] as const) {
    test(`an entry that is ${state} when the cache is reopened is ${state} after reading ${from}`, async (t) => {
      const opened = await openMemory<string>(t)
      opened.cache.set('k', 'v', { ...TEN_THEN_TWENTY, tags: ['t', 'u'] })
      opened.cache.set('plain', 'p')
      const entry = opened.cache.entry('k')
      if (isCompacted) await opened.cache.compact()
      await opened.cache.close()
      opened.clock.jump(seconds * 1_000)
      const { cache } = await openMemory<string>(t, { clock: opened.clock, journal: opened.journal })
      t.is(cache.get('k'), state === 'fresh' ? 'v' : undefined)
      t.deepEqual(cache.entry('k'), state === 'fresh' ? entry : undefined)
      t.is(cache.get('k', { stale: true }), state === 'expired' ? undefined : 'v')
      t.is(cache.deleteTag('u'), state === 'expired' ? 0 : 1)
      t.deepEqual(cache.keys(), ['plain'])
    })
  }
}

test('what expire, persist and expireTag did to the two ends of an entry is there after reopening', async (t) => {
  const opened = await openMemory(t)
  const { cache, clock } = opened
  const nowMs = clock.now()
  for (const key of ['expired', 'persisted', 'tagged', 'incremented'])
    cache.set(key, 1, { ...TEN_THEN_TWENTY, tags: [key] })
  cache.expire('expired', 40)
  cache.persist('persisted')
  cache.expireTag('tagged')
  cache.increment('incremented')
  const again = (await reopen(t, opened)).cache
  t.deepEqual(again.entry('expired'), {
    value: 1,
    expiresAtMs: nowMs + 60_000,
    freshUntilMs: nowMs + 40_000,
    tags: ['expired'],
  })
  t.deepEqual(again.entry('persisted'), { value: 1, tags: ['persisted'] })
  t.is(again.entry('tagged'), undefined)
  t.is(again.get('tagged', { stale: true }), 1)
  t.deepEqual(again.entry('incremented'), {
    value: 2,
    expiresAtMs: nowMs + 30_000,
    freshUntilMs: nowMs + 10_000,
    tags: ['incremented'],
  })
})

test("daybook's own files keep stale entries, their times and tags; a pickle has what is fresh, until it is no longer", async (t) => {
  const directory = temporaryDirectory(t)
  const { cache, clock } = await openMemory<string>(t)
  cache.set('stale', 's', { ...TEN_THEN_TWENTY, tags: ['a'] })
  clock.advance(10)
  cache.set('fresh', 'f', { ...TEN_THEN_TWENTY, tags: ['a', 'b'] })
  cache.set('plain', 'p', { tags: ['b'] })
  const entries = ['fresh', 'plain'].map((key) => cache.entry(key))
  for (const name of ['saved.daybook', 'saved.pickle']) t.true((await cache.save(join(directory, name))).ok)
  const own = await openMemory<string>(t, { clock })
  t.like(await own.cache.load(join(directory, 'saved.daybook')), { ok: true, entries: 3 })
  t.deepEqual(
    ['fresh', 'plain'].map((key) => own.cache.entry(key)),
    entries,
  )
  t.is(own.cache.get('stale'), undefined)
  t.is(own.cache.get('stale', { stale: true }), 's')
  t.is((await reopen(t, own)).cache.deleteTag('a', 'b'), 3)
  const pickled = await openMemory<string>(t, { clock })
  t.like(await pickled.cache.load(join(directory, 'saved.pickle')), { ok: true, entries: 2 })
  t.deepEqual(pickled.cache.entry('fresh'), { value: 'f', expiresAtMs: clock.now() + 10_000, tags: [] })
  t.deepEqual(pickled.cache.entry('plain'), { value: 'p', tags: [] })
})

test('a stale entry counts for size, maxSize and maxBytes, and is evicted by order of use', async (t) => {
  const { cache, clock } = await openMemory(t, { maxSize: 3 })
  cache.set('a', 1, TEN_THEN_TWENTY)
  cache.set('b', 1, TEN_THEN_TWENTY)
  cache.set('c', 1)
  clock.advance(10)
  t.is(cache.size, 3)
  cache.get('a', { stale: true })
  const evicted: string[] = []
  cache.evictions$.subscribe(({ key }) => evicted.push(key))
  cache.set('d', 1)
  cache.set('e', 1)
  t.deepEqual(evicted, ['b', 'c'])
  t.is(cache.get('a', { stale: true }), 1)
})

test('an entry that expires makes room before a stale one does', async (t) => {
  const clock = new CountingClock()
  const cache = await openCache({ journal: memoryJournal(), clock, maxSize: 2 })
  cache.set('stale', 1, { ttl: 1, stale: 100 })
  cache.set('expired', 1, { ttl: 5 })
  clock.jump(10_000)
  cache.set('new', 1)
  t.is(cache.get('stale', { stale: true }), 1)
  t.deepEqual(cache.keys(), ['new'])
  t.like(cache.stats(), { evictions: 0, expirations: 1 })
  await cache.close()
})

test('removals$ says of a stale entry that another one replaced it, or that it expired', async (t) => {
  const { cache, clock } = await openMemory(t)
  const removals: unknown[] = []
  cache.removals$.subscribe(({ sequence: _, ...removal }) => removals.push(removal))
  cache.set('a', 1, TEN_THEN_TWENTY)
  cache.set('b', 2, TEN_THEN_TWENTY)
  clock.advance(10)
  t.deepEqual(removals, [])
  cache.set('a', 3, { only: 'absent' })
  clock.advance(20)
  t.deepEqual(removals, [
    { key: 'a', value: 1, reason: 'replaced' },
    { key: 'b', value: 2, reason: 'expired' },
  ])
})

test('a transaction that throws leaves both ends and the tags as they were', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('k', 1, { ...TEN_THEN_TWENTY, tags: ['t'] })
  cache.set('other', 1, { tags: ['t', 'u'] })
  const before = [cache.entry('k'), cache.entry('other')]
  const changes: (() => unknown)[] = [
    () => cache.set('k', 2),
    () => cache.set('k', 2, { tags: ['u'] }),
    () => cache.expire('k', 99),
    () => cache.persist('k'),
    () => cache.delete('k'),
    () => cache.deleteTag('t'),
    () => cache.expireTag('t', 'u'),
    () => cache.set('new', 1, { ttl: 1, stale: 1, tags: ['t'] }),
    () => cache.clear(),
  ]
  for (const change of changes) {
    const undone = new Error('undone')
    const attempt = () =>
      cache.transact(() => {
        change()
        for (const each of changes) each()
        throw undone
      })
    t.is(t.throws(attempt), undone)
    t.deepEqual([cache.entry('k'), cache.entry('other')], before)
    t.is(cache.size, 2)
  }
  clock.advance(10)
  t.is(cache.get('k', { stale: true }), 1)
  t.is(cache.deleteTag('u'), 1)
  t.is(cache.deleteTag('t'), 1)
})

test('entries() is what is fresh at the first next()', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('k', 1, TEN_THEN_TWENTY)
  const [early, late] = [cache.entries(), cache.entries()]
  t.deepEqual(early.next().value, ['k', 1])
  clock.advance(10)
  t.deepEqual([...late], [])
})
