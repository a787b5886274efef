import test from 'ava'
import { openMemory, reopen } from '../../helpers/open-memory.js'
import { countFrom } from '../../helpers/runs.js'

/** Entries in the tests of slices. DAYBOOK_KEYS: another number. */
const KEYS = countFrom('DAYBOOK_KEYS', 20_000)

test('an entry expires exactly at its deadline, without being read', async (t) => {
  const { cache, clock } = await openMemory(t)
  const startMs = clock.now()
  const seen: unknown[] = []
  cache.expirations$.subscribe((expiration) => seen.push({ ...expiration, atMs: clock.now() }))
  cache.set('b', 'bee', { ttl: '20.25ms' })
  cache.set('a', { n: 1 }, { ttl: 10 })
  clock.advance(60)
  t.deepEqual(seen, [
    {
      key: 'b',
      value: 'bee',
      expiresAtMs: startMs + 20.25,
      seenAtMs: startMs + 20.25,
      sequence: 3,
      atMs: startMs + 20.25,
    },
    {
      key: 'a',
      value: { n: 1 },
      expiresAtMs: startMs + 10_000,
      seenAtMs: startMs + 10_000,
      sequence: 4,
      atMs: startMs + 10_000,
    },
  ])
})

test('there is one timer for all deadlines', async (t) => {
  const { cache, clock } = await openMemory(t, {
    maxSize: Number.POSITIVE_INFINITY,
    cleanupInterval: 0,
    fsync: 'never',
  })
  const before = clock.armed
  for (let index = 0; index < 10_000; index++) cache.set(`key${index}`, index, { ttl: 100 + (index % 1_000) })
  t.true(clock.armed - before <= 1, `${clock.armed - before} timers`)
  t.true(clock.peak <= before + 2)
  const total = clock.total
  t.true(total < 50, 'a later deadline does not arm it again')
  clock.advance(2_000)
  t.is(cache.size, 0)
  t.true(clock.total - total <= 1_100, 'about one per moment at which something expires')
})

test('an earlier deadline moves the timer, a later one does not', async (t) => {
  const { cache, clock } = await openMemory(t, { cleanupInterval: 0, fsync: 'never' })
  cache.set('a', 1, { ttl: 100 })
  const { total } = clock
  cache.set('b', 1, { ttl: 200 })
  t.is(clock.total, total)
  cache.set('c', 1, { ttl: 50 })
  t.is(clock.total, total + 1)
  t.is(clock.delaysMs.at(-1), 50_000)
})

test('a removed deadline does not move the timer, which then finds nothing due', async (t) => {
  const { cache, clock } = await openMemory(t, { cleanupInterval: 0, fsync: 'never' })
  cache.set('a', 1, { ttl: 10 })
  cache.set('b', 1, { ttl: 20 })
  cache.delete('a')
  const seen: string[] = []
  cache.expirations$.subscribe(({ key }) => seen.push(key))
  clock.advance(10)
  t.deepEqual(seen, [])
  clock.advance(10)
  t.deepEqual(seen, ['b'])
  t.is(clock.armed, 0)
})

test('entries set while others expire, expire on time', async (t) => {
  const { cache, clock } = await openMemory(t)
  const lates: number[] = []
  cache.expirations$.subscribe(({ key, seenAtMs, expiresAtMs }) => {
    lates.push(seenAtMs - expiresAtMs)
    if (Number(key) < 20) cache.set(String(Number(key) + 1), 1, { ttl: 1 })
  })
  cache.set('0', 1, { ttl: 1 })
  clock.advance(30)
  t.deepEqual(lates, Array(21).fill(0))
})

test('many entries expire on time and in order', async (t) => {
  const { cache, clock } = await openMemory(t, { maxSize: Number.POSITIVE_INFINITY })
  let lastMs = 0
  let late = 0
  let count = 0
  cache.expirations$.subscribe(({ expiresAtMs, seenAtMs }) => {
    t.true(expiresAtMs >= lastMs)
    lastMs = expiresAtMs
    late = Math.max(late, seenAtMs - expiresAtMs)
    count++
  })
  for (let index = 0; index < 2_000; index++)
    cache.set(`key${index}`, 1, { ttl: `${1 + ((index * 7_919) % 100_003)}ms` })
  clock.advance(101)
  t.is(count, 2_000)
  t.is(late, 0)
})

