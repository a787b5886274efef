import test, { type ExecutionContext } from 'ava'
import type { Cache } from '../../../src/index.js'
import { everything } from '../../helpers/everything.js'
import { openMemory } from '../../helpers/open-memory.js'

/** Asserts that a call throws an error of this name and message, and changes nothing. */
async function refused(
  t: ExecutionContext,
  name: string,
  message: RegExp,
  call: (cache: Cache) => unknown,
): Promise<void> {
  const { cache } = await openMemory(t, { maxSize: 2 })
  cache.set('key', 1, { ttl: 10 })
  cache.set('other', 1)
  const before = everything(cache)
  t.throws(() => call(cache), { name, message })
  t.deepEqual(everything(cache), before)
}

const BAD_TTLS: [unknown, string][] = [
  [Number.NaN, 'RangeError'],
  [-1, 'RangeError'],
  [-0.001, 'RangeError'],
  [Number.NEGATIVE_INFINITY, 'RangeError'],
  [1e300, 'RangeError'],
  [Number.MAX_VALUE, 'RangeError'],
  ['99999999999d', 'RangeError'],
  ['-5s', 'RangeError'],
  ['-1ms', 'RangeError'],
  ['5 parsecs', 'TypeError'],
  ['', 'TypeError'],
  ['s', 'TypeError'],
  ['10', 'TypeError'],
  ['10 s', 'TypeError'],
  ['10S', 'TypeError'],
  ['NaNs', 'TypeError'],
  ['Infinitys', 'TypeError'],
  ['1h30m', 'TypeError'],
  ['١٠s', 'TypeError'],
  ['10s\n', 'TypeError'],
  [null, 'TypeError'],
  [true, 'TypeError'],
  [10n, 'TypeError'],
  [{}, 'TypeError'],
  [[10], 'TypeError'],
  [new Date(), 'TypeError'],
  [Symbol('ttl'), 'TypeError'],
  [() => 10, 'TypeError'],
]
for (const [ttl, name] of BAD_TTLS) {
  test(`a ttl of ${typeof ttl} ${JSON.stringify(ttl, large) ?? String(ttl)} is a ${name} that names it, and changes nothing`, async (t) => {
    const bad = ttl as never
    const calls: ((cache: Cache) => unknown)[] = [
      (cache) => cache.set('key', 2, { ttl: bad }),
      (cache) => cache.set('new', 2, { ttl: bad }),
      (cache) => cache.setMany([['new', 2]], { ttl: bad }),
      (cache) => cache.increment('key', 1, { ttl: bad }),
      (cache) => cache.increment('new', 1, { ttl: bad }),
      (cache) => cache.decrement('new', 1, { ttl: bad }),
      (cache) => cache.expire('key', bad),
      (cache) => cache.expire('missing', bad),
    ]
    for (const call of calls) await refused(t, name, /^ttl .*Nothing was changed/s, call)
  })
}

function large(_: string, value: unknown): unknown {
  return typeof value === 'bigint'
    ? `${value}n`
    : typeof value === 'number' && !Number.isFinite(value)
      ? String(value)
      : value
}

test('a ttl of Infinity means no deadline', async (t) => {
  const { cache, clock } = await openMemory(t, { ttl: 5, cleanupInterval: 0 })
  cache.set('a', 1, { ttl: Number.POSITIVE_INFINITY })
  clock.advance('365d')
  t.is(cache.get('a'), 1)
  t.is(cache.ttl('a'), Number.POSITIVE_INFINITY)
})

for (const [ttl, ms] of [
  [10, 10_000],
  [0.5, 500],
  [0, 0],
  ['250ms', 250],
  ['0.5ms', 0.5],
  ['.5s', 500],
  ['10s', 10_000],
  ['1.5m', 90_000],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['7d', 604_800_000],
  ['100000d', 8_640_000_000_000],
] as const) {
  test(`a ttl of ${JSON.stringify(ttl)} is ${ms} ms`, async (t) => {
    const { cache, clock } = await openMemory(t)
    const seen: (number | undefined)[] = []
    cache.changes$.subscribe(({ expiresAtMs }) => seen.push(expiresAtMs))
    cache.set('a', 1, { ttl: ttl as never })
    t.is(seen[0], clock.now() + ms)
  })
}

