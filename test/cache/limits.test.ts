/**
 * Limits are remembered facts. Opening a journal without a limit never evicts, in whatever way it was written and is opened;
 * a limit that is given and differs is a change.
 */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { from } from 'rxjs'
import { toChange } from '../../src/cache/streams/changes.js'
import { watch } from '../../src/cache/streams/watch.js'
import type { JournaledEvent } from '../../src/cache/turns/outbox.js'
import {
  type CacheEvent,
  type CacheOptions,
  type Change,
  type Journal,
  memoryJournal,
  openCache,
} from '../../src/index.js'
import { openWithin } from '../../src/open.js'
import { BreakableJournal } from '../helpers/breakable-journal.js'
import { GOLDEN_V1_FOLDER } from '../helpers/durable/golden-journal.js'
import { loopTurn } from '../helpers/loop-turn.js'
import { openMemory, reopen } from '../helpers/open-memory.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const NONE = Number.POSITIVE_INFINITY

/** Seven thousand entries in a journal without a limit. */
async function fill(options: CacheOptions, count = 7_000) {
  const cache = await openCache<number>({ fsync: 'never', ...options })
  cache.setMany(Array.from({ length: count }, (_, at): [string, number] => [`k${at}`, at]))
  return cache
}

async function limitsOf(options: CacheOptions) {
  const cache = await openCache(options)
  const { maxSize, maxBytes, sequence } = cache.stats().journal
  const { evicted, expired } = cache.recovery
  const { size } = cache
  await cache.close()
  return { maxSize, maxBytes, size, evicted, expired, sequence }
}

test('a new journal has 1000 entries and no limit on bytes, and remembers it', async (t) => {
  const journal = memoryJournal()
  const cache = await fill({ journal }, 1_001)
  t.like(cache.stats(), { size: 1_000, evictions: 1, journal: { maxSize: 1_000, maxBytes: NONE } })
  await cache.close()
  t.like(await limitsOf({ journal }), { maxSize: 1_000, maxBytes: NONE, size: 1_000 })
})

test('limits of a new journal are no event: its first change has sequence 1', async (t) => {
  const { cache } = await openMemory(t, { maxSize: 5, maxBytes: 500 })
  cache.set('a', 1)
  t.is(cache.stats().journal.sequence, 1)
})

const WAYS: Record<string, (options: CacheOptions) => Promise<CacheOptions>> = {
  'after a clean close': async (options) => {
    await (await fill({ ...options, maxSize: NONE })).close()
    return options
  },
  'after a clean close without a change': async (options) => {
    await (await fill({ ...options, maxSize: NONE })).close()
    await (await openCache(options)).close()
    return options
  },
  'after a compaction': async (options) => {
    const cache = await fill({ ...options, maxSize: NONE })
    await cache.compact()
    await cache.close()
    return options
  },
  'after two compactions, with events in between': async (options) => {
    const cache = await fill({ ...options, maxSize: NONE })
    await cache.compact()
    cache.set('k0', -1)
    await cache.compact()
    cache.set('k1', -1)
    await cache.close()
    return options
  },
  'after clear': async (options) => {
    const cache = await openCache({ ...options, maxSize: NONE })
    cache.set('a', 1)
    cache.clear()
    await cache.compact()
    await cache.close()
    await (await fill(options)).close()
    return options
  },
}

for (const [what, write] of Object.entries(WAYS)) {
  test(`opened without a limit, 7,000 entries stay: ${what}`, async (t) => {
    for (const place of [{ journal: memoryJournal() }, { directory: temporaryDirectory(t) }]) {
      const found = await limitsOf(await write(place))
      t.like(found, { size: 7_000, maxSize: NONE, maxBytes: NONE, evicted: 0, expired: 0 })
    }
  })
}

test('opened without a limit, 7,000 entries stay: after a crash', async (t) => {
  const directory = temporaryDirectory(t)
  const copy = temporaryDirectory(t)
  const cache = await fill({ directory, maxSize: NONE })
  await loopTurn()
  cpSync(directory, copy, { recursive: true })
  await cache.close()
  t.like(await limitsOf({ directory: copy }), { size: 7_000, maxSize: NONE, evicted: 0 })
})

