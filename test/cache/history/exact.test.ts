/** Random histories, and the past as a naive model has it. DAYBOOK_PAST_RUNS: how many. */
import { isDeepStrictEqual } from 'node:util'
import test from 'ava'
import { openWithin } from '../../../src/open.js'
import { type NaiveEntry, shownEntry } from '../../helpers/naive-past.js'
import { playRandomPast } from '../../helpers/random-past.js'
import { countFrom } from '../../helpers/runs.js'

const RUNS = countFrom('DAYBOOK_PAST_RUNS', 12)
const keysOf = (entries: Map<string, unknown>) => [...entries.keys()]

test('at({ sequence: n }) is what the naive model says, for every n that is kept', async (t) => {
  for (let seed = 1; seed <= RUNS; seed++) {
    const { cache, naive } = await playRandomPast(seed, 60, seed % 3 === 0 ? { bytes: 4_000 } : undefined)
    const { oldestSequence, sequence: last } = cache.stats().journal
    t.is(last, naive.last)
    for (let n = oldestSequence; n <= last; n++) {
      const what = `seed ${seed}, sequence ${n} of ${oldestSequence} to ${last}`
      const view = await cache.at({ sequence: n })
      t.is(view.sequence, n)
      if (n > oldestSequence) t.is(view.timeMs, naive.timeOf(n), what)
      const expected = naive.liveAt(n, view.timeMs)
      t.deepEqual(view.keys(), keysOf(expected), what)
      t.is(view.size, naive.at(n).size, what)
      for (const [key, { value, expiresAtMs, freshUntilMs }] of expected) {
        t.deepEqual(view.get(key), value, what)
        t.is(view.ttl(key), (Math.min(expiresAtMs, freshUntilMs) - view.timeMs) / 1_000, what)
      }
      view.close()
    }
    await cache.close()
  }
})

test('at(time) is the state after the last frame written at or before it; a pattern selects', async (t) => {
  for (let seed = 1; seed <= RUNS; seed++) {
    const { cache, naive, random, clock } = await playRandomPast(seed, 60)
    const beganMs = cache.stats().journal.oldestTimeMs
    for (let count = 0; count < 8; count++) {
      const timeMs = beganMs + random.below(clock.now() - beganMs + 2_000)
      const n = naive.sequenceAt(timeMs)
      const what = `seed ${seed}, time ${timeMs}, sequence ${n}`
      const pattern = count % 2 === 0 ? 'a:*' : '*'
      const view = await cache.at(new Date(timeMs), { pattern })
      t.is(view.sequence, n, what)
      t.is(view.timeMs, Math.min(timeMs, clock.now()), what)
      const matching = keysOf(naive.liveAt(n, view.timeMs)).filter((key) => pattern === '*' || key.startsWith('a:'))
      t.deepEqual(view.keys(), matching, what)
    }
    await cache.close()
  }
})

test('diff(a, b) applied to the view at a gives the view at b', async (t) => {
  for (let seed = 1; seed <= RUNS; seed++) {
    const { cache, naive, random } = await playRandomPast(seed, 60)
    for (let count = 0; count < 8; count++) {
      const [a, b] = [1 + random.below(naive.last), 1 + random.below(naive.last)]
      const what = `seed ${seed}, from ${a} to ${b}`
      const shown = (n: number) =>
        new Map([...naive.liveAt(n, naive.timeOf(n))].map(([key, entry]) => [key, shownEntry(entry)]))
      const [entries, wanted] = [shown(a), shown(b)]
      for await (const { key, before, after } of cache.diff({ sequence: a }, { sequence: b })) {
        t.deepEqual(before as object | undefined, entries.get(key), what)
        t.false(isDeepStrictEqual(before, after), `${what}: ${key} is not different`)
        if (after === undefined) entries.delete(key)
        else entries.set(key, after)
      }
      t.deepEqual(Object.fromEntries(entries), Object.fromEntries(wanted), what)
    }
    await cache.close()
  }
})

test('after restore(when), diff(when, now) is empty but for what has expired; it can be undone', async (t) => {
  for (let seed = 1; seed <= RUNS; seed++) {
    const { cache, naive, random, clock } = await playRandomPast(seed, 60)
    cache.resize({ maxSize: 1_000 })
    const before = cache.stats().journal.sequence
    const stored = (): Record<string, object | undefined> =>
      Object.fromEntries(cache.keys().map((key) => [key, cache.entry(key)]))
    const present = stored()
    const n = 1 + random.below(naive.last)
    const what = `seed ${seed}, to ${n}`
    const expected = await cache.restore({ sequence: n }, { dryRun: true })
    t.is(cache.stats().journal.sequence, before, 'a dry run changes nothing')
    t.deepEqual(await cache.restore({ sequence: n }), expected, what)
    const hasCeased = ({ expiresAtMs, freshUntilMs }: NaiveEntry) => Math.min(expiresAtMs, freshUntilMs) <= clock.now()
    const past = naive.liveAt(n, naive.timeOf(n))
    for await (const { key, after } of cache.diff({ sequence: n })) {
      t.is(after, undefined, `${what}: ${key}`)
      t.true(hasCeased(past.get(key) as NaiveEntry), `${what}: ${key}`)
    }
    await cache.restore({ sequence: before })
    t.deepEqual(stored(), present, `${what}, and back`)
    await cache.close()
  }
})

test('a fork is a cache of its own with the same content', async (t) => {
  for (let seed = 1; seed <= RUNS / 4; seed++) {
    const { cache, disk, naive, random, clock } = await playRandomPast(seed, 60)
    const n = random.below(naive.last + 1)
    const fork = await cache.fork('/fork', { sequence: n })
    t.is(fork.sequence, n)
    t.is(fork.entries, naive.at(n).size)
    await cache.close()
    const nowMs = clock.now()
    const opened = await openWithin({ directory: '/fork', clock }, { storage: disk.process() })
    const expected = [...naive.at(n)].filter(([, entry]) => nowMs < Math.min(entry.expiresAtMs, entry.freshUntilMs))
    t.deepEqual(
      opened.keys().map((key) => [key, opened.entry(key) as object]),
      expected.map(([key, entry]) => [key, shownEntry(entry) as object]),
      `seed ${seed}, at ${n}`,
    )
    opened.set('own', 1)
    t.is(await opened.flush(), opened.stats().journal.sequence)
    await opened.close()
  }
})
