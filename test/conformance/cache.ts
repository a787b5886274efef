/**
 * The public methods of a cache, however one comes by it: in the same thread, or through a port. Every way passes it, in a
 * few lines each (test/edges/threads/conformance.test.ts). The maker hands over the asynchronous face of a cache; one in the same
 * thread is given it by {@link awaited}.
 */
import test, { type ExecutionContext } from 'ava'
import { firstValueFrom, type Observable, take, toArray } from 'rxjs'
import type { RemoteCache } from '../../src/edges/remote/client/remote-cache.js'
import type { Step } from '../../src/edges/threads/threads.js'
import { type Cache, CacheClosedError, CacheError, type CacheOptions, ValueError } from '../../src/index.js'
import { CountingClock } from '../helpers/counting-clock.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

/** What every cache has, whoever owns it. `close` is left to the maker: it means different things. */
export type AnyCache = Omit<RemoteCache<unknown>, 'close' | typeof Symbol.asyncDispose>

export interface Made {
  cache: AnyCache
  /** Closes the cache itself. */
  closeCache(): Promise<void>
}

export type CacheMaker = (t: ExecutionContext, options: CacheOptions) => Promise<Made>

/** A cache in the same thread with the face that a client has. */
export function awaited(cache: Cache<unknown>): AnyCache {
  const face: Record<string, unknown> = {}
  for (const name of METHODS) {
    face[name] = async (...parameters: unknown[]) =>
      (cache[name] as (...parameters: unknown[]) => unknown)(...parameters)
  }
  for (const name of ['changes$', 'expirations$', 'evictions$', 'stats$', 'lifecycle$'] as const)
    face[name] = cache[name]
  face['watch'] = (pattern: string) => cache.watch(pattern)
  Object.defineProperty(face, 'size', { get: async () => cache.size })
  Object.defineProperty(face, 'recovery', { get: async () => cache.recovery })
  face['transact'] = async (steps: Step[]) =>
    cache.transact(() =>
      steps.map((step) => {
        const { type } = step as { type: Exclude<Step['type'], 'require'> }
        const { key, value, by, ttl, only, pattern, keys, entries } = step as unknown as Record<string, never>
        if (type === 'size') return cache.size
        const options = { ttl, only }
        const parameters = {
          set: [key, value, options],
          increment: [key, by],
          getMany: [keys],
          setMany: [entries, options],
        }
        const method = cache[type] as (...parameters: unknown[]) => unknown
        return method.apply(cache, (parameters as Record<string, unknown[]>)[type] ?? [key ?? pattern])
      }),
    )
  return face as unknown as AnyCache
}

// biome-ignore format: a list
export const METHODS = [
  'get', 'peek', 'has', 'exists', 'set', 'delete', 'increment', 'decrement', 'ttl', 'expire', 'persist', 'getMany',
  'setMany', 'deleteMany', 'keys', 'deletePattern', 'entries', 'clear', 'stats', 'cleanup', 'getOrSet', 'flush', 'compact',
  'save', 'load',
] as const