test('opened without a limit, 7,000 entries stay: begun by the command line, which gives no limit', async (t) => {
  const directory = temporaryDirectory(t)
  const cache = await openWithin<number>({ directory, fsync: 'never' }, { newMaxSize: NONE })
  cache.setMany(Array.from({ length: 7_000 }, (_, at): [string, number] => [`k${at}`, at]))
  await cache.close()
  t.like(await limitsOf({ directory }), { size: 7_000, maxSize: NONE, evicted: 0 })
})

test('load keeps the limits of the cache, not those of the file, and so does what was saved', async (t) => {
  const directory = temporaryDirectory(t)
  const path = join(temporaryDirectory(t), 'saved')
  const many = await fill({ journal: memoryJournal(), maxSize: NONE, maxBytes: 1e9 })
  t.like(await many.save(path), { ok: true, entries: 7_000 })
  await many.close()
  const few = await openCache({ directory, maxSize: 6_000 })
  t.like(await few.load(path), { ok: true, entries: 6_000, evicted: 1_000 })
  await few.close()
  t.like(await limitsOf({ directory }), { size: 6_000, maxSize: 6_000, maxBytes: NONE })
})

for (const [name, size] of Object.entries({ many: 1_200, example: 2, compacted: 5 })) {
  test(`a version 1 journal (${name}) has room for its entries, at least 1000, and remembers that`, async (t) => {
    const directory = temporaryDirectory(t)
    cpSync(join(GOLDEN_V1_FOLDER, name), directory, { recursive: true })
    const maxSize = Math.max(1_000, size)
    const clock = { now: () => 1_700_000_000_000, setTimeout: () => 0, clearTimeout: () => undefined }
    const before = await limitsOf({ directory, clock })
    t.like(before, { size, maxSize, maxBytes: NONE, evicted: 0 })
    const cache = await openCache({ directory, clock })
    cache.clear()
    await cache.close()
    t.like(await limitsOf({ directory, clock }), { size: 0, maxSize, sequence: before.sequence + 1 })
  })
}

test('a given limit on a version 1 journal evicts, as events, and is remembered', async (t) => {
  const directory = temporaryDirectory(t)
  cpSync(join(GOLDEN_V1_FOLDER, 'many'), directory, { recursive: true })
  t.like(await limitsOf({ directory, maxSize: 100 }), { size: 100, evicted: 1_100, sequence: 1_200 + 1 + 1_100 })
  t.like(await limitsOf({ directory }), { size: 100, maxSize: 100, evicted: 0 })
})

test('a limit that differs is one event, also if nothing has to go; one that does not differ is none', async (t) => {
  const journal = new BreakableJournal()
  const seen = async (options: CacheOptions) => {
    journal.appended.length = 0
    const { maxSize, maxBytes } = await limitsOf({ journal, ...options })
    return { events: journal.appended.flat() as CacheEvent[], limits: [maxSize, maxBytes] }
  }
  t.deepEqual(await seen({ maxSize: 10 }), { events: [], limits: [10, NONE] })
  t.deepEqual(await seen({ maxSize: 10 }), { events: [], limits: [10, NONE] })
  const limited = (maxSize: number, maxBytes: number) => ({ type: 'limited' as const, maxSize, maxBytes })
  t.deepEqual(await seen({ maxBytes: 900 }), { events: [limited(10, 900)], limits: [10, 900] }, 'maxSize stays')
  t.deepEqual(await seen({ maxSize: 20 }), { events: [limited(20, 900)], limits: [20, 900] }, 'maxBytes stays')
  t.deepEqual(await seen({}), { events: [], limits: [20, 900] })
  t.deepEqual(await seen({ maxSize: undefined, maxBytes: NONE }), { events: [limited(20, NONE)], limits: [20, NONE] })
})

test('a smaller limit and what it evicts are one turn, before anything can be called', async (t) => {
  const journal = new BreakableJournal()
  await (await fill({ journal, maxSize: NONE }, 3_000)).close()
  journal.appended.length = 0
  const cache = await openCache({ journal, maxSize: 10 })
  t.like(cache.recovery, { evicted: 2_990, expired: 0 })
  t.is(journal.appended.length, 1)
  t.deepEqual(journal.appended[0]?.slice(0, 2), [
    { type: 'limited', maxSize: 10, maxBytes: NONE },
    { type: 'evicted', key: 'k0' },
  ])
  t.is(cache.size, 10)
  t.is(cache.get('k2990'), 2_990)
  await cache.close()
})

