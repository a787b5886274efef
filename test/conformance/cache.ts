/**
 * The public methods of a cache, in the same thread or through a port, as cases that know no test runner. They use the
 * asynchronous methods that a client has; {@link awaited} gives these to a cache in the same thread.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import { firstValueFrom, type Observable, take, toArray } from 'rxjs'
import { parametersOf } from '../../src/cache/actor/messages.js'
import { type Method, METHODS as TABLE } from '../../src/cache/arguments/methods.js'
import type { RemoteCache } from '../../src/edges/remote/client/remote-cache.js'
import type { Step } from '../../src/edges/threads/threads.js'
import {
  type Cache,
  CacheClosedError,
  CacheError,
  type CacheOptions,
  escapePattern,
  type ScanResult,
  ValueError,
} from '../../src/index.js'
import type { Case } from '../../src/testing/conformance/case.js'
import type { CountingClock } from '../helpers/counting-clock.js'
import { LOAD_CASES } from './loads.js'
import { PAST_CASES } from './past.js'
import { STALE_AND_TAGS_CASES } from './stale-and-tags.js'

/** What every cache has, in any thread. `close` is not part of it: a client closes only itself. */
export type AnyCache = Omit<RemoteCache<unknown>, 'close' | typeof Symbol.asyncDispose>

export interface CacheUnderTest {
  cache: AnyCache
  /** The cache's own. */
  clock: CountingClock
  /** Closes the cache itself. */
  closeCache(): Promise<void>
  /** An empty directory for saved files. */
  directory: string
}

export interface CacheCase extends Case<CacheUnderTest> {
  /** The cache is opened with these, and with the clock. */
  options?: CacheOptions
  /** What it is about, and which therefore not everything has that has the methods. */
  about?: 'the whole cache' | 'a cache in memory' | 'asynchronous loaders' | 'the end of the cache'
}

/** The cases that hold in a namespace, or of a client whose methods block. */
export function casesWithin(what: 'namespace' | 'blocking client'): CacheCase[] {
  const about: unknown[] = what === 'namespace' ? ['the whole cache', 'a cache in memory'] : ['asynchronous loaders']
  return CACHE_CASES.filter((one) => !about.includes(one.about))
}

/** A cache in the same thread, with the asynchronous methods of a client. */
export function awaited(cache: Cache<unknown>): AnyCache {
  const face: Record<string, unknown> = {}
  for (const name of METHODS) {
    face[name] = async (...parameters: unknown[]) =>
      (cache[name] as (...parameters: unknown[]) => unknown)(...parameters)
  }
  for (const name of ['changes$', 'expirations$', 'evictions$', 'removals$', 'stats$', 'lifecycle$'] as const)
    face[name] = cache[name]
  face[Symbol.asyncIterator as never] = async function* () {
    yield* cache
  }
  face['watch'] = (pattern: string) => cache.watch(pattern)
  Object.defineProperty(face, 'size', { get: async () => cache.size })
  Object.defineProperty(face, 'recovery', { get: async () => cache.recovery })
  face['transact'] = async (steps: Step[]) =>
    cache.transact(() =>
      steps.map((step) => {
        const { type } = step as { type: Exclude<Step['type'], 'require'> }
        if (type === 'size') return cache.size
        const method = cache[type] as (...parameters: unknown[]) => unknown
        return method.apply(cache, parametersOf(type, step))
      }),
    )
  return face as unknown as AnyCache
}

// biome-ignore format: a list
export const METHODS = [
  'get', 'peek', 'entry', 'has', 'exists', 'set', 'delete', 'take', 'touch', 'increment', 'decrement', 'ttl', 'expire', 'persist',
  'hasMany', 'getMany', 'setMany', 'deleteMany', 'keys', 'deletePattern', 'deletePrefix', 'deleteTag', 'expireTag', 'scan', 'entries', 'clear', 'resize', 'stats', 'cleanup', 'getOrSet', 'getOrSetMany', 'flush', 'compact',
  'save', 'load', 'restore', 'fork',
] as const

// biome-ignore format: a list
const VALUES: readonly unknown[] = [
  null, true, false, 0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53 - 1, 10n ** 30n, '', 'text', 'ü€😀', '\ud800',
  'x'.repeat(20_000), [], [1, [2, [3]]], Object.assign(new Array(3), { 0: 1, 2: 3 }), {}, { a: { b: null } }, new Date(5), /a+/gi, new Map([[{ k: 1 }, new Set([1])]]),
  new Uint8Array([1, 2, 3]), new Float64Array([1.5, -0]), Buffer.from('buffer'), new Uint8Array(100_000).fill(7),
  new Error('kept'), Object.fromEntries([['constructor', 1]]), JSON.parse('{"__proto__": 1}'), new ArrayBuffer(3),
  { a: undefined, b: [undefined], c: new Map([[undefined, undefined]]) },
]

const KEYS = [
  '',
  'key',
  '__proto__',
  'constructor',
  'ключ',
  '😀',
  '\ud800',
  'k'.repeat(10_000),
  '\0',
  'with space:and/slash',
]

async function refuses(
  call: () => Promise<unknown>,
  kind: abstract new (...parameters: never[]) => Error,
  message: RegExp,
): Promise<Error & { code?: string }> {
  const error = await rejection(call)
  assert.match(error.message, message)
  assert.equal(error.constructor, kind)
  return error
}

async function rejection(call: () => Promise<unknown>, what = 'the call'): Promise<Error & { code?: string }> {
  try {
    await call()
  } catch (error) {
    return error as Error
  }
  assert.fail(`${what} was not refused`)
}

