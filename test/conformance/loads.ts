/** `getOrSet` and `getOrSetMany` with all their options, as cases of the suite in `cache.ts`. */
import assert from 'node:assert/strict'
import type { CacheError } from '../../src/index.js'
import { until as turnUntil } from '../helpers/loop-turn.js'
import type { AnyCache, CacheCase } from './cache.js'

/** Fresh for 10 s, then stale for 20 s. */
const TEN_THEN_TWENTY = { ttl: 10, stale: 20 } as const

export const LOAD_CASES: CacheCase[] = [
  {
    name: 'getOrSet: a stale value is given at once, as a hit, and one reload starts in the background',
    async run({ cache, clock }) {
      const seen: unknown[] = []
      const load = (key: string, { staleValue }: { staleValue: unknown }) => `${key} ${seen.push(staleValue)}`
      assert.equal(await cache.getOrSet('k', load, TEN_THEN_TWENTY), 'k 1')
      clock.advance(10)
      assert.equal(await cache.get('k'), undefined)
      assert.equal(await cache.getOrSet('k', load, TEN_THEN_TWENTY), 'k 1')
      await until(cache, 'k', 'k 2')
      assert.equal(await cache.ttl('k'), 10)
      assert.equal(await cache.getOrSet('k', load, TEN_THEN_TWENTY), 'k 2')
      assert.deepEqual(seen, [undefined, 'k 1'])
      assert.deepEqual(await readsOf(cache), { hits: 2, misses: 2 }) // the get is a miss
    },
  },

  {
    name: 'getOrSet: a stale value is given whether or not the call names stale; what it stores then has no window',
    async run({ cache, clock }) {
      await cache.set('k', 'old', TEN_THEN_TWENTY)
      clock.advance(29)
      assert.equal(await cache.getOrSet('k', () => 'new', { ttl: 5 }), 'old')
      await until(cache, 'k', 'new')
      clock.advance(5)
      assert.equal(await cache.getOrSet('k', () => 'newer'), 'newer')
    },
  },

  {
    name: 'getOrSet: when the stale window has ended, the call waits for the load',
    async run({ cache, clock }) {
      await cache.set('k', 'old', TEN_THEN_TWENTY)
      clock.advance(30)
      const load = (_: string, { staleValue }: { staleValue: unknown }) => staleValue ?? 'none'
      assert.equal(await cache.getOrSet('k', load), 'none')
    },
  },

  {
    name: 'getOrSet: what it loads has its tags and its stale window',
    async run({ cache, clock }) {
      await cache.getOrSet('k', () => 1, { ...TEN_THEN_TWENTY, tags: ['a', 'b', 'a'] })
      const nowMs = clock.now()
      const times = { expiresAtMs: nowMs + 30_000, freshUntilMs: nowMs + 10_000 }
      assert.deepEqual(await cache.entry('k'), { value: 1, ...times, tags: ['a', 'b'] })
      assert.equal(await cache.deleteTag('b'), 1)
      await cache.getOrSetMany(['l', 'm'], (keys) => keys.map((key) => [key, key]), { ...TEN_THEN_TWENTY, tags: ['a'] })
      assert.deepEqual(await cache.entry('m'), { value: 'm', ...times, tags: ['a'] })
      assert.equal(await cache.expireTag('a'), 2)
    },
  },

  {
    name: 'getOrSet: stale needs a ttl that ends, unless the ttl is a function, whose entry then is never stale',
    async run({ cache }) {
      const load = () => assert.fail('the loader ran')
      for (const ttl of [undefined, Number.POSITIVE_INFINITY]) {
        await assert.rejects(() => cache.getOrSet('k', load, { stale: 5, ttl }), /stale needs a ttl that ends/)
        await assert.rejects(() => cache.getOrSetMany(['k'], load, { stale: 5, ttl }), /stale needs a ttl that ends/)
      }
      await assert.rejects(() => cache.getOrSet('k', load, { stale: -1, ttl: 5 }), RangeError)
      await assert.rejects(() => cache.getOrSet('k', load, { stale: true as never, ttl: 5 }), TypeError)
      await assert.rejects(() => cache.getOrSet('k', load, { tags: 'a' as never }), TypeError)
      for (const ttl of [() => Number.POSITIVE_INFINITY, () => undefined]) {
        await cache.getOrSet('k', () => 1, { stale: 5, ttl })
        assert.deepEqual(await cache.entry('k'), { value: 1, tags: [] })
        await cache.delete('k')
      }
      await cache.getOrSet('k', () => 1, { stale: 5, ttl: () => 5 })
      assert.notEqual((await cache.entry('k'))?.freshUntilMs, undefined)
    },
  },

  {
    name: 'getOrSet: a reload that fails leaves the stale value, is a warning, and the next call starts another',
    async run({ cache, clock }) {
      const warnings: Error[] = []
      cache.lifecycle$.subscribe(({ warning }) => warning !== undefined && warnings.push(warning))
      await cache.set('k', 'old', TEN_THEN_TWENTY)
      clock.advance(10)
      const fails = () => {
        throw new RangeError('mine')
      }
      for (const count of [1, 2]) {
        assert.equal(await cache.getOrSet('k', fails), 'old')
        await turns(() => warnings.length >= count)
        assert.equal(warnings.length, count)
        assert.equal(warnings[count - 1]?.constructor, RangeError)
        assert.equal(warnings[count - 1]?.message, 'mine')
      }
      assert.equal(await cache.get('k', { stale: true }), 'old')
    },
    about: 'asynchronous loaders', // a blocking client reads no events in between
  },

  {
    name: 'getOrSet: ttl(value) of 0 and undefined leave what was there',
    async run({ cache, clock }) {
      await cache.set('k', 'old', TEN_THEN_TWENTY)
      clock.advance(10)
      let loads = 0
      const load = (value: unknown) => () => {
        loads++
        return value
      }
      assert.equal(await cache.getOrSet('k', load('not stored'), { ttl: () => 0 }), 'old')
      await turns(() => loads >= 1)
      await turns(async () => {
        assert.equal(await cache.getOrSet('k', load(undefined)), 'old')
        return loads >= 2 // the first one may not have been over
      })
      assert.equal(await cache.get('k', { stale: true }), 'old')
    },
  },

  {
    name: 'getOrSet with timeout: a stale value is given when the time is up, or when the loader fails',
    about: 'asynchronous loaders',
    async run({ cache, clock }) {
      const warnings: Error[] = []
      cache.lifecycle$.subscribe(({ warning }) => warning !== undefined && warnings.push(warning))
      const options = { ...TEN_THEN_TWENTY, timeout: 2 }
      await cache.set('k', 'old', TEN_THEN_TWENTY)
      clock.advance(10)
      const slow = slowLoader()
      const late = cache.getOrSet('k', slow.load, options)
      await slow.begins(1)
      clock.advance(2)
      assert.equal(await late, 'old')
      slow.resolve('new')
      await until(cache, 'k', 'new')
      clock.advance(10)
      const inTime = cache.getOrSet('k', slow.load, options)
      await slow.begins(2)
      clock.advance(1)
      slow.resolve('newer')
      assert.equal(await inTime, 'newer')
      clock.advance(10)
      const failing = cache.getOrSet('k', slow.load, options)
      await slow.begins(3)
      assert.ok(warnings.length < 1)
      slow.reject(new Error('mine'))
      assert.equal(await failing, 'newer')
      await turns(() => warnings.length > 0)
      assert.equal(warnings[0]?.message, 'mine')
    },
  },

  {
    name: 'getOrSet with timeout: whether a stale key is a hit or a miss is counted once, by what the call gets',
    about: 'asynchronous loaders',
    async run({ cache, clock }) {
      await cache.set('k', 'old', TEN_THEN_TWENTY)
      clock.advance(10)
      const slow = slowLoader()
      const late = cache.getOrSet('k', slow.load, { timeout: 1 })
      await slow.begins(1)
      clock.advance(1)
      await late
      assert.deepEqual(await readsOf(cache), { hits: 1, misses: 0 })
      const inTime = cache.getOrSet('k', slow.load, { timeout: 1 })
      await cache.has('k')
      slow.resolve('new')
      assert.equal(await inTime, 'new')
      assert.deepEqual(await readsOf(cache), { hits: 1, misses: 1 })
    },
  },

  {
    name: 'getOrSet with hardTimeout: the signal is aborted, the key is free, waiting calls get the stale value or LOAD_TIMEOUT',
    about: 'asynchronous loaders',
    async run({ cache, clock }) {
      const warnings: Error[] = []
      cache.lifecycle$.subscribe(({ warning }) => warning !== undefined && warnings.push(warning))
      await cache.set('k', 'old', TEN_THEN_TWENTY)
      clock.advance(10)
      const slow = slowLoader()
      const stale = cache.getOrSet('k', slow.load, { timeout: 9, hardTimeout: 2 })
      const fresh = cache.getOrSet('l', slow.load, { timeout: 9, hardTimeout: 2 })
      fresh.catch(() => undefined)
      await slow.begins(2)
      clock.advance(2)
      assert.equal(await stale, 'old')
      const error = (await fresh.catch((reason: unknown) => reason)) as CacheError
      assert.equal(error.code, 'LOAD_TIMEOUT')
      await turns(() => slow.signals.every(({ aborted }) => aborted))
      await turns(() => warnings.length > 0)
      assert.equal((warnings[0] as CacheError).code, 'LOAD_TIMEOUT')
      const again = cache.getOrSet('k', slow.load, { timeout: 9 })
      await slow.begins(3)
      slow.resolve('new')
      assert.equal(await again, 'new')
      assert.equal(warnings.length, 1)
    },
  },

  {
    name: 'getOrSet: deleteTag and expireTag overrule a load that was started with the tag, or whose entry has it',
    about: 'asynchronous loaders',
    async run({ cache, clock }) {
      const slow = slowLoader()
      let count = 0
      for (const name of ['deleteTag', 'expireTag'] as const) {
        for (const options of [{ tags: ['other', 't'] }, {}]) {
          if (options.tags === undefined) {
            await cache.set('k', 'old', { ttl: 1, stale: 100, tags: ['t'] })
            clock.advance(1)
          }
          const first = cache.getOrSet('k', slow.load, { timeout: 50, ...options })
          await slow.begins(++count)
          await cache[name]('none')
          await cache[name]('t')
          const second = cache.getOrSet('k', slow.load, { timeout: 50, ...options })
          await slow.begins(++count)
          slow.resolve('before', -2)
          assert.equal(await first, 'before')
          assert.equal(await cache.get('k'), undefined)
          slow.resolve('after')
          assert.equal(await second, 'after')
          assert.equal(await cache.get('k'), 'after')
          await cache.delete('k')
        }
      }
    },
  },

  {
    name: 'getOrSetMany: one call of the loader, for what is missing and what is stale; stale values are given at once',
    async run({ cache, clock }) {
      await cache.setMany(
        [
          ['s', 'old'],
          ['t', 'old, too'],
        ],
        TEN_THEN_TWENTY,
      )
      clock.advance(10)
      await cache.set('f', 'fresh')
      const calls: [string[], [string, unknown][]][] = []
      const load = (keys: string[], { staleValues }: { staleValues: ReadonlyMap<string, unknown> }) => {
        calls.push([keys, [...staleValues]])
        return new Map(keys.map((key) => [key, `new ${key}`]))
      }
      const values = await cache.getOrSetMany(['t', 'f', 'm', 's', 'm'], load, { ttl: 10 })
      assert.deepEqual(
        [...values],
        [
          ['t', 'old, too'],
          ['f', 'fresh'],
          ['m', 'new m'],
          ['s', 'old'],
        ],
      )
      assert.deepEqual(calls, [
        [
          ['m', 't', 's'],
          [
            ['t', 'old, too'],
            ['s', 'old'],
          ],
        ],
      ])
      assert.deepEqual(await cache.getMany(['s', 't']), ['new s', 'new t'])
      clock.advance(10)
      assert.deepEqual([...(await cache.getOrSetMany([], load))], [])
    },
  },

  {
    name: 'getOrSetMany: only stale keys are given at once and reloaded by one call',
    async run({ cache, clock }) {
      await cache.setMany(
        [
          ['s', 'old'],
          ['t', 'old'],
        ],
        TEN_THEN_TWENTY,
      )
      clock.advance(10)
      const calls: string[][] = []
      const load = (keys: string[]) => {
        calls.push(keys)
        return keys.map((key) => [key, 'new'] as const)
      }
      assert.deepEqual([...(await cache.getOrSetMany(['s', 't'], load)).values()], ['old', 'old'])
      await until(cache, 't', 'new')
      assert.deepEqual(calls, [['s', 't']])
    },
  },

  {
    name: 'getOrSetMany with timeout: stale values when the time is up; a key without one rejects the call',
    about: 'asynchronous loaders',
    async run({ cache, clock }) {
      await cache.set('s', 'old', TEN_THEN_TWENTY)
      clock.advance(10)
      await cache.set('f', 'fresh')
      const loads: ((pairs: [string, unknown][]) => void)[] = []
      const load = () => new Promise<[string, unknown][]>((resolve) => loads.push(resolve))
      const late = cache.getOrSetMany(['s', 'f'], load, { timeout: 1 })
      await turns(() => loads.length >= 1)
      clock.advance(1)
      assert.deepEqual(
        [...(await late)],
        [
          ['s', 'old'],
          ['f', 'fresh'],
        ],
      )
      const rejected = cache.getOrSetMany(['s', 'm'], load, { timeout: 1 })
      rejected.catch(() => undefined)
      await turns(() => loads.length >= 2)
      clock.advance(1)
      const error = (await rejected.catch((reason: unknown) => reason)) as CacheError
      assert.equal(error.code, 'LOAD_TIMEOUT')
      loads[0]?.([['s', 'new']])
      loads[1]?.([['m', 'new']])
      await until(cache, 'm', 'new')
      await until(cache, 's', 'new')
    },
  },

  {
    name: 'getOrSet: refresh reloads what is late in its life; ttl may be a function of the stored value',
    async run({ cache, clock }) {
      for (const ttl of [10, () => 10]) {
        await cache.set('k', 'old', { ttl: 10 })
        clock.advance(7)
        assert.equal(await cache.getOrSet('k', () => assert.fail('too early'), { ttl, refresh: 0.8 }), 'old')
        clock.advance(1)
        assert.equal(await cache.getOrSet('k', () => 'new', { ttl, refresh: 0.8 }), 'old')
        await until(cache, 'k', 'new')
        await cache.set('k', 'old', { ttl: 10 })
        clock.advance(8)
        const load = (keys: string[]) => keys.map((key) => [key, 'newer'] as const)
        const values = await cache.getOrSetMany(['k'], load, { ttl, refresh: 0.8 })
        assert.deepEqual([...values], [['k', 'old']])
        await until(cache, 'k', 'newer')
      }
    },
  },

  {
    name: 'getOrSet: what cannot be stored is given to who loaded it, with a warning',
    async run({ cache }) {
      const warnings: Error[] = []
      cache.lifecycle$.subscribe(({ warning }) => warning !== undefined && warnings.push(warning))
      const method = () => 1
      assert.equal(await cache.getOrSet('k', () => method), method)
      const values = await cache.getOrSetMany(['l', 'm'], () => [
        ['l', method],
        ['m', 1],
      ])
      assert.deepEqual(
        [...values],
        [
          ['l', method],
          ['m', 1],
        ],
      )
      assert.deepEqual(await cache.keys(), ['m'])
      await turns(() => warnings.length >= 2)
      assert.equal(warnings.length, 2)
      assert.deepEqual(
        warnings.map(({ name }) => name),
        ['ValueError', 'ValueError'],
      )
    },
  },
]

/** A loader whose calls are settled by the case. */
function slowLoader() {
  const calls: { resolve: (value: unknown) => void; reject: (error: unknown) => void }[] = []
  const signals: AbortSignal[] = []
  return {
    signals,
    load: (_: string, { signal }: { signal: AbortSignal }) =>
      new Promise<unknown>((resolve, reject) => {
        signals.push(signal)
        calls.push({ resolve, reject })
      }),
    async begins(count: number) {
      await turns(() => calls.length >= count)
    },
    resolve: (value: unknown, call = -1) => calls.at(call)?.resolve(value),
    reject: (error: unknown, call = -1) => calls.at(call)?.reject(error),
  }
}

/** The reload in the background has ended. */
function until(cache: AnyCache, key: string, value: unknown): Promise<void> {
  return turns(async () => (await cache.peek(key)) === value)
}

/** Turns the event loop until a condition holds. */
function turns(holds: () => boolean | Promise<boolean>): Promise<void> {
  return turnUntil(holds, `${holds}`)
}

async function readsOf(cache: AnyCache): Promise<{ hits: number; misses: number }> {
  const { hits, misses } = await cache.stats()
  return { hits, misses }
}