// biome-ignore format: a list
const VALUES: readonly unknown[] = [
  null, true, false, 0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53 - 1, 10n ** 30n, '', 'text', 'ü€😀', '\ud800',
  'x'.repeat(20_000), [], [1, [2, [3]]], Object.assign(new Array(3), { 0: 1, 2: 3 }), {}, { a: { b: null } }, new Date(5), /a+/gi, new Map([[{ k: 1 }, new Set([1])]]),
  new Uint8Array([1, 2, 3]), new Float64Array([1.5, -0]), Buffer.from('buffer'), new Uint8Array(100_000).fill(7),
  new Error('kept'), Object.fromEntries([['constructor', 1]]), JSON.parse('{"__proto__": 1}'), new ArrayBuffer(3),
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

export function testCache(name: string, make: CacheMaker): void {
  const scenario = (
    promise: string,
    run: (t: ExecutionContext, cache: AnyCache, clock: CountingClock, made: Made) => Promise<void>,
    options: CacheOptions = {},
  ) =>
    test(`${name}: ${promise}`, async (t) => {
      const clock = new CountingClock()
      const made = await make(t, { clock, ...options })
      await run(t, made.cache, clock, made)
    })

  const refuses = async (
    t: ExecutionContext,
    call: () => Promise<unknown>,
    kind: abstract new (...parameters: never[]) => Error,
    message: RegExp,
  ) => {
    const error = await t.throwsAsync(call, { message })
    t.is(error?.constructor, kind)
    return error as Error & { code?: string }
  }

  scenario('every value comes back exactly, and as a copy', async (t, cache) => {
    for (const [index, value] of VALUES.entries()) {
      t.true(await cache.set(`v${index}`, value))
      const found = await cache.get(`v${index}`)
      t.deepEqual(found, value)
      t.true(Object.is(found, value) === (typeof value !== 'object' || value === null))
      if (typeof value === 'object' && value !== null) t.is(Object.getPrototypeOf(found), Object.getPrototypeOf(value))
    }
    t.deepEqual(await cache.getMany(VALUES.map((_, index) => `v${index}`)), [...VALUES])
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    await cache.set('cycle', cycle)
    const found = (await cache.get('cycle')) as typeof cycle
    t.is(found['self'], found)
  })

  scenario('changing an object after set changes nothing, even in the same tick', async (t, cache) => {
    const value = { list: [1] }
    const stored = cache.set('k', value)
    value.list.push(2)
    await stored
    t.deepEqual(await cache.get('k'), { list: [1] })
  })

  scenario('every string is a key, exactly', async (t, cache) => {
    for (const [index, key] of KEYS.entries()) await cache.set(key, index)
    for (const [index, key] of KEYS.entries()) t.is(await cache.get(key), index)
    t.deepEqual(await cache.keys(), KEYS)
    t.is(await cache.deleteMany(KEYS), KEYS.length)
  })

  scenario('get, peek, has: what they find, count and use', async (t, cache) => {
    await cache.setMany([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ])
    t.is(await cache.get('a'), 1)
    t.is(await cache.peek('b'), 2)
    t.is(await cache.get('none'), undefined)
    t.is(await cache.peek('none'), undefined)
    t.true(await cache.has('c'))
    t.true(await cache.exists('c'))
    t.false(await cache.has('none'))
    const { hits, misses, size, sets } = await cache.stats()
    t.deepEqual({ hits, misses, size, sets }, { hits: 1, misses: 1, size: 3, sets: 3 })
    t.deepEqual(await cache.keys(), ['b', 'c', 'a'])
    t.is(await cache.size, 3)
  })

  scenario('set: only, ttl, expiresAt; expiry is now >= deadline', async (t, cache, clock) => {
    t.false(await cache.set('k', 1, { only: 'present' }))
    t.true(await cache.set('k', 1, { only: 'absent', ttl: 10 }))
    t.false(await cache.set('k', 2, { only: 'absent' }))
    t.is(await cache.ttl('k'), 10)
    await cache.set('date', 1, { expiresAt: new Date(clock.now() + 500) })
    await cache.set('epoch', 1, { expiresAt: clock.now() + 1_500 })
    clock.advance('9999ms')
    t.deepEqual(await cache.keys(), ['k'])
    t.is(await cache.get('k'), 1)
    clock.advance('1ms')
    t.is(await cache.get('k'), undefined)
    const { hits, misses, expirations, size } = await cache.stats()
    t.deepEqual({ hits, misses, expirations, size }, { hits: 1, misses: 1, expirations: 3, size: 0 })
  })

  scenario('ttl, expire, persist', async (t, cache, clock) => {
    await cache.set('k', 1)
    t.is(await cache.ttl('k'), Number.POSITIVE_INFINITY)
    t.is(await cache.ttl('none'), undefined)
    t.true(await cache.expire('k', '5s'))
    t.false(await cache.expire('none', 5))
    t.is(await cache.ttl('k'), 5)
    t.true(await cache.persist('k'))
    t.false(await cache.persist('k'))
    await cache.expire('k', 0)
    t.false(await cache.has('k'))
    clock.advance(1)
    t.is(await cache.size, 0)
  })

  scenario('increment and decrement', async (t, cache) => {
    t.is(await cache.increment('n'), 1)
    t.is(await cache.increment('n', 2.5, { ttl: 10 }), 3.5)
    t.is(await cache.ttl('n'), Number.POSITIVE_INFINITY)
    t.is(await cache.decrement('n', 0.5), 3)
    t.is(await cache.increment('new', 5, { ttl: '1m' }), 5)
    t.is(await cache.ttl('new'), 60)
    await cache.set('text', '5')
    const error = await refuses(t, () => cache.increment('text'), ValueError, /it holds text, not a finite number/)
    t.is(error.code, 'INVALID_VALUE')
    await refuses(t, () => cache.increment('n', Number.NaN), RangeError, /must be finite/)
    await cache.set('n', Number.MAX_SAFE_INTEGER)
    await refuses(t, () => cache.increment('n'), RangeError, /past ±\(2\^53 − 1\)/)
    t.is(await cache.get('n'), Number.MAX_SAFE_INTEGER)
  })

  scenario('many at once, patterns, entries, clear', async (t, cache) => {
    t.is(
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
    t.deepEqual(await cache.getMany(['user:2', 'none', 'user:1']), [{ n: 2 }, undefined, 1])
    t.deepEqual((await cache.keys('user:*')).sort(), ['user:1', 'user:2'])
    t.deepEqual(await cache.keys('key?'), ['key1'])
    t.deepEqual(await cache.keys(''), [])
    t.deepEqual([...(await cache.entries('user:*'))].sort(), [
      ['user:1', 1],
      ['user:2', { n: 2 }],
    ])
    t.is(await cache.deletePattern('user:*'), 2)
    t.is(await cache.deleteMany(['key1', 'none']), 1)
    t.false(await cache.delete('key1'))
    t.true(await cache.delete('key10'))
    await cache.set('x', 1)
    await cache.get('x')
    t.is(await cache.clear(), undefined)
    const { hits, misses, evictions, size, sets, deletes } = await cache.stats()
    t.deepEqual(
      { hits, misses, evictions, size, sets, deletes },
      { hits: 0, misses: 0, evictions: 0, size: 0, sets: 0, deletes: 0 },
    )
  })

  scenario(
    'the least recently used entry makes room',
    async (t, cache) => {
      await cache.setMany([
        ['a', 1],
        ['b', 2],
        ['c', 3],
      ])
      await cache.get('b')
      await cache.set('d', 4)
      t.deepEqual(await cache.keys(), ['c', 'b', 'd'])
      t.is((await cache.stats()).evictions, 1)
    },
    { maxSize: 3 },
  )

  scenario('cleanup removes what has expired', async (t, cache, clock) => {
    await cache.setMany(
      [
        ['a', 1],
        ['b', 2],
      ],
      { ttl: 1 },
    )
    await cache.set('c', 3)
    clock.jump(1_000)
    t.is(await cache.size, 3)
    t.is(await cache.cleanup(), 2)
    t.is(await cache.size, 1)
  })

  scenario('a list of commands is one turn: all or nothing', async (t, cache) => {
    const results = await cache.transact([
      { type: 'set', key: 'a', value: { n: 1 } },
      { type: 'increment', key: 'n', by: 5 },
      { type: 'get', key: 'a' },
      { type: 'getMany', keys: ['n', 'none'] },
      { type: 'keys', pattern: '*' },
      { type: 'size' },
    ])
    t.deepEqual(results, [true, 5, { n: 1 }, [5, undefined], ['a', 'n'], 2])
    const before = [await cache.stats(), [...(await cache.entries())]]
    await refuses(
      t,
      () =>
        cache.transact([
          { type: 'set', key: 'b', value: 1 },
          { type: 'delete', key: 'n' },
          { type: 'increment', key: 'a' },
        ]),
      ValueError,
      /it holds an object/,
    )
    t.deepEqual([await cache.stats(), [...(await cache.entries())]], before)
  })

  scenario('arguments of the wrong type are refused and change nothing', async (t, cache) => {
    const bad = <T>(value: unknown) => value as T
    await refuses(t, () => cache.get(bad(1)), TypeError, /A key must be a string; 1 is not/)
    await refuses(t, () => cache.set(bad({}), 1), TypeError, /A key must be a string/)
    await refuses(t, () => cache.set('k', undefined), ValueError, /Cannot store undefined/)
    await refuses(t, () => cache.set('k', () => 1), ValueError, /Cannot store a function/)
    await refuses(t, () => cache.set('k', { deep: [undefined] }), ValueError, /it contains undefined/)
    await refuses(t, () => cache.set('k', { deep: () => 1 }), ValueError, /could not be cloned/)
    await refuses(t, () => cache.set('k', 1, { ttl: -1 }), RangeError, /ttl must be 0 or more/)
    await refuses(t, () => cache.set('k', 1, { ttl: bad('5 parsecs') }), TypeError, /ttl must be a number of seconds/)
    await refuses(t, () => cache.set('k', 1, { ttl: 1, expiresAt: 5 }), TypeError, /cannot both be given/)
    await refuses(
      t,
      () => cache.set('k', 1, { expiresAt: new Date(Number.NaN) }),
      RangeError,
      /expiresAt must be a valid moment/,
    )
    await refuses(t, () => cache.set('k', 1, { only: bad('maybe') }), TypeError, /only must be/)
    await refuses(t, () => cache.set('k', 1, bad(5)), TypeError, /options must be an object/)
    await refuses(t, () => cache.increment('k', bad('1')), TypeError, /An increment must be a number/)
    await refuses(t, () => cache.getMany(bad('abc')), TypeError, /keys must be an iterable/)
    await refuses(t, () => cache.setMany([['a', 1], bad(['b', undefined])]), ValueError, /Cannot store undefined/)
    await refuses(t, () => cache.setMany([bad(5)]), TypeError, /An entry must be an iterable/)
    await refuses(t, () => cache.keys(bad(5)), TypeError, /A pattern must be a string/)
    await refuses(t, () => cache.expire('k', bad(undefined)), TypeError, /ttl must be a number of seconds/)
    await refuses(t, () => cache.getOrSet('k', bad(5)), TypeError, /loader must be a function/)
    await refuses(t, () => cache.save(''), TypeError, /path must be a file's path/)
    t.is(await cache.size, 0)
    t.throws(() => cache.watch(bad(5)), { instanceOf: TypeError })
  })

  scenario('getOrSet: found, loaded, failed; one load per key', async (t, cache) => {
    let loads = 0
    const load = async () => {
      loads++
      return { n: 1 }
    }
    t.deepEqual(await Promise.all([cache.getOrSet('k', load), cache.getOrSet('k', load)]), [{ n: 1 }, { n: 1 }])
    t.deepEqual(await cache.getOrSet('k', load, { ttl: 5 }), { n: 1 })
    t.is(loads, 1)
    t.is(await cache.getOrSet('t', () => 5, { ttl: 5 }), 5)
    t.is(await cache.ttl('t'), 5)
    const failing = () => Promise.reject(new RangeError('no such user', { cause: 'because' }))
    const error = await refuses(t, () => cache.getOrSet('bad', failing), RangeError, /^no such user$/)
    t.is(error.cause, 'because')
    t.is(await cache.getOrSet('bad', () => 1), 1)
    await refuses(t, () => cache.getOrSet('u', () => undefined), ValueError, /Cannot store undefined/)
    const { hits, misses } = await cache.stats()
    t.deepEqual({ hits, misses }, { hits: 1, misses: 6 })
  })

  scenario('getOrSet: a set during the load wins; a load that waits for itself is refused', async (t, cache) => {
    t.is(await cache.getOrSet('k', async () => (await cache.set('k', 'winner')) && 'loaded'), 'winner')
    t.is(await cache.get('k'), 'winner')
    const error = await t.throwsAsync(
      () => cache.getOrSet('a', () => cache.getOrSet('b', () => cache.getOrSet('a', () => 1))),
      { instanceOf: CacheError },
    )
    t.is((error as CacheError).code, 'LOAD_CYCLE')
  })

  scenario('getOrSet: timeout', async (t, cache, clock) => {
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
    t.is(((await t.throwsAsync(waiting)) as CacheError).code, 'LOAD_TIMEOUT')
    const next = cache.getOrSet('k', () => 0)
    finish(7)
    t.is(await next, 7)
  })

  scenario(
    'changes$, expirations$, evictions$, watch: every event once, in order',
    async (t, cache, clock) => {
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
      t.deepEqual((await changes).slice(0, 6), [
        { type: 'set', sequence: 1, key: 'a', value: { v: 1 } },
        { type: 'set', sequence: 2, key: 'b', value: 2, expiresAtMs: startMs + 1_000 },
        { type: 'evicted', sequence: 3, key: 'a' },
        { type: 'set', sequence: 4, key: 'c', value: 3 },
        { type: 'expired', sequence: 5, key: 'b' },
        { type: 'cleared', sequence: 6 },
      ])
      t.deepEqual(
        (await watched).map(({ sequence }) => sequence),
        [2, 5, 6],
      )
      t.deepEqual(await evicted, { key: 'a', value: { v: 1 }, sequence: 3 })
      t.deepEqual(await expired, {
        key: 'b',
        value: 2,
        expiresAtMs: startMs + 1_000,
        seenAtMs: startMs + 1_000,
        sequence: 5,
      })
    },
    { maxSize: 2 },
  )

  scenario(
    'stats$ and lifecycle$ begin with what is now; all streams end with the cache',
    async (t, cache, _, made) => {
      await cache.set('a', 1)
      t.is((await firstValueFrom(cache.stats$)).size, 1)
      const streams: Observable<unknown>[] = [cache.changes$, cache.expirations$, cache.evictions$, cache.stats$]
      const ends = streams.map((stream) => firstValueFrom(stream.pipe(toArray())))
      const states = firstValueFrom(cache.lifecycle$.pipe(toArray()))
      await cache.get('a') // the subscriptions have arrived by then
      await made.closeCache()
      t.is((await Promise.all(ends)).length, 4)
      t.deepEqual(
        (await states).map(({ state }) => state),
        ['running', 'draining', 'closed'],
      )
    },
  )

  scenario('flush, compact, recovery', async (t, cache) => {
    await cache.set('a', 1)
    t.is(await cache.flush(), 1)
    const { entries, sequence } = await cache.compact()
    t.deepEqual({ entries, sequence }, { entries: 1, sequence: 1 })
    t.is((await cache.recovery).sequence, 0)
  })

  scenario('save and load', async (t, cache) => {
    const directory = temporaryDirectory(t)
    await cache.setMany([
      ['a', 1],
      ['b', { deep: [1] }],
    ])
    for (const file of ['state.pickle', 'state.daybook']) {
      const saved = await cache.save(`${directory}/${file}`)
      t.true(saved.ok)
    }
    await cache.clear()
    const loaded = await cache.load(`${directory}/state.daybook`)
    t.true(loaded.ok)
    t.deepEqual(
      [...(await cache.entries())],
      [
        ['a', 1],
        ['b', { deep: [1] }],
      ],
    )
    const failed = await cache.load(`${directory}/missing`)
    t.false(failed.ok)
    const { error } = failed as unknown as { error: CacheError }
    t.is(error.constructor, CacheError)
    t.is(error.code, 'LOAD_FAILED')
    t.is((error.cause as NodeJS.ErrnoException).code, 'ENOENT')
    t.is(await cache.size, 2)
  })

  scenario('everything is refused once the cache is closed', async (t, cache, _, made) => {
    await made.closeCache()
    const calls: [string, () => Promise<unknown>][] = [
      ...METHODS.map((name): [string, () => Promise<unknown>] => {
        const parameters: Record<string, unknown[]> = {
          set: ['k', 1],
          expire: ['k', 1],
          getMany: [['k']],
          setMany: [[['k', 1]]],
          deleteMany: [['k']],
          keys: [],
          entries: [],
          clear: [],
          stats: [],
          cleanup: [],
          flush: [],
          compact: [],
          getOrSet: ['k', () => 1],
          save: ['/nowhere'],
          load: ['/nowhere'],
        }
        return [
          name,
          () => (cache[name] as (...parameters: unknown[]) => Promise<unknown>)(...(parameters[name] ?? ['k'])),
        ]
      }),
      ['transact', () => cache.transact([{ type: 'get', key: 'k' }])],
      ['size', () => cache.size],
    ]
    for (const [method, call] of calls) await t.throwsAsync(call, { instanceOf: CacheClosedError }, method)
  })
}