export const CACHE_CASES: readonly CacheCase[] = [
  {
    name: 'every value comes back exactly, and as a copy',
    async run({ cache }) {
      for (const [index, value] of VALUES.entries()) {
        assert.equal(await cache.set(`v${index}`, value), true)
        const found = await cache.get(`v${index}`)
        assert.deepEqual(found, value)
        assert.equal(Object.is(found, value) === (typeof value !== 'object' || value === null), true)
        if (typeof value === 'object' && value !== null)
          assert.equal(Object.getPrototypeOf(found), Object.getPrototypeOf(value))
      }
      assert.deepEqual(await cache.getMany(VALUES.map((_, index) => `v${index}`)), [...VALUES])
      const cycle: Record<string, unknown> = {}
      cycle['self'] = cycle
      await cache.set('cycle', cycle)
      const found = (await cache.get('cycle')) as typeof cycle
      assert.equal(found['self'], found)
    },
  },

  {
    name: 'errors keep their class, name, message, cause and properties',
    async run({ cache }) {
      const inner = Object.assign(new RangeError('inner'), { name: 'InnerError', errno: -2 })
      const error = Object.assign(new TypeError('outer', { cause: inner }), { code: 'E_OUTER', seen: new Set([inner]) })
      await cache.set('k', [error, new AggregateError([inner], 'all')])
      const [first, all] = (await cache.get('k')) as [typeof error, AggregateError]
      assert.deepEqual(first, error)
      assert.equal(first.stack, error.stack)
      assert.deepEqual(all.errors, [inner])
      assert.equal([...first.seen][0], first.cause)
      assert.equal(first.cause, all.errors[0])
      await cache.transact([{ type: 'set', key: 'k2', value: { error: inner } }])
      assert.deepEqual(await cache.get('k2'), { error: inner })
    },
  },

  {
    name: 'an object of which nothing would be kept is refused, at any depth, and the part is named',
    async run({ cache }) {
      const url = new URL('http://a')
      await refuses(() => cache.set('k', url), ValueError, /it is an instance of URL, of which nothing would be kept/)
      await refuses(() => cache.set('k', [{ url }]), ValueError, /its part \[0\]\['url'\] is an instance of URL/)
      await refuses(
        () =>
          cache.setMany([
            ['a', 1],
            ['k', { url }],
          ]),
        ValueError,
        /the value of '.*k': its part \['url'\]/,
      )
      assert.deepEqual(await cache.keys(), [])
    },
  },

  {
    name: 'changing an object after set changes nothing, even in the same tick',
    async run({ cache }) {
      const value = { list: [1] }
      const stored = cache.set('k', value)
      value.list.push(2)
      await stored
      assert.deepEqual(await cache.get('k'), { list: [1] })
    },
  },

  {
    name: 'every string is a key, exactly',
    async run({ cache }) {
      for (const [index, key] of KEYS.entries()) await cache.set(key, index)
      for (const [index, key] of KEYS.entries()) assert.equal(await cache.get(key), index)
      assert.deepEqual(await cache.keys(), KEYS)
      assert.equal(await cache.deleteMany(KEYS), KEYS.length)
    },
  },

  {
    name: 'get, peek and has: what they find, and whether they count as a hit, a miss or a use',
    async run({ cache }) {
      await cache.setMany([
        ['a', 1],
        ['b', 2],
        ['c', 3],
      ])
      assert.equal(await cache.get('a'), 1)
      assert.equal(await cache.peek('b'), 2)
      assert.equal(await cache.get('none'), undefined)
      assert.equal(await cache.peek('none'), undefined)
      assert.equal(await cache.has('c'), true)
      assert.equal(await cache.exists('c'), true)
      assert.equal(await cache.has('none'), false)
      const { hits, misses, size, sets } = await cache.stats()
      assert.deepEqual({ hits, misses, size, sets }, { hits: 1, misses: 1, size: 3, sets: 3 })
      assert.deepEqual(await cache.keys(), ['b', 'c', 'a'])
      assert.equal(await cache.size, 3)
    },
  },

  {
    name: 'entry: the value with its deadline and tags, without a use, a hit or a miss',
    async run({ cache, clock }) {
      await cache.set('a', { n: 1 })
      await cache.set('b', 'text', { ttl: 10 })
      assert.deepEqual(await cache.entry('a'), { value: { n: 1 }, tags: [] })
      assert.deepEqual(await cache.entry('b'), { value: 'text', expiresAtMs: clock.now() + 10_000, tags: [] })
      assert.equal(await cache.entry('none'), undefined)
      assert.deepEqual(await cache.keys(), ['a', 'b'])
      clock.jump(10_000)
      assert.equal(await cache.entry('b'), undefined)
      const { hits, misses, expirations } = await cache.stats()
      assert.deepEqual({ hits, misses, expirations }, { hits: 0, misses: 0, expirations: 1 })
    },
  },

  {
    name: 'take: the value, which is deleted in the same turn; it counts as a get',
    async run({ cache, clock }) {
      const changes = firstValueFrom(cache.changes$.pipe(take(4), toArray()))
      await cache.set('a', { n: 1 })
      await cache.set('b', 2, { ttl: 1 })
      assert.deepEqual(await cache.take('a'), { n: 1 })
      assert.equal(await cache.take('a'), undefined)
      clock.jump(1_000)
      assert.equal(await cache.take('b'), undefined)
      const { hits, misses, deletes, expirations, size } = await cache.stats()
      assert.deepEqual(
        { hits, misses, deletes, expirations, size },
        { hits: 1, misses: 2, deletes: 1, expirations: 1, size: 0 },
      )
      assert.deepEqual(
        (await changes).map(({ type, key }) => [type, key]),
        [
          ['set', 'a'],
          ['set', 'b'],
          ['deleted', 'a'],
          ['expired', 'b'],
        ],
      )
    },
  },

  {
    name: 'take overrules a load of its key',
    about: 'asynchronous loaders',
    async run({ cache }) {
      assert.equal(await cache.getOrSet('k', async () => [await cache.take('k'), 1][1]), 1)
      assert.equal(await cache.has('k'), false)
    },
  },

  {
    name: 'touch: a use without a hit; with a ttl also a new deadline',
    async run({ cache, clock }) {
      await cache.setMany([
        ['a', 1],
        ['b', 2, { ttl: 5 }],
        ['c', 3],
      ])
      assert.equal(await cache.touch('b'), true)
      assert.equal(await cache.ttl('b'), 5)
      assert.equal(await cache.touch('a', '10s'), true)
      assert.equal(await cache.ttl('a'), 10)
      assert.equal(await cache.touch('none'), false)
      assert.equal(await cache.touch('none', 5), false)
      assert.deepEqual(await cache.keys(), ['c', 'b', 'a'])
      assert.equal(await cache.touch('a', Number.POSITIVE_INFINITY), true)
      assert.equal(await cache.ttl('a'), Number.POSITIVE_INFINITY)
      clock.jump(5_000)
      assert.equal(await cache.touch('b', 10), false)
      const { hits, misses, sets } = await cache.stats()
      assert.deepEqual({ hits, misses, sets }, { hits: 0, misses: 0, sets: 3 })
    },
  },

  {
    name: 'hasMany: one answer per key',
    async run({ cache, clock }) {
      await cache.setMany([
        ['a', 1],
        ['b', 2, { ttl: 1 }],
      ])
      clock.jump(1_000)
      assert.deepEqual(await cache.hasMany(['a', 'b', 'none', 'a']), [true, false, false, true])
      assert.deepEqual(await cache.hasMany([]), [])
      const { hits, misses } = await cache.stats()
      assert.deepEqual({ hits, misses }, { hits: 0, misses: 0 })
    },
  },

  {
    name: "ttl: 'keep' keeps the deadline of an entry; a new one gets the default ttl",
    async run({ cache, clock }) {
      await cache.set('a', 1, { ttl: 10 })
      await cache.set('forever', 1, { ttl: Number.POSITIVE_INFINITY })
      clock.jump(4_000)
      assert.equal(await cache.set('a', 2, { ttl: 'keep' }), true)
      assert.equal(await cache.set('a', 3, { ttl: 'keep', only: 'absent' }), false)
      assert.equal(await cache.set('forever', 2, { ttl: 'keep' }), true)
      assert.equal(await cache.set('new', 1, { ttl: 'keep' }), true)
      assert.equal(
        await cache.setMany(
          [
            ['a', 4],
            ['many', 1],
            ['own', 1, { ttl: 7 }],
          ],
          { ttl: 'keep' },
        ),
        3,
      )
      const ttls = await Promise.all(['a', 'forever', 'new', 'many', 'own'].map((key) => cache.ttl(key)))
      assert.deepEqual(ttls, [6, Number.POSITIVE_INFINITY, 60, 60, 7])
      assert.equal(await cache.get('a'), 4)
      clock.jump(6_000)
      assert.equal(await cache.set('a', 5, { ttl: 'keep' }), true) // the entry that was there has expired
      assert.equal(await cache.ttl('a'), 60)
      await refuses(
        () => cache.set('a', 6, { ttl: 'keep', expiresAt: clock.now() + 1 }),
        TypeError,
        /exclude each other/,
      )
      await refuses(() => cache.expire('a', 'keep' as never), TypeError, /ttl must be a number of seconds/)
      await refuses(() => cache.touch('a', 'keep' as never), TypeError, /ttl must be a number of seconds/)
      await refuses(
        () => cache.increment('a', 1, { ttl: 'keep' as never }),
        TypeError,
        /ttl must be a number of seconds/,
      )
      await refuses(() => cache.getOrSet('none', () => 1, { ttl: 'keep' as never }), TypeError, /ttl must be a number/)
      assert.equal(await cache.get('a'), 5)
    },
    options: { ttl: 60 },
  },

  {
    name: 'setMany: the options of an entry replace the shared ones as a whole',
    async run({ cache, clock }) {
      await cache.setMany([
        ['old', 0],
        ['gone', 0],
      ])
      const stored = await cache.setMany(
        [
          ['shared', 1],
          ['own', 2, { ttl: 1 }],
          ['none', 3, {}],
          ['undefined', 4, undefined],
          ['old', 5, { only: 'absent', ttl: 1 }],
          ['gone', 6, { expiresAt: clock.now() }],
          ['none', 7, { only: 'present', expiresAt: new Date(clock.now() + 2_000) }],
        ],
        { ttl: 10, only: 'absent' },
      )
      assert.equal(stored, 5)
      const entries = await Promise.all(
        ['shared', 'own', 'none', 'undefined', 'old', 'gone'].map((key) => cache.entry(key)),
      )
      assert.deepEqual(
        entries.map((entry) => entry && [entry.value, entry.expiresAtMs && entry.expiresAtMs - clock.now()]),
        [[1, 10_000], [2, 1_000], [7, 2_000], [4, 10_000], [0, undefined], undefined],
      )
      const before = [...(await cache.entries())]
      const bad = (options: unknown) => () =>
        cache.setMany([
          ['x', 1],
          ['y', 1, options as object],
        ])
      await refuses(bad(null), TypeError, /options must be an object/)
      await refuses(bad({ tll: 1 }), TypeError, /'tll' is not an option here. Did you mean ttl\?/)
      await refuses(bad({ ttl: -1 }), RangeError, /ttl must be at least 0/)
      await refuses(bad({ only: 'maybe' }), TypeError, /only must be/)
      await refuses(bad({ ttl: 1, expiresAt: 5 }), TypeError, /exclude each other/)
      assert.deepEqual([...(await cache.entries())], before)
    },
  },

  {
    name: 'set: only, ttl, expiresAt; expiry is now >= deadline',
    async run({ cache, clock }) {
      assert.equal(await cache.set('k', 1, { only: 'present' }), false)
      assert.equal(await cache.set('k', 1, { only: 'absent', ttl: 10 }), true)
      assert.equal(await cache.set('k', 2, { only: 'absent' }), false)
      assert.equal(await cache.ttl('k'), 10)
      await cache.set('date', 1, { expiresAt: new Date(clock.now() + 500) })
      await cache.set('epoch', 1, { expiresAt: clock.now() + 1_500 })
      clock.advance('9999ms')
      assert.deepEqual(await cache.keys(), ['k'])
      assert.equal(await cache.get('k'), 1)
      clock.advance('1ms')
      assert.equal(await cache.get('k'), undefined)
      const { hits, misses, expirations, size } = await cache.stats()
      assert.deepEqual({ hits, misses, expirations, size }, { hits: 1, misses: 1, expirations: 3, size: 0 })
    },
  },

  {
    name: 'a Date of another realm, as in a vm context, is a Date',
    async run({ cache, clock }) {
      const expiresAt = runInNewContext(`new Date(${clock.now() + 500})`) as Date
      assert.equal(expiresAt instanceof Date, false)
      assert.equal(await cache.set('k', 1, { expiresAt }), true)
      assert.equal(await cache.setMany([['l', 1, { expiresAt }]]), 1)
      assert.deepEqual(await cache.entry('k'), { value: 1, expiresAtMs: clock.now() + 500, tags: [] })
      assert.equal(await cache.ttl('l'), 0.5)
    },
  },

  {
    name: 'ttl, expire, persist',
    async run({ cache, clock }) {
      await cache.set('k', 1)
      assert.equal(await cache.ttl('k'), Number.POSITIVE_INFINITY)
      assert.equal(await cache.ttl('none'), undefined)
      assert.equal(await cache.expire('k', '5s'), true)
      assert.equal(await cache.expire('none', 5), false)
      assert.equal(await cache.ttl('k'), 5)
      assert.equal(await cache.persist('k'), true)
      assert.equal(await cache.persist('k'), false)
      await cache.expire('k', 0)
      assert.equal(await cache.has('k'), false)
      clock.advance(1)
      assert.equal(await cache.size, 0)
    },
  },

  {
    name: 'increment and decrement',
    async run({ cache }) {
      assert.equal(await cache.increment('n'), 1)
      assert.equal(await cache.increment('n', 2.5, { ttl: 10 }), 3.5)
      assert.equal(await cache.ttl('n'), Number.POSITIVE_INFINITY)
      assert.equal(await cache.decrement('n', 0.5), 3)
      assert.equal(await cache.increment('new', 5, { ttl: '1m' }), 5)
      assert.equal(await cache.ttl('new'), 60)
      await cache.set('text', '5')
      const error = await refuses(() => cache.increment('text'), ValueError, /it holds text, not a finite number/)
      assert.equal(error.code, 'INVALID_VALUE')
      await refuses(() => cache.increment('n', Number.NaN), RangeError, /must be finite/)
      await cache.set('n', Number.MAX_SAFE_INTEGER)
      await refuses(() => cache.increment('n'), RangeError, /beyond ±\(2\^53 − 1\)/)
      assert.equal(await cache.get('n'), Number.MAX_SAFE_INTEGER)
    },
  },

  {
    name: 'many at once, patterns, entries, clear',
    async run({ cache }) {
      assert.equal(
        await cache.setMany(
          [
            ['user:1', 1],
            ['user:2', { n: 2 }],
            ['key1', 3],
            ['key10', 4],
          ],
          { ttl: 60 },
        ),
        4,
      )
      assert.deepEqual(await cache.getMany(['user:2', 'none', 'user:1']), [{ n: 2 }, undefined, 1])
      assert.deepEqual((await cache.keys('user:*')).sort(), ['user:1', 'user:2'])
      assert.deepEqual(await cache.keys('key?'), ['key1'])
      assert.deepEqual(await cache.keys(''), [])
      assert.deepEqual([...(await cache.entries('user:*'))].sort(), [
        ['user:1', 1],
        ['user:2', { n: 2 }],
      ])
      assert.equal(await cache.deletePattern('user:*'), 2)
      assert.equal(await cache.deleteMany(['key1', 'none']), 1)
      assert.equal(await cache.delete('key1'), false)
      assert.equal(await cache.delete('key10'), true)
    },
  },

  {
    name: 'clear removes all entries and sets the counters to 0',
    about: 'the whole cache',
    async run({ cache }) {
      await cache.setMany([
        ['x', 1],
        ['y', 2],
      ])
      await cache.delete('y')
      await cache.get('x')
      await cache.get('y')
      assert.equal(await cache.clear(), undefined)
      const { hits, misses, evictions, size, sets, deletes } = await cache.stats()
      assert.deepEqual(
        { hits, misses, evictions, size, sets, deletes },
        { hits: 0, misses: 0, evictions: 0, size: 0, sets: 0, deletes: 0 },
      )
    },
  },

  {
    name: 'prefixes are literal text',
    async run({ cache }) {
      const keys = ['a*:1', 'a*:2', 'ab:1', '[a]', 'a*', '']
      await cache.setMany(keys.map((key, index) => [key, index]))
      assert.deepEqual(await cache.keys({ prefix: 'a*' }), ['a*:1', 'a*:2', 'a*'])
      assert.deepEqual(await cache.keys({ prefix: '' }), keys)
      assert.deepEqual(await cache.keys({ prefix: 'A' }), [])
      assert.deepEqual([...(await cache.entries({ prefix: '[' }))], [['[a]', 3]])
      assert.deepEqual(await cache.keys(`${escapePattern('a*:')}?`), ['a*:1', 'a*:2'])
      assert.equal(await cache.deletePrefix('a*:'), 2)
      assert.equal(await cache.deletePrefix('a*:'), 0)
      assert.deepEqual(await cache.keys(), ['ab:1', '[a]', 'a*', ''])
      assert.equal(await cache.deletePrefix(''), 4)
      assert.equal((await cache.stats()).deletes, 6)
    },
  },

  {
    name: 'the cache is iterable: its entries, least recently used first',
    async run({ cache }) {
      await cache.setMany([
        ['a', 1],
        ['b', { n: 2 }],
      ])
      await cache.get('a')
      const found: unknown[] = []
      for await (const entry of cache) found.push(entry)
      assert.deepEqual(found, [
        ['b', { n: 2 }],
        ['a', 1],
      ])
    },
  },

  {
    name: 'scan: portions of the keys, until there is no cursor',
    async run({ cache, clock }) {
      await cache.setMany(Array.from({ length: 25 }, (_, index) => [`${index % 2 === 0 ? 'even' : 'odd'}:${index}`, 1]))
      await cache.setMany([['late', 1]], { ttl: 1 })
      clock.jump(1_000)
      const found: string[] = []
      let calls = 0
      for (let cursor: string | undefined; calls === 0 || cursor !== undefined; calls++) {
        const result: ScanResult = await cache.scan({ cursor, limit: 10, prefix: 'even:' })
        assert.equal(result.keys.length <= 5, true)
        found.push(...result.keys)
        cursor = result.cursor
      }
      assert.equal(calls, 3)
      assert.deepEqual(found, await cache.keys('even:*'))
      const all = await cache.scan()
      assert.equal(all.cursor, undefined)
      assert.deepEqual(all.keys.sort(), (await cache.keys()).sort())
      assert.deepEqual((await cache.scan({ pattern: '*:1?', limit: Number.POSITIVE_INFINITY })).keys.length, 10)
    },
  },

  {
    name: 'scan: a cursor from before a clear or a load, or from elsewhere, starts again',
    about: 'the whole cache',
    async run({ cache, directory }) {
      const fill = () => cache.setMany(Array.from({ length: 4 }, (_, index) => [`k${index}`, 1]))
      const first = ['k0', 'k1']
      await fill()
      const { cursor } = await cache.scan({ limit: 2 })
      assert.deepEqual((await cache.scan({ cursor, limit: 2 })).keys, ['k2', 'k3'])
      for (const strange of ['', '0', 'x.3.9', `${cursor}0`.replace(/^./, 'z')])
        assert.deepEqual((await cache.scan({ cursor: strange, limit: 2 })).keys, first)
      await cache.clear()
      await fill()
      assert.deepEqual((await cache.scan({ cursor, limit: 2 })).keys, first)
      const later = (await cache.scan({ limit: 2 })).cursor
      await cache.save(`${directory}/saved`)
      assert.equal((await cache.load(`${directory}/saved`)).ok, true)
      assert.deepEqual((await cache.scan({ cursor: later, limit: 2 })).keys, first)
    },
  },

  {
    name: 'removals$: every entry that is no longer there, with its value and the reason',
    async run({ cache, clock }) {
      const removals: unknown[] = []
      cache.removals$.subscribe(({ key, value, reason, sequence }) => removals.push([reason, key, value, sequence]))
      await cache.set('a', { n: 1 })
      await cache.set('a', { n: 2 })
      await cache.set('n', 1, { ttl: 1 })
      await cache.increment('n')
      await cache.get('a')
      await cache.set('c', 3)
      clock.advance(1)
      await cache.delete('a')
      await cache.delete('a')
      await cache.expire('c', 5)
      await cache.size
      assert.deepEqual(removals, [
        ['replaced', 'a', { n: 1 }, 2],
        ['replaced', 'n', 1, 4],
        ['evicted', 'n', 2, 5],
        ['deleted', 'a', { n: 2 }, 7],
      ])
    },
    options: { maxSize: 2 },
  },

  {
    name: 'the least recently used entry is evicted',
    async run({ cache }) {
      await cache.setMany([
        ['a', 1],
        ['b', 2],
        ['c', 3],
      ])
      await cache.get('b')
      await cache.set('d', 4)
      assert.deepEqual(await cache.keys(), ['c', 'b', 'd'])
      assert.equal((await cache.stats()).evictions, 1)
    },
    options: { maxSize: 3 },
  },

  {
    name: 'resize: new limits, and in the same turn the removals that they need',
    about: 'the whole cache',
    async run({ cache, clock }) {
      const changes: [string, unknown][] = []
      cache.changes$.subscribe(({ type, key, maxSize, maxBytes }) => changes.push([type, key ?? [maxSize, maxBytes]]))
      await cache.setMany([
        ['a', 1],
        ['b', 2, { ttl: 1 }],
        ['c', 3],
        ['d', 4],
      ])
      await cache.get('a')
      clock.jump(1_000)
      assert.equal(await cache.resize({ maxSize: 2 }), 2)
      assert.deepEqual(await cache.keys(), ['d', 'a'])
      assert.equal(await cache.resize({ maxSize: 3 }), 0)
      assert.equal(await cache.resize({ maxSize: 3 }), 0)
      assert.equal(await cache.resize({}), 0)
      await cache.setMany(['e', 'f'].map((key) => [key, 5]))
      assert.deepEqual(await cache.keys(), ['a', 'e', 'f'])
      assert.equal(await cache.resize({ maxBytes: 15, maxSize: Number.POSITIVE_INFINITY }), 2)
      await refuses(() => cache.set('long', 'x'.repeat(20)), RangeError, /more than maxBytes \(15\)/)
      const [removed] = await cache.transact([
        { type: 'resize', maxBytes: 1_000 },
        { type: 'set', key: 'g', value: 1 },
      ])
      assert.equal(removed, 0)
      const none = Number.POSITIVE_INFINITY
      assert.deepEqual(
        changes.slice(4).filter(([type]) => type !== 'set'),
        [
          ...[
            ['limited', [2, none]],
            ['expired', 'b'],
            ['evicted', 'c'],
          ],
          ...[
            ['limited', [3, none]],
            ['evicted', 'd'],
          ],
          ...[
            ['limited', [none, 15]],
            ['evicted', 'a'],
            ['evicted', 'e'],
          ],
          ['limited', [none, 1_000]],
        ],
      )
      const { evictions, expirations, journal } = await cache.stats()
      assert.deepEqual({ evictions, expirations }, { evictions: 4, expirations: 1 })
      assert.deepEqual([journal.maxSize, journal.maxBytes], [none, 1_000])
    },
    options: { maxSize: 10 },
  },

  {
    name: 'cleanup removes expired entries',
    async run({ cache, clock }) {
      await cache.setMany(
        [
          ['a', 1],
          ['b', 2],
        ],
        { ttl: 1 },
      )
      await cache.set('c', 3)
      clock.jump(1_000)
      assert.equal(await cache.size, 3)
      assert.equal(await cache.cleanup(), 2)
      assert.equal(await cache.size, 1)
    },
  },

  {
    name: 'a list of commands is one turn: all or nothing',
    async run({ cache }) {
      const results = await cache.transact([
        { type: 'set', key: 'a', value: { n: 1 } },
        { type: 'increment', key: 'n', by: 5 },
        { type: 'get', key: 'a' },
        { type: 'getMany', keys: ['n', 'none'] },
        { type: 'keys', pattern: '*' },
        { type: 'entry', key: 'n' },
        { type: 'touch', key: 'a', ttl: 5 },
        { type: 'set', key: 'a', value: { n: 2 }, ttl: 'keep' },
        { type: 'ttl', key: 'a' },
        { type: 'setMany', entries: [['m', 1, { ttl: 3 }]] },
        { type: 'hasMany', keys: ['m', 'none'] },
        { type: 'take', key: 'm' },
      ])
      const entry = { value: 5, tags: [] }
      assert.deepEqual(results, [
        true,
        5,
        { n: 1 },
        [5, undefined],
        ['a', 'n'],
        entry,
        true,
        true,
        5,
        1,
        [true, false],
        1,
      ])
      // Not all figures of the journal: its bytes go to disk meanwhile.
      const state = async () => {
        const { journal, ...counters } = await cache.stats()
        return [counters, journal.sequence, [...(await cache.entries())]]
      }
      const before = await state()
      await refuses(
        () =>
          cache.transact([
            { type: 'set', key: 'b', value: 1 },
            { type: 'delete', key: 'n' },
            { type: 'increment', key: 'a' },
          ]),
        ValueError,
        /it holds an object/,
      )
      assert.deepEqual(await state(), before)
    },
  },

  {
    name: 'steps that concern the whole cache',
    about: 'the whole cache',
    async run({ cache }) {
      await cache.set('a', 1)
      const results = await cache.transact([{ type: 'size' }, { type: 'stats' }, { type: 'clear' }, { type: 'size' }])
      assert.equal(results[1]?.sets, 1)
      assert.deepEqual([results[0], results[2], results[3]], [1, undefined, 0])
    },
  },

  {
    name: 'arguments of the wrong type are refused and change nothing',
    async run({ cache }) {
      const bad = <T>(value: unknown) => value as T
      await refuses(() => cache.get(bad(1)), TypeError, /A key must be a string; 1 is not/)
      await refuses(() => cache.set(bad({}), 1), TypeError, /A key must be a string/)
      await refuses(() => cache.set('k', undefined), ValueError, /Cannot store undefined/)
      await refuses(() => cache.set('k', () => 1), ValueError, /Cannot store a function/)
      await refuses(() => cache.set('k', { deep: [new WeakMap()] }), ValueError, /cannot be cloned/)
      await refuses(() => cache.set('k', { deep: () => 1 }), ValueError, /cannot be cloned/)
      await refuses(() => cache.set('k', 1, { ttl: -1 }), RangeError, /ttl must be at least 0/)
      await refuses(() => cache.set('k', 1, { ttl: bad('5 parsecs') }), TypeError, /ttl must be a number of seconds/)
      await refuses(
        () => cache.set('k', 1, { ttl: 1, expiresAt: 5 }),
        TypeError,
        /ttl and expiresAt exclude each other/,
      )
      await refuses(
        () => cache.set('k', 1, { expiresAt: new Date(Number.NaN) }),
        RangeError,
        /expiresAt must be a valid time/,
      )
      await refuses(() => cache.set('k', 1, { only: bad('maybe') }), TypeError, /only must be/)
      await refuses(() => cache.set('k', 1, bad(5)), TypeError, /options must be an object/)
      await refuses(() => cache.increment('k', bad('1')), TypeError, /An increment must be a number/)
      await refuses(() => cache.getMany(bad('abc')), TypeError, /keys must be an iterable/)
      await refuses(() => cache.setMany([['a', 1], bad(['b', undefined])]), ValueError, /Cannot store undefined/)
      await refuses(() => cache.setMany([bad(5)]), TypeError, /An entry must be an iterable/)
      await refuses(() => cache.keys(bad(5)), TypeError, /A pattern must be a string/)
      await refuses(() => cache.keys(bad({ prefix: 5 })), TypeError, /A prefix must be a string; 5 is not/)
      await refuses(
        () => cache.entries(bad({ prefx: 'a' })),
        TypeError,
        /'prefx' is not an option here. Did you mean prefix/,
      )
      await refuses(() => cache.keys(bad({})), TypeError, /A prefix must be a string/)
      await refuses(() => cache.deletePattern(bad({ prefix: 'k' })), TypeError, /A pattern must be a string/)
      await refuses(() => cache.deletePrefix(bad(undefined)), TypeError, /A prefix must be a string/)
      await refuses(() => cache.scan(bad(5)), TypeError, /options must be an object/)
      await refuses(() => cache.scan({ cursor: bad(5) }), TypeError, /cursor must be the cursor of an earlier result/)
      await refuses(() => cache.scan({ limit: bad('5') }), TypeError, /limit must be a positive integer/)
      await refuses(() => cache.scan({ limit: 0 }), RangeError, /limit must be a positive integer/)
      await refuses(() => cache.scan({ limit: 1.5 }), RangeError, /limit must be a positive integer/)
      await refuses(() => cache.scan({ pattern: bad({ prefix: 'a' }) }), TypeError, /pattern must be a string/i)
      await refuses(() => cache.scan({ prefix: bad(1) }), TypeError, /prefix must be a string/i)
      await refuses(() => cache.scan({ pattern: 'a', prefix: 'a' }), TypeError, /pattern and prefix exclude each other/)
      await refuses(() => cache.resize({ maxSize: 0 }), RangeError, /maxSize must be a positive integer or Infinity/)
      await refuses(
        () => cache.resize({ maxBytes: 1.5 }),
        RangeError,
        /maxBytes must be a positive integer or Infinity/,
      )
      await refuses(() => cache.resize({ maxSize: bad('5') }), TypeError, /maxSize must be a positive integer/)
      await refuses(() => cache.resize(bad(5)), TypeError, /options must be an object/)
      await refuses(() => cache.entry(bad(1)), TypeError, /A key must be a string/)
      await refuses(() => cache.take(bad(1)), TypeError, /A key must be a string/)
      await refuses(() => cache.touch(bad(1), 1), TypeError, /A key must be a string/)
      await refuses(() => cache.touch('k', -1), RangeError, /ttl must be at least 0/)
      await refuses(() => cache.hasMany(bad(5)), TypeError, /keys must be an iterable/)
      await refuses(() => cache.hasMany(bad([5])), TypeError, /A key must be a string/)
      await refuses(() => cache.expire('k', bad(undefined)), TypeError, /ttl must be a number of seconds/)
      await refuses(() => cache.getOrSet('k', bad(5)), TypeError, /loader must be a function/)
      await refuses(() => cache.getOrSetMany(bad(5), () => []), TypeError, /keys must be an iterable/)
      await refuses(() => cache.getOrSetMany(['k'], bad(5)), TypeError, /loadMissing must be a function/)
      await refuses(() => cache.save(''), TypeError, /path must be the path of a file/)
      assert.equal(await cache.size, 0)
      assert.throws(() => cache.watch(bad(5)), TypeError)
    },
  },

  {
    name: 'an option that does not exist is refused with the nearest that does, even if it is undefined; nothing is changed',
    async run({ cache, directory }) {
      const file = join(directory, 'saved')
      const loader = () => assert.fail('the loader ran')
      const calls: Record<string, (options: object) => Promise<unknown>> = {
        get: (options) => cache.get('k', options),
        set: (options) => cache.set('k', 1, options),
        setMany: (options) => cache.setMany([['k', 1]], options),
        increment: (options) => cache.increment('k', 1, options),
        decrement: (options) => cache.decrement('k', 1, options),
        getOrSet: (options) => cache.getOrSet('k', loader, options),
        getOrSetMany: (options) => cache.getOrSetMany(['k'], loader, options),
        save: (options) => cache.save(file, options),
        load: (options) => cache.load(file, options),
        deleteTag: (options) => cache.deleteTag('t', options),
        expireTag: (options) => cache.expireTag('t', options),
        scan: (options) => cache.scan(options),
        resize: (options) => cache.resize(options),
        restore: (options) => cache.restore({ ago: 1 }, options),
      }
      const withOptions = METHODS.filter((name) => 'options' in TABLE[name])
      assert.deepEqual(Object.keys(calls).sort(), withOptions.sort(), 'every method with options is tried')
      for (const [name, call] of Object.entries(calls)) {
        for (const option of (TABLE[name as keyof typeof TABLE] as Method).options ?? []) {
          if (option === 'onProgress') continue // a client has none
          const misspelt = `${option}s`
          const message = new RegExp(`'${misspelt}' is not an option here. Did you mean ${option}\\?`)
          await refuses(() => call({ [misspelt]: 1 }), TypeError, message)
          await refuses(() => call({ [misspelt]: undefined }), TypeError, message)
        }
        await refuses(() => call({ nonsense: 1 }), TypeError, /'nonsense' is not an option here/)
      }
      assert.equal(await cache.size, 0)
      assert.equal(existsSync(file), false)
    },
  },

  {
    name: 'expiresAt that is not in the future: only is checked, the entry that is there is deleted, nothing is stored',
    async run({ cache, clock }) {
      const deleted: string[] = []
      cache.changes$.subscribe((change) => change.type === 'deleted' && deleted.push(change.key as string))
      const past = [new Date(clock.now()), clock.now() - 1, new Date(5), 0, -5]
      for (const expiresAt of past) {
        await cache.set('k', 'old')
        assert.equal(await cache.set('k', 'new', { expiresAt, only: 'absent' }), false)
        assert.equal(await cache.peek('k'), 'old')
        assert.equal(await cache.set('k', 'new', { expiresAt }), false)
        assert.equal(await cache.peek('k'), undefined)
        assert.equal(await cache.set('k', 'new', { expiresAt, only: 'present' }), false)
        await cache.set('k', 'old')
        assert.equal(await cache.set('k', 'new', { expiresAt, only: 'present' }), false)
        assert.equal(await cache.set('absent', 'new', { expiresAt }), false)
        await cache.setMany([
          ['k', 1],
          ['l', 2],
        ])
        assert.equal(
          await cache.setMany(
            [
              ['k', 3],
              ['m', 4],
            ],
            { expiresAt },
          ),
          0,
        )
        assert.deepEqual(await cache.keys(), ['l'])
        await cache.delete('l')
      }
      assert.deepEqual(
        deleted,
        past.flatMap(() => ['k', 'k', 'k', 'l']),
      )
      assert.equal(await cache.set('zero', 1, { ttl: 0 }), true)
      assert.equal(await cache.size, 1)
      assert.equal(await cache.get('zero'), undefined)
    },
  },

  {
    name: 'expiresAt in epoch seconds is refused; a Date is never taken for seconds',
    async run({ cache, clock }) {
      const seconds = Math.floor(clock.now() / 1_000) + 60
      const message = new RegExp(`${seconds} looks like seconds. Pass ${seconds} \\* 1000, or a Date`)
      await cache.set('k', 1)
      await refuses(() => cache.set('k', 2, { expiresAt: seconds }), RangeError, message)
      await refuses(() => cache.setMany([['k', 2]], { expiresAt: seconds }), RangeError, message)
      assert.equal(await cache.peek('k'), 1)
      assert.equal(await cache.set('k', 2, { expiresAt: seconds - 120 }), false) // as seconds it is over, too
      assert.equal(await cache.set('k', 2), true)
      assert.equal(await cache.set('k', 3, { expiresAt: new Date(seconds) }), false)
      assert.equal(await cache.peek('k'), undefined)
    },
  },

  {
    name: 'getOrSet: found, loaded, failed; one load per key',
    about: 'asynchronous loaders',
    async run({ cache }) {
      let loads = 0
      const load = async () => {
        loads++
        return { n: 1 }
      }
      assert.deepEqual(await Promise.all([cache.getOrSet('k', load), cache.getOrSet('k', load)]), [{ n: 1 }, { n: 1 }])
      assert.deepEqual(await cache.getOrSet('k', load, { ttl: 5 }), { n: 1 })
      assert.equal(loads, 1)
      assert.equal(await cache.getOrSet('t', () => 5, { ttl: 5 }), 5)
      assert.equal(await cache.ttl('t'), 5)
      const failing = () => Promise.reject(new RangeError('no such user', { cause: 'because' }))
      const error = await refuses(() => cache.getOrSet('bad', failing), RangeError, /^no such user$/)
      assert.equal(error.cause, 'because')
      assert.equal(await cache.getOrSet('bad', () => 1), 1)
      assert.equal(await cache.getOrSet('u', () => undefined), undefined)
      assert.equal(await cache.has('u'), false)
      const { hits, misses } = await cache.stats()
      assert.deepEqual({ hits, misses }, { hits: 1, misses: 6 })
    },
  },

  {
    name: 'getOrSet: a set during the load wins; a load that waits for itself is refused',
    about: 'asynchronous loaders',
    async run({ cache }) {
      assert.equal(await cache.getOrSet('k', async () => (await cache.set('k', 'winner')) && 'loaded'), 'winner')
      assert.equal(await cache.get('k'), 'winner')
      const error = await rejection(() =>
        cache.getOrSet('a', () => cache.getOrSet('b', () => cache.getOrSet('a', () => 1))),
      )
      assert.equal(error.constructor, CacheError)
      assert.equal(error.code, 'LOAD_CYCLE')
    },
  },

  {
    name: 'getOrSet: timeout',
    about: 'asynchronous loaders',
    async run({ cache, clock }) {
      let finish = (_: number) => {}
      const slow = () => new Promise<number>((resolve) => (finish = resolve))
      let hasBegun = false
      const waiting = cache.getOrSet(
        'k',
        () => {
          hasBegun = true
          return slow()
        },
        { timeout: '1s' },
      )
      waiting.catch(() => undefined)
      while (!hasBegun) await new Promise((resolve) => setImmediate(resolve))
      clock.advance(1)
      assert.equal((await rejection(() => waiting)).code, 'LOAD_TIMEOUT')
      const next = cache.getOrSet('k', () => 0)
      finish(7)
      assert.equal(await next, 7)
    },
  },

  {
    name: 'changes$, expirations$, evictions$, watch: every event once, in order',
    about: 'the whole cache',
    async run({ cache, clock }) {
      const changes = firstValueFrom(cache.changes$.pipe(take(6), toArray()))
      const watched = firstValueFrom(cache.watch('b*').pipe(take(3), toArray()))
      const expired = firstValueFrom(cache.expirations$)
      const evicted = firstValueFrom(cache.evictions$)
      await cache.set('a', { v: 1 })
      await cache.set('b', 2, { ttl: 1 })
      await cache.set('c', 3)
      const startMs = clock.now()
      clock.advance(1)
      await cache.clear()
      assert.deepEqual((await changes).slice(0, 6), [
        { type: 'set', sequence: 1, key: 'a', value: { v: 1 } },
        { type: 'set', sequence: 2, key: 'b', value: 2, expiresAtMs: startMs + 1_000 },
        { type: 'evicted', sequence: 3, key: 'a' },
        { type: 'set', sequence: 4, key: 'c', value: 3 },
        { type: 'expired', sequence: 5, key: 'b' },
        { type: 'cleared', sequence: 6 },
      ])
      assert.deepEqual(
        (await watched).map(({ sequence }) => sequence),
        [2, 5, 6],
      )
      assert.deepEqual(await evicted, { key: 'a', value: { v: 1 }, sequence: 3 })
      assert.deepEqual(await expired, {
        key: 'b',
        value: 2,
        expiresAtMs: startMs + 1_000,
        seenAtMs: startMs + 1_000,
        sequence: 5,
      })
    },
    options: { maxSize: 2 },
  },

  {
    name: 'stats$ and lifecycle$ start with the current state; all streams complete with the cache',
    async run({ cache, closeCache }) {
      await cache.set('a', 1)
      assert.equal((await firstValueFrom(cache.stats$)).size, 1)
      const streams: Observable<unknown>[] = [
        ...[cache.changes$, cache.expirations$, cache.evictions$, cache.removals$, cache.stats$],
      ]
      const ends = streams.map((stream) => firstValueFrom(stream.pipe(toArray())))
      const states = firstValueFrom(cache.lifecycle$.pipe(toArray()))
      await cache.get('a') // the subscriptions have arrived by then
      await closeCache()
      assert.equal((await Promise.all(ends)).length, 5)
      assert.deepEqual(
        (await states).map(({ state }) => state),
        ['running', 'draining', 'closed'],
      )
    },
    about: 'the end of the cache',
  },

  {
    name: 'flush, compact, recovery',
    async run({ cache }) {
      await cache.set('a', 1)
      assert.equal(await cache.flush(), 1)
      const { entries, sequence } = await cache.compact()
      assert.deepEqual({ entries, sequence }, { entries: 1, sequence: 1 })
      assert.equal((await cache.recovery).sequence, 0)
    },
  },

  {
    name: 'save and load',
    async run({ cache, directory }) {
      await cache.setMany([
        ['a', 1],
        ['b', { deep: [1] }],
      ])
      for (const file of ['state.pickle', 'state.daybook']) {
        const saved = await cache.save(`${directory}/${file}`)
        assert.equal(saved.ok, true)
      }
      await cache.clear()
      const loaded = await cache.load(`${directory}/state.daybook`)
      assert.equal(loaded.ok, true)
      assert.deepEqual(
        [...(await cache.entries())],
        [
          ['a', 1],
          ['b', { deep: [1] }],
        ],
      )
      const failed = await cache.load(`${directory}/missing`)
      assert.equal(failed.ok, false)
      const { error } = failed as unknown as { error: CacheError }
      assert.equal(error.constructor, CacheError)
      assert.equal(error.code, 'LOAD_FAILED')
      assert.equal((error.cause as NodeJS.ErrnoException).code, 'ENOENT')
      assert.equal(await cache.size, 2)
    },
  },

  {
    name: 'every method is refused once the cache is closed',
    async run({ cache, closeCache }) {
      await closeCache()
      const calls: [string, () => Promise<unknown>][] = [
        ...METHODS.map((name): [string, () => Promise<unknown>] => {
          const parameters: Record<string, unknown[]> = {
            set: ['k', 1],
            expire: ['k', 1],
            hasMany: [['k']],
            getMany: [['k']],
            setMany: [[['k', 1]]],
            deleteMany: [['k']],
            keys: [],
            scan: [],
            entries: [],
            clear: [],
            resize: [{ maxSize: 1 }],
            stats: [],
            cleanup: [],
            flush: [],
            compact: [],
            getOrSet: ['k', () => 1],
            getOrSetMany: [['k'], () => []],
            save: ['/nowhere'],
            load: ['/nowhere'],
            restore: [{ ago: 1 }],
            fork: ['/nowhere'],
          }
          return [
            name,
            () => (cache[name] as (...parameters: unknown[]) => Promise<unknown>)(...(parameters[name] ?? ['k'])),
          ]
        }),
        ['transact', () => cache.transact([{ type: 'get', key: 'k' }])],
        ['size', () => cache.size],
      ]
      for (const [method, call] of calls) assert.equal((await rejection(call, method)).constructor, CacheClosedError)
    },
  },

  ...STALE_AND_TAGS_CASES,
  ...LOAD_CASES,
  ...PAST_CASES,
]