test('maxBytes given later weighs what is there; raised to Infinity it weighs nothing', async (t) => {
  const opened = await openMemory(t, { maxSize: NONE })
  for (const key of ['a', 'b', 'c']) opened.cache.set(key, 'x'.repeat(9)) // 10 bytes each
  const weighed = await reopen(t, opened, { maxBytes: 25 })
  t.deepEqual(weighed.cache.keys(), ['b', 'c'])
  weighed.cache.set('d', 'x'.repeat(9))
  t.deepEqual(weighed.cache.keys(), ['c', 'd'])
  const remembered = await reopen(t, weighed)
  t.throws(() => remembered.cache.set('large', 'x'.repeat(30)), { name: 'RangeError', message: /maxBytes \(25\)/ })
  const free = await reopen(t, remembered, { maxBytes: NONE })
  free.cache.set('large', 'x'.repeat(30))
  t.deepEqual(free.cache.keys(), ['c', 'd', 'large'])
})

test('removals that do not fit in one frame take several, and the limits change with the last', async (t) => {
  const inner = memoryJournal()
  const sizes: number[] = []
  const cautious: Journal = Object.create(inner, {
    append: {
      value: (events: readonly CacheEvent[]) => {
        if (events.length > 100) throw new RangeError('too large for a frame')
        sizes.push(events.length)
        return inner.append(events)
      },
    },
    ...Object.fromEntries(
      (['open', 'flush', 'compact', 'stage', 'figures', 'close'] as const).map((name) => [
        name,
        { value: (inner[name] as (...all: unknown[]) => unknown).bind(inner) },
      ]),
    ),
    health: { get: () => inner.health },
    isDueForCompaction: { get: () => false },
    onChange: { value: undefined, writable: true },
    appendSet: { value: undefined },
  })
  await (await fill({ journal: inner, maxSize: NONE }, 300)).close()
  const cache = await openCache({ journal: cautious, maxSize: 10 })
  t.like(cache.recovery, { evicted: 290 })
  t.true(sizes.length > 2 && sizes.every((size) => size <= 100))
  t.is(cache.stats().journal.sequence, 300 + 290 + 1)
  await cache.close()
})

test('a journal that keeps events only learns its limits from an event', async (t) => {
  const inner = new BreakableJournal()
  const journal: Journal = Object.create(inner, {
    // Neither hears of the limits of its session nor says any.
    open: { value: (session: never) => inner.open({ ...(session as object), receiver: silenced(session) } as never) },
    ...Object.fromEntries(
      (['append', 'flush', 'compact', 'stage', 'figures', 'close'] as const).map((name) => [
        name,
        { value: (inner[name] as (...all: unknown[]) => unknown).bind(inner) },
      ]),
    ),
    health: { get: () => inner.health },
    isDueForCompaction: { get: () => false },
    onChange: { value: undefined, writable: true },
  })
  t.like(await limitsOf({ journal, maxSize: 5 }), { maxSize: 5, sequence: 1 })
  t.like(await limitsOf({ journal }), { maxSize: 5, sequence: 1 })
})

function silenced({ receiver }: { receiver: object }) {
  return Object.create(receiver, { limits: { value: () => undefined } })
}

test('changes$ tells new limits; watch() does not, because they change no key', async (t) => {
  const journaled = { event: { type: 'limited' as const, maxSize: 5, maxBytes: NONE }, sequence: 7 }
  const change = toChange(journaled as JournaledEvent, () => undefined)
  t.deepEqual(change, { type: 'limited', sequence: 7, maxSize: 5, maxBytes: NONE })
  const watched: Change[] = []
  watch(from<Change[]>([change, { type: 'cleared', sequence: 8 }]), '*').subscribe((next) => watched.push(next))
  t.deepEqual(watched, [{ type: 'cleared', sequence: 8 }])
})