for (const [expiresAt, name] of [
  [Number.NaN, 'RangeError'],
  [Number.NEGATIVE_INFINITY, 'RangeError'],
  [1e300, 'RangeError'],
  [8.64e15 + 1, 'RangeError'],
  [new Date(Number.NaN), 'RangeError'],
  ['2030-01-01', 'TypeError'],
  [null, 'TypeError'],
  [5n, 'TypeError'],
  [{}, 'TypeError'],
] as const) {
  test(`expiresAt ${typeof expiresAt} ${String(expiresAt)} is a ${name} that names it, and changes nothing`, async (t) => {
    for (const key of ['key', 'new']) {
      await refused(t, name, /^expiresAt .*Nothing was changed/s, (cache) =>
        cache.set(key, 2, { expiresAt: expiresAt as never }),
      )
      await refused(t, name, /^expiresAt/, (cache) => cache.setMany([[key, 2]], { expiresAt: expiresAt as never }))
    }
  })
}

test('ttl and expiresAt together are a TypeError', (t) =>
  refused(t, 'TypeError', /ttl and expiresAt/, (cache) => cache.set('key', 2, { ttl: 1, expiresAt: Date.now() })))

for (const only of ['', 'new', null, true, 1]) {
  test(`only ${JSON.stringify(only)} is a TypeError that names it`, async (t) => {
    await refused(t, 'TypeError', /only/, (cache) => cache.set('key', 2, { only: only as never }))
    await refused(t, 'TypeError', /only/, (cache) => cache.setMany([['key', 2]], { only: only as never }))
  })
}

for (const options of [null, 5, 'ttl', true, () => 1]) {
  test(`options of ${typeof options} ${options} are a TypeError`, async (t) => {
    await refused(t, 'TypeError', /options/, (cache) => cache.set('key', 2, options as never))
    await refused(t, 'TypeError', /options/, (cache) => cache.setMany([['key', 2]], options as never))
    await refused(t, 'TypeError', /options/, (cache) => cache.increment('key', 1, options as never))
  })
}

test('an entry larger than maxBytes is a RangeError that names both sizes, and changes nothing', async (t) => {
  const { cache } = await openMemory(t, { maxBytes: 1_000 })
  cache.set('small', 'x'.repeat(500))
  const before = everything(cache)
  for (const call of [
    () => cache.set('large', 'x'.repeat(1_000)),
    () => cache.set('small', 'x'.repeat(1_000)),
    () => cache.set('k'.repeat(1_000), 1),
    () => cache.set('large', { text: 'x'.repeat(1_000) }),
    () =>
      cache.setMany([
        ['a', 1],
        ['large', 'x'.repeat(1_000)],
      ]),
    () => cache.increment('k'.repeat(1_000)),
  ]) {
    t.throws(call, { name: 'RangeError', message: /maxBytes \(1000\)/ })
    t.deepEqual(everything(cache), before)
  }
})

test('the encoded entries never take more than maxBytes together', async (t) => {
  const { cache } = await openMemory(t, { maxBytes: 1_000, maxSize: Number.POSITIVE_INFINITY })
  for (let index = 0; index < 500; index++) {
    cache.set(`k${index % 37}`, 'x'.repeat((index * 31) % 400))
    const bytes = [...cache.entries()].reduce((sum, [key, value]) => sum + key.length + (value as string).length, 0)
    t.true(bytes <= 1_000)
  }
  t.true(cache.stats().evictions > 0)
  t.true(cache.has(`k${499 % 37}`))
})

test('under maxBytes expired entries are removed before live ones are evicted', async (t) => {
  const { cache, clock } = await openMemory(t, { maxBytes: 100 })
  cache.set('old', 'x'.repeat(40))
  cache.set('expired', 'x'.repeat(40), { ttl: 1 })
  clock.jump(1_000)
  cache.set('new', 'x'.repeat(40))
  t.deepEqual(cache.keys(), ['old', 'new'])
  t.like(cache.stats(), { evictions: 0, expirations: 1 })
})