test(`${KEYS} entries that expire together are removed in slices, with the event loop in between`, async (t) => {
  const { cache, clock } = await openMemory(t, { maxSize: Number.POSITIVE_INFINITY, cleanupInterval: 0 })
  for (let index = 0; index < KEYS; index++) cache.set(`key${index}`, index, { ttl: 10 })
  cache.set('stays', 1)
  let slices = 0
  let largest = 0
  let lastSize = cache.size
  const look = () => {
    const removed = lastSize - cache.size
    lastSize = cache.size
    largest = Math.max(largest, removed)
    if (removed > 0) slices++
    if (cache.size > 1) clock.setTimeout(look, 0) // between two slices
  }
  clock.setTimeout(look, 10_000)
  clock.advance(10)
  t.is(cache.size, 1)
  t.true(largest <= 2_000, `${largest} in one slice`)
  t.true(slices >= KEYS / 2_000, `${slices} slices`)
  t.is(cache.stats().expirations, KEYS)
  t.is(cache.get('stays'), 1)
})

test(`${KEYS} overdue entries are removed by the background cleanup in slices`, async (t) => {
  const { cache, clock } = await openMemory(t, { maxSize: Number.POSITIVE_INFINITY })
  for (let index = 0; index < KEYS; index++) cache.set(`key${index}`, index, { ttl: 1_000 })
  clock.jump(1_000_000)
  const sizes = new Set<number>()
  const look = () => {
    sizes.add(cache.size)
    if (cache.size > 0) clock.setTimeout(look, 0)
  }
  clock.setTimeout(look, 60_000)
  clock.advance(60)
  t.is(cache.size, 0)
  t.true(sizes.size >= KEYS / 2_000, `${sizes.size} sizes seen`)
})

test('a call between two slices sees no expired entry, and what it sets is kept', async (t) => {
  const { cache, clock } = await openMemory(t, { maxSize: Number.POSITIVE_INFINITY, cleanupInterval: 0 })
  for (let index = 0; index < 5_000; index++) cache.set(`key${index}`, index, { ttl: 10 })
  let looks = 0
  const look = () => {
    looks++
    for (const key of ['key0', 'key2500', 'key4999']) t.is(cache.peek(key), undefined)
    cache.set(`new${looks}`, 1, { ttl: 100 })
    if (cache.size > looks) clock.setTimeout(look, 0)
  }
  clock.setTimeout(look, 10_000)
  clock.advance(10)
  t.true(looks > 1)
  t.is(cache.size, looks)
})

test('entries that expired while the process was down expire right after opening, visible to subscribers', async (t) => {
  const opened = await openMemory(t)
  opened.cache.set('a', 'old', { ttl: 10 })
  opened.cache.set('b', 1)
  const { sequence } = opened.cache.stats().journal
  await opened.cache.close()
  opened.clock.jump(60_000)
  const { cache, clock } = await reopen(t, opened)
  const seen: unknown[] = []
  cache.expirations$.subscribe((expiration) => seen.push(expiration))
  t.is(cache.size, 2)
  t.is(cache.recovery.expired, 0)
  clock.advance(0)
  t.deepEqual(seen, [
    { key: 'a', value: 'old', expiresAtMs: clock.now() - 50_000, seenAtMs: clock.now(), sequence: sequence + 1 },
  ])
})

test('an entry that expired while the process was down expires when a call finds it first', async (t) => {
  const opened = await openMemory(t)
  opened.cache.set('a', 'old', { ttl: 10 })
  await opened.cache.close()
  opened.clock.jump(60_000)
  const { cache } = await reopen(t, opened)
  const seen: string[] = []
  cache.expirations$.subscribe(({ value }) => seen.push(value as string))
  t.is(cache.get('a'), undefined)
  t.deepEqual(seen, ['old'])
})

test('opening with a smaller maxSize removes expired entries first, then the least recently used, as events', async (t) => {
  const opened = await openMemory(t)
  for (const key of ['a', 'b', 'c', 'd', 'e']) opened.cache.set(key, 1, key === 'd' ? { ttl: 10 } : {})
  opened.cache.get('a')
  await opened.cache.close()
  opened.clock.jump(60_000)
  const { cache } = await reopen(t, opened, { maxSize: 2 })
  t.deepEqual(cache.keys(), ['e', 'a'])
  t.like(cache.recovery, { expired: 1, evicted: 2 })
  t.like(cache.stats(), { expirations: 1, evictions: 2, size: 2 })
  t.is(cache.stats().journal.sequence, 9, 'with the event of the new limits')
})
