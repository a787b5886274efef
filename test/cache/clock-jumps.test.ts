import test from 'ava'
import { openMemory, reopen } from '../helpers/open-memory.js'

const YEAR_MS = 365 * 86_400_000

test('a jump of a year forward expires what it passes', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('soon', 1, { ttl: 10 })
  cache.set('late', 1, { ttl: '700d' })
  cache.set('never', 1)
  clock.jump(YEAR_MS)
  t.is(cache.get('soon'), undefined)
  t.is(cache.get('late'), 1)
  t.is(cache.get('never'), 1)
  t.is(cache.ttl('late'), 335 * 86_400)
})

test('expired entries do not come back when the clock jumps a year back', async (t) => {
  const opened = await openMemory(t)
  const { cache, clock } = opened
  cache.set('met', 1, { ttl: 10 })
  cache.set('on time', 1, { ttl: 10 })
  cache.set('never', 1)
  clock.jump(10_000)
  t.is(cache.get('met'), undefined)
  clock.advance(60)
  clock.jump(-YEAR_MS)
  t.deepEqual(cache.keys(), ['never'])
  const again = await reopen(t, opened)
  t.deepEqual(again.cache.keys(), ['never'])
  t.is(again.cache.stats().expirations, 2)
})

test('after a jump back entries live until their deadlines and expire on time', async (t) => {
  const { cache, clock } = await openMemory(t, { cleanupInterval: 0 })
  const seen: number[] = []
  cache.expirations$.subscribe(({ seenAtMs, expiresAtMs }) => seen.push(seenAtMs - expiresAtMs))
  cache.set('a', 1, { ttl: 10 })
  clock.jump(-YEAR_MS)
  clock.advance(20) // the timer fires, and finds nothing due
  t.is(cache.get('a'), 1)
  clock.advance('365d')
  t.is(cache.size, 0)
  t.deepEqual(seen, [0])
})

test('after a jump forward the cleanup removes what is overdue', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('a', 1, { ttl: '300d' })
  clock.jump(YEAR_MS)
  clock.advance(60)
  t.is(cache.size, 0)
  t.is(cache.stats().expirations, 1)
})

test('the clock may jump either way while the process is down', async (t) => {
  let opened = await openMemory(t)
  opened.cache.set('a', 1, { ttl: 10 })
  opened.cache.set('b', 1)
  await opened.cache.close()
  opened.clock.jump(-YEAR_MS)
  opened = await reopen(t, opened)
  t.is(opened.cache.get('a'), 1)
  t.is(opened.cache.ttl('a'), 10 + YEAR_MS / 1_000)
  await opened.cache.close()
  opened.clock.jump(2 * YEAR_MS)
  opened = await reopen(t, opened)
  t.is(opened.cache.get('a'), undefined)
  t.is(opened.cache.get('b'), 1)
})

test('with jumps between all kinds of calls the limits hold, and reopening finds the same entries', async (t) => {
  const opened = await openMemory(t, { maxSize: 5 })
  const { cache, clock } = opened
  cache.stats$.subscribe()
  cache.expirations$.subscribe()
  for (let index = 0; index < 200; index++) {
    clock.jump((index % 2 === 0 ? 1 : -1) * YEAR_MS * (index % 5))
    cache.set(`key${index % 9}`, index, { ttl: index % 3 === 0 ? '300d' : 5 })
    cache.get(`key${(index * 7) % 9}`)
    clock.advance('700ms')
    if (index % 50 === 0) await cache.compact()
    t.true(cache.size <= 5)
  }
  cache.cleanup()
  const before = [...cache.entries()]
  const again = await reopen(t, opened, { maxSize: 5 })
  t.deepEqual([...again.cache.entries()], before)
})

test('expiry works before 1970 and far in the future', async (t) => {
  for (const offsetMs of [-4e12, 8e15]) {
    const { cache, clock } = await openMemory(t)
    clock.jump(offsetMs - clock.now())
    cache.set('a', 1, { ttl: 10 })
    clock.advance('9999ms')
    t.is(cache.get('a'), 1)
    clock.advance('1ms')
    t.is(cache.get('a'), undefined)
  }
})

test('entries set after a jump forward expire on time, whatever timer was armed before', async (t) => {
  const { cache, clock } = await openMemory(t, { cleanupInterval: 0 })
  const seen: [string, number][] = []
  cache.expirations$.subscribe(({ key, seenAtMs, expiresAtMs }) => seen.push([key, seenAtMs - expiresAtMs]))
  cache.set('old', 1, { ttl: '30d' })
  clock.jump(86_400_000) // its timer still counts 30 days, and so it is a day late from here on
  cache.set('new', 1, { ttl: 10 })
  clock.advance(10)
  t.deepEqual(seen, [['new', 0]])
  clock.jump(40 * 86_400_000)
  cache.set('newer', 1, { ttl: 20 })
  clock.advance(1)
  t.is(seen.at(-1)?.[0], 'old')
  clock.advance(19)
  t.deepEqual(seen.at(-1), ['newer', 0])
})

for (const jumpMs of [YEAR_MS, -YEAR_MS]) {
  test(`a jump of ${jumpMs / YEAR_MS} years neither ends a load early nor lets it go on past hardTimeout`, async (t) => {
    const { cache, clock } = await openMemory(t)
    let signal: AbortSignal | undefined
    const wait = (options: object) =>
      cache.getOrSet(
        'k',
        (_, context) => {
          signal = context.signal
          return new Promise(() => undefined)
        },
        options,
      )
    const first = wait({ timeout: 1, hardTimeout: 10 })
    await Promise.resolve()
    clock.jump(jumpMs)
    clock.advance(1)
    await t.throwsAsync(first, { code: 'LOAD_TIMEOUT' })
    const second = wait({})
    clock.jump(-jumpMs)
    clock.advance('8999ms')
    t.false(signal?.aborted)
    clock.advance('1ms')
    t.true(signal?.aborted)
    await t.throwsAsync(second, { code: 'LOAD_TIMEOUT' })
    t.is(await cache.getOrSet('k', () => 1), 1)
  })
}
