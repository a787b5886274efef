/** Stale entries and tags, as cases of the suite in `cache.ts`. */
import assert from 'node:assert/strict'
import type { Change } from '../../src/index.js'
import type { AnyCache, CacheCase } from './cache.js'

/** Fresh for 10 s, then stale for 20 s. */
const TEN_THEN_TWENTY = { ttl: 10, stale: 20 } as const

export const STALE_AND_TAGS_CASES: CacheCase[] = [
  {
    name: 'an entry is fresh until its ttl ends, then stale, then expired, which is an event',
    async run({ cache, clock }) {
      const expired: unknown[] = []
      cache.expirations$.subscribe(({ key, value, expiresAtMs }) => expired.push([key, value, expiresAtMs]))
      const startMs = clock.now()
      await cache.set('k', 'v', TEN_THEN_TWENTY)
      clock.advance(9.999)
      assert.equal(await cache.get('k'), 'v')
      clock.advance('1ms')
      assert.equal(await cache.get('k'), undefined)
      assert.equal(await cache.get('k', { stale: false }), undefined)
      assert.equal(await cache.get('k', { stale: true }), 'v')
      clock.advance(19.999)
      assert.equal(await cache.get('k', { stale: true }), 'v')
      assert.equal(await cache.size, 1)
      assert.equal(await cache.cleanup(), 0)
      assert.deepEqual(expired, [])
      clock.advance('1ms')
      assert.equal(await cache.get('k', { stale: true }), undefined)
      assert.equal(await cache.size, 0)
      await settled(cache)
      assert.deepEqual(expired, [['k', 'v', startMs + 30_000]])
    },
  },

  {
    name: 'a stale entry is absent for every reading method, and stays',
    async run({ cache, clock }) {
      await cache.set('live', 1)
      await cache.set('k', 2, TEN_THEN_TWENTY)
      clock.advance(10)
      assert.equal(await cache.get('k'), undefined)
      assert.equal(await cache.peek('k'), undefined)
      assert.equal(await cache.entry('k'), undefined)
      assert.equal(await cache.has('k'), false)
      assert.equal(await cache.exists('k'), false)
      assert.equal(await cache.ttl('k'), undefined)
      assert.deepEqual(await cache.hasMany(['k', 'live']), [false, true])
      assert.deepEqual(await cache.getMany(['k', 'live', 'k']), [undefined, 1, undefined])
      assert.deepEqual(await cache.keys(), ['live'])
      assert.deepEqual([...(await cache.entries())], [['live', 1]])
      assert.deepEqual((await cache.scan()).keys, ['live'])
      const iterated: unknown[] = []
      for await (const entry of cache) iterated.push(entry)
      assert.deepEqual(iterated, [['live', 1]])
      assert.equal(await cache.get('k', { stale: true }), 2)
    },
  },

  {
    name: 'a stale entry is absent for only, increment, expire, touch, persist, keep and take',
    options: { ttl: 40 },
    async run({ cache, clock }) {
      for (const key of ['a', 'b', 'c', 'd']) await cache.set(key, 5, { ...TEN_THEN_TWENTY, tags: ['t'] })
      clock.advance(10)
      assert.equal(await cache.expire('a', 99), false)
      assert.equal(await cache.touch('a'), false)
      assert.equal(await cache.touch('a', 99), false)
      assert.equal(await cache.persist('a'), false)
      assert.equal(await cache.take('a'), undefined)
      assert.equal(await cache.set('a', 6, { only: 'present' }), false)
      assert.equal(await cache.get('a', { stale: true }), 5)
      assert.equal(await cache.increment('b'), 1)
      assert.equal(await cache.ttl('b'), 40)
      assert.deepEqual((await cache.entry('b'))?.tags, [])
      assert.equal(await cache.set('c', 7, { only: 'absent' }), true)
      assert.equal(await cache.get('c'), 7)
      assert.equal(await cache.set('d', 8, { ttl: 'keep' }), true)
      assert.equal(await cache.ttl('d'), 40)
      assert.equal((await cache.entry('d'))?.freshUntilMs, undefined)
      clock.advance(20)
      assert.deepEqual(await cache.keys(), ['b', 'c', 'd'])
      assert.equal(await cache.get('a', { stale: true }), undefined)
    },
  },

  {
    name: 'a set of an absent key whose deadline has passed deletes a stale entry',
    async run({ cache, clock }) {
      for (const key of ['a', 'b', 'c']) await cache.set(key, 5, TEN_THEN_TWENTY)
      clock.advance(10)
      const past = { expiresAt: clock.now() }
      assert.equal(await cache.set('a', 6, { ...past, only: 'present' }), false)
      assert.equal(await cache.get('a', { stale: true }), 5)
      assert.equal(await cache.set('a', 6, { ...past, only: 'absent' }), false)
      assert.equal(await cache.get('a', { stale: true }), undefined)
      assert.equal(await cache.setMany([['b', 6]], { ...past, only: 'absent' }), 0)
      assert.equal(await cache.get('b', { stale: true }), undefined)
      assert.equal(await cache.set('c', 6, past), false)
      assert.equal(await cache.size, 0)
    },
  },

  {
    name: 'deleting removes and counts stale entries, too',
    async run({ cache, clock }) {
      const deleted: unknown[] = []
      cache.changes$.subscribe((change) => change.type === 'deleted' && deleted.push(change.key))
      const keys = ['a', 'b', 'c', 'd1', 'e', 'f']
      await cache.setMany(
        keys.map((key) => [key, 1]),
        { ...TEN_THEN_TWENTY, tags: ['t'] },
      )
      clock.advance(10)
      assert.equal(await cache.delete('a'), true)
      assert.equal(await cache.deleteMany(['b', 'c', 'none']), 2)
      assert.equal(await cache.deletePattern('d?'), 1)
      assert.equal(await cache.deletePrefix('e'), 1)
      assert.equal(await cache.deleteTag('t'), 1)
      assert.equal(await cache.size, 0)
      await settled(cache)
      assert.deepEqual(deleted, keys)
    },
  },

  {
    name: 'a stale value that is given is a hit and a use; a get that does not ask for it is a miss',
    about: 'the whole cache',
    options: { maxSize: 2 },
    async run({ cache, clock }) {
      await cache.set('k', 1, TEN_THEN_TWENTY)
      await cache.set('other', 2)
      clock.advance(10)
      await cache.get('k')
      assert.deepEqual(await readsOf(cache), { hits: 0, misses: 1 })
      await cache.get('k', { stale: true })
      assert.deepEqual(await readsOf(cache), { hits: 1, misses: 1 })
      await cache.set('new', 3) // evicts the least recently used
      assert.deepEqual(await cache.keys(), ['new'])
      assert.equal(await cache.get('k', { stale: true }), 1)
      await cache.get('new')
      await cache.set('newer', 4)
      assert.equal(await cache.get('k', { stale: true }), undefined)
      assert.deepEqual(await cache.keys(), ['new', 'newer'])
    },
  },

  {
    name: 'ttl counts to the end of the fresh time; expire and touch move both ends; persist removes both',
    async run({ cache, clock }) {
      const nowMs = clock.now()
      await cache.set('k', 1, { ...TEN_THEN_TWENTY, tags: ['t'] })
      assert.equal(await cache.ttl('k'), 10)
      const first = { value: 1, expiresAtMs: nowMs + 30_000, freshUntilMs: nowMs + 10_000, tags: ['t'] }
      assert.deepEqual(await cache.entry('k'), first)
      await cache.increment('k')
      assert.deepEqual(await cache.entry('k'), { ...first, value: 2 })
      await cache.set('k', 3, { ttl: 'keep', tags: ['t'] })
      assert.deepEqual(await cache.entry('k'), { ...first, value: 3 })
      await cache.set('k', 4, { ttl: 'keep', stale: 1 })
      assert.deepEqual(await cache.entry('k'), { ...first, value: 4, expiresAtMs: nowMs + 11_000, tags: [] })
      assert.equal(await cache.expire('k', 50), true)
      const moved = { value: 4, expiresAtMs: nowMs + 51_000, freshUntilMs: nowMs + 50_000, tags: [] }
      assert.deepEqual(await cache.entry('k'), moved)
      assert.equal(await cache.touch('k', 60), true)
      assert.deepEqual(await cache.entry('k'), {
        ...moved,
        expiresAtMs: nowMs + 61_000,
        freshUntilMs: nowMs + 60_000,
      })
      assert.equal(await cache.persist('k'), true)
      assert.deepEqual(await cache.entry('k'), { value: 4, tags: [] })
      assert.equal(await cache.persist('k'), false)
      await cache.set('k', 5, TEN_THEN_TWENTY)
      assert.equal(await cache.expire('k', Number.POSITIVE_INFINITY), true)
      assert.deepEqual(await cache.entry('k'), { value: 5, tags: [] })
      await cache.set('k', 6, { expiresAt: nowMs + 5_000, stale: Number.POSITIVE_INFINITY })
      assert.deepEqual(await cache.entry('k'), { value: 6, freshUntilMs: nowMs + 5_000, tags: [] })
      clock.advance('2d')
      assert.equal(await cache.has('k'), false)
      assert.equal(await cache.increment('k'), 1)
    },
  },

  {
    name: 'a ttl of 0 with a stale window is stale at once; a window of 0 is none',
    async run({ cache, clock }) {
      assert.equal(await cache.set('k', 1, { ttl: 0, stale: 5 }), true)
      assert.equal(await cache.has('k'), false)
      assert.equal(await cache.get('k', { stale: true }), 1)
      await cache.set('none', 1, { ttl: 5, stale: 0 })
      assert.equal((await cache.entry('none'))?.freshUntilMs, undefined)
      clock.advance(5)
      assert.equal(await cache.get('none', { stale: true }), undefined)
      assert.equal(await cache.size, 0)
    },
  },

  {
    name: 'stale needs a ttl that ends; wrong stale windows and tags are refused, and nothing is changed',
    async run({ cache }) {
      await cache.set('k', 1)
      const endless = /stale needs a ttl that ends/
      const calls: [options: object, error: typeof Error, message: RegExp][] = [
        [{ stale: 5 }, RangeError, endless],
        [{ stale: 5, ttl: Number.POSITIVE_INFINITY }, RangeError, endless],
        [{ stale: 5, ttl: 'keep' }, RangeError, endless],
        [{ stale: 0 }, RangeError, endless],
        [{ stale: -1, ttl: 5 }, RangeError, /stale must be/],
        [{ stale: Number.NaN, ttl: 5 }, RangeError, /stale must be/],
        [{ stale: '1 hour', ttl: 5 }, TypeError, /stale must be/],
        [{ stale: true, ttl: 5 }, TypeError, /stale must be/],
        [{ stale: '99999999d', ttl: 5 }, RangeError, /stale must be/],
        [{ tags: 'news' }, TypeError, /tags must be an array of strings/],
        [{ tags: new Set(['a']) }, TypeError, /tags must be an array of strings/],
        [{ tags: ['a', 5] }, TypeError, /A tag must be a string/],
      ]
      for (const [options, kind, message] of calls) {
        await assert.rejects(() => cache.set('k', 2, options), both(kind, message))
        await assert.rejects(() => cache.setMany([['l', 2]], options), both(kind, message))
        await assert.rejects(() => cache.setMany([['k', 2, options as never]]), both(kind, message))
      }
      await assert.rejects(() => cache.get('k', { stale: 5 as never }), both(TypeError, /stale must be true or false/))
      for (const name of ['deleteTag', 'expireTag'] as const) {
        await assert.rejects(() => cache[name](5 as never), both(TypeError, /A tag must be a string/))
        await assert.rejects(() => cache[name](['a'] as never), both(TypeError, /A tag must be a string/))
        await assert.rejects(() => cache[name](undefined as never), both(TypeError, /A tag must be a string/))
        assert.equal(await cache[name](), 0)
      }
      assert.deepEqual(await cache.entry('k'), { value: 1, tags: [] })
      assert.equal(await cache.size, 1)
    },
  },

  {
    name: 'set replaces the tags, without repetitions; increment, expire and touch keep them',
    async run({ cache }) {
      const tagsOf = async () => (await cache.entry('k'))?.tags
      await cache.set('k', 1, { tags: ['b', 'a', 'b', ''] })
      assert.deepEqual(await tagsOf(), ['b', 'a', ''])
      await cache.increment('k')
      await cache.decrement('k')
      await cache.expire('k', 5)
      await cache.touch('k', 6)
      await cache.persist('k')
      assert.deepEqual(await tagsOf(), ['b', 'a', ''])
      await cache.set('k', 1, { tags: ['c'], ttl: 'keep' })
      assert.deepEqual(await tagsOf(), ['c'])
      assert.equal(await cache.deleteTag('a', 'b', ''), 0)
      await cache.set('k', 1)
      assert.deepEqual(await tagsOf(), [])
      await cache.set('k', 1, { tags: [] })
      assert.equal(await cache.deleteTag('c'), 0)
      await cache.setMany(
        [
          ['k', 1, { tags: ['own'] }],
          ['l', 2],
        ],
        { tags: ['shared'] },
      )
      assert.deepEqual([await tagsOf(), (await cache.entry('l'))?.tags], [['own'], ['shared']])
    },
  },

  {
    name: 'deleteTag removes every entry with one of the tags, each once; expireTag makes those stale that can be',
    async run({ cache, clock }) {
      const events = eventsOf(cache)
      await cache.set('a', 1, { tags: ['x', 'y'] })
      await cache.set('b', 1, { tags: ['y'] })
      await cache.set('c', 1, { tags: ['z'] })
      await cache.set('gone', 1, { tags: ['x'], ttl: 1 })
      await cache.set('swr', 1, { ...TEN_THEN_TWENTY, tags: ['x', 'z'] })
      await cache.set('old', 1, { ttl: 1, stale: 50, tags: ['z'] })
      clock.advance(2)
      const nowMs = clock.now()
      assert.equal(await cache.expireTag('z'), 2) // c and swr; old is stale already
      assert.equal(await cache.get('swr'), undefined)
      assert.equal(await cache.get('swr', { stale: true }), 1)
      assert.equal(await cache.has('c'), false)
      assert.equal(await cache.expireTag('z'), 0)
      assert.equal(await cache.deleteTag('x', 'y', 'x', 'none'), 3)
      assert.deepEqual(await cache.keys(), [])
      assert.equal(await cache.size, 1)
      const byTag = (await events()).slice(7) // after the sets, and the expiry of `gone`
      const expiresAtMs = nowMs - 2_000 + 30_000
      assert.deepEqual(byTag.slice(0, 2).sort(byKey), [
        { type: 'deleted', key: 'c' },
        { type: 'rescheduled', key: 'swr', expiresAtMs, freshUntilMs: nowMs },
      ])
      assert.deepEqual(byTag.slice(2).sort(byKey), [
        { type: 'deleted', key: 'a' },
        { type: 'deleted', key: 'b' },
        { type: 'deleted', key: 'swr' },
      ])
    },
  },

  {
    name: 'changes$ has the tags and the end of the fresh time, where there are any',
    async run({ cache, clock }) {
      const events = eventsOf(cache)
      const nowMs = clock.now()
      await cache.set('k', 1, { ...TEN_THEN_TWENTY, tags: ['a', 'b'] })
      await cache.set('k', 2, TEN_THEN_TWENTY)
      await cache.set('k', 3, { tags: ['a'] })
      await cache.set('k', 4, { ttl: 5, stale: 5 })
      await cache.expire('k', 6)
      await cache.persist('k')
      const times = { expiresAtMs: nowMs + 30_000, freshUntilMs: nowMs + 10_000 }
      assert.deepEqual(await events(), [
        { type: 'set', key: 'k', value: 1, ...times, tags: ['a', 'b'] },
        { type: 'set', key: 'k', value: 2, ...times },
        { type: 'set', key: 'k', value: 3, tags: ['a'] },
        { type: 'set', key: 'k', value: 4, expiresAtMs: nowMs + 10_000, freshUntilMs: nowMs + 5_000 },
        { type: 'rescheduled', key: 'k', expiresAtMs: nowMs + 11_000, freshUntilMs: nowMs + 6_000 },
        { type: 'rescheduled', key: 'k' },
      ])
    },
  },

  {
    name: 'steps of a transaction know stale entries and tags, and are undone together',
    async run({ cache, clock }) {
      await cache.set('s', 1, { ...TEN_THEN_TWENTY, tags: ['t'] })
      clock.advance(10)
      const results = await cache.transact([
        { type: 'get', key: 's', stale: true },
        { type: 'get', key: 's' },
        { type: 'set', key: 'k', value: 2, ttl: 5, stale: 5, tags: ['t'] },
        { type: 'expireTag', tags: ['t'] },
        { type: 'get', key: 'k', stale: true },
        { type: 'deleteTag', tags: ['t', 'none'] },
        { type: 'get', key: 'k', stale: true },
      ])
      assert.deepEqual(results, [1, undefined, true, 1, 2, 2, undefined])
      await cache.set('a', 'text', { tags: ['t'] })
      await assert.rejects(() =>
        cache.transact([
          { type: 'set', key: 'b', value: 1, tags: ['u'] },
          { type: 'deleteTag', tags: ['t'] },
          { type: 'set', key: 'a', value: 'other', tags: ['u'] },
          { type: 'increment', key: 'a' },
        ]),
      )
      assert.deepEqual(await cache.entry('a'), { value: 'text', tags: ['t'] })
      assert.equal(await cache.deleteTag('u'), 0)
      assert.equal(await cache.deleteTag('t'), 1)
    },
  },

  {
    name: 'what has a tag, and is being loaded, is loaded again by whoever asks after the tag was deleted or expired',
    about: 'asynchronous loaders',
    async run({ cache, clock }) {
      for (const name of ['deleteTag', 'expireTag'] as const) {
        await cache.set('k', 'old', { ...TEN_THEN_TWENTY, tags: ['t'] })
        clock.advance(10)
        let finish = (_value: unknown): void => undefined
        const loading = new Promise((resolve) => (finish = resolve))
        let isLoading = (): void => undefined
        const began = new Promise<void>((resolve) => (isLoading = resolve))
        const first = cache.getOrSet('k', () => {
          isLoading()
          return loading
        })
        await began
        await cache[name]('t')
        finish('too old')
        await first
        assert.equal(await cache.get('k'), undefined, name)
        assert.equal(await cache.delete('k'), name === 'expireTag')
      }
    },
  },
]

async function readsOf(cache: AnyCache): Promise<{ hits: number; misses: number }> {
  const { hits, misses } = await cache.stats()
  return { hits, misses }
}

/** Collects the changes from now on, without their sequences. */
function eventsOf(cache: AnyCache): () => Promise<Omit<Change, 'sequence'>[]> {
  const events: Omit<Change, 'sequence'>[] = []
  cache.changes$.subscribe(({ sequence: _, ...event }) => events.push(event))
  return async () => {
    await settled(cache)
    return events
  }
}

/** Events reach a client before the answer to a later call. */
async function settled(cache: AnyCache): Promise<void> {
  await cache.has('')
  await new Promise((resolve) => setImmediate(resolve))
  await cache.has('')
}

function byKey(one: { key?: string }, other: { key?: string }): number {
  return (one.key as string) < (other.key as string) ? -1 : 1
}

function both(kind: abstract new (...parameters: never[]) => Error, message: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof kind, String(error))
    assert.match(error.message, message)
    return true
  }
}
