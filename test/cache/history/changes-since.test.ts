/** changesSince: every change once, from the journal and live, only what is durable. */
import test from 'ava'
import { type CacheOptions, memoryCache, type PastChange } from '../../../src/index.js'
import { openWithin } from '../../../src/open.js'
import { ManualClock } from '../../../src/testing.js'
import { SimulatedDisk } from '../../helpers/durable/simulated-disk.js'
import { loopTurn } from '../../helpers/loop-turn.js'
import { playRandomPast } from '../../helpers/random-past.js'
import { countFrom } from '../../helpers/runs.js'

const RUNS = countFrom('DAYBOOK_PAST_RUNS', 12)

async function open(options: CacheOptions = {}) {
  const clock = new ManualClock()
  const disk = new SimulatedDisk()
  const cache = await openWithin(
    { directory: '/j', clock, cleanupInterval: 0, ...options },
    { storage: disk.process() },
  )
  return { cache, clock, disk }
}

async function take<T>(items: AsyncIterableIterator<T>, count: number): Promise<T[]> {
  const taken: T[] = []
  while (taken.length < count) taken.push((await items.next()).value)
  return taken
}

test('what the journal has: every change after any sequence, with its time', async (t) => {
  for (let seed = 1; seed <= RUNS; seed++) {
    const { cache, naive, random } = await playRandomPast(seed, 60)
    await cache.flush()
    for (const after of [0, random.below(naive.last), naive.last - 1]) {
      const expected = naive.told.slice(after).map(({ change, timeMs }) => ({ ...change, timeMs }))
      const items = cache.changesSince(after)
      t.deepEqual(await take(items, expected.length), expected, `seed ${seed}, after ${after}`)
      await items.return?.()
    }
    await cache.close()
  }
})

for (const fsync of ['always', 'everysec', 'never'] as const) {
  test(`without gap or double while writers are at work, through compactions, under ${fsync}`, async (t) => {
    const { cache, clock } = await open({
      fsync,
      history: Number.POSITIVE_INFINITY,
      maxSize: 20,
      compaction: { journalBytes: 1e9, segmentBytes: 3_000 },
    })
    const told: object[] = []
    cache.changes$.subscribe((change) => told.push(change))
    const seen: PastChange[][] = [[], [], []]
    const consumers = seen.map(async (changes, place) => {
      for await (const change of cache.changesSince(0)) {
        changes.push(change)
        if (place > 0 && changes.length % (50 * place) === 0) await loopTurn() // slower ones
      }
    })
    for (let round = 1; round <= 400; round++) {
      cache.set(`k${round % 37}`, `${round}`.padEnd(round % 90, 'x'))
      if (round % 7 === 0) cache.delete(`k${(round + 3) % 37}`)
      if (round % 5 === 0) await loopTurn()
      if (round % 40 === 0) clock.advance(1)
      if (round % 90 === 0) await cache.compact()
    }
    await cache.close()
    await Promise.all(consumers)
    for (const changes of seen)
      t.deepEqual(
        changes.map(({ timeMs, ...change }) => change as object),
        told,
      )
  })
}

test('a change is given when it is durable, not before', async (t) => {
  const { cache, clock } = await open({ fsync: 'everysec' })
  const items = cache.changesSince(0)
  let given: unknown
  const next = items.next().then((item) => {
    given = item.value
  })
  cache.set('a', 1)
  for (let turn = 0; turn < 5; turn++) await loopTurn()
  t.is(given, undefined, 'it is written')
  clock.advance(1)
  await next
  t.like(given, { type: 'set', key: 'a', value: 1, sequence: 1 })
  await cache.close()
})

test('a wait ends with return(), and with the cache, after everything', async (t) => {
  const { cache } = await open({ fsync: 'everysec' })
  const [left, stays] = [cache.changesSince(0), cache.changesSince(0)]
  const waiting = left.next()
  await loopTurn()
  t.deepEqual(await left.return?.(), { done: true, value: undefined })
  t.deepEqual(await waiting, { done: true, value: undefined })
  const last = stays.next()
  const end = stays.next()
  cache.set('a', 1)
  await cache.close()
  t.like((await last).value, { key: 'a' })
  t.deepEqual(await end, { done: true, value: undefined })
})

test('nothing is read before it is asked for', async (t) => {
  const { cache, disk } = await open({ fsync: 'never' })
  for (let at = 0; at < 3_000; at++) cache.set(`k${at}`, 'x'.repeat(200))
  await cache.flush()
  let reads = 0
  disk.plan = (call) => {
    if (call.name === 'read') reads++
    return undefined
  }
  const items = cache.changesSince(0)
  await loopTurn()
  t.is(reads, 0)
  await items.next()
  const first = reads
  t.true(first > 0)
  await take(items, 100)
  t.is(reads, first, 'a portion serves many')
  await cache.close()
})

test('overtaken by compaction: HISTORY_GONE with the oldest; beyond the end: SEQUENCE_AHEAD', async (t) => {
  const { cache } = await open()
  cache.set('a', 1)
  cache.set('b', 2)
  const slow = cache.changesSince(0)
  await cache.compact()
  await t.throwsAsync(slow.next(), { code: 'HISTORY_GONE', message: /sequence 1: the oldest is sequence 2/ })
  t.deepEqual(await slow.next(), { done: true, value: undefined })
  const ahead = cache.changesSince(3)
  await t.throwsAsync(ahead.next(), { code: 'SEQUENCE_AHEAD', message: /changesSince\(3\): .* sequence 2/ })
  const level = cache.changesSince(2)
  cache.set('c', 3)
  await cache.flush()
  t.like((await level.next()).value, { sequence: 3, key: 'c' })
  await level.return?.()
  for (const sequence of [-1, 1.5, Number.NaN, '1', undefined] as never[])
    t.throws(() => cache.changesSince(sequence), { instanceOf: TypeError })
  await cache.close()
})

test('without a directory it is live only', async (t) => {
  const clock = new ManualClock()
  const cache = memoryCache({ clock })
  cache.set('a', 1)
  await t.throwsAsync(cache.changesSince(0).next(), { code: 'HISTORY_GONE' })
  await t.throwsAsync(cache.at({ sequence: 0 }), { code: 'HISTORY_GONE', message: /not kept in a directory/ })
  await t.throwsAsync(cache.history('a').next(), { code: 'HISTORY_GONE' })
  await t.throwsAsync(cache.diff({ ago: 1 }).next(), { code: 'HISTORY_GONE' })
  const items = cache.changesSince(1)
  cache.set('b', 2)
  cache.delete('a')
  t.deepEqual(await take(items, 2), [
    { type: 'set', sequence: 2, key: 'b', value: 2, timeMs: clock.now() },
    { type: 'deleted', sequence: 3, key: 'a', timeMs: clock.now() },
  ])
  const waiting = items.next()
  await cache.close()
  t.deepEqual(await waiting, { done: true, value: undefined })
})
