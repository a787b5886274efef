import test from 'ava'
import { type Cache, CacheClosedError } from '../../../src/index.js'
import { loopTurn } from '../../helpers/loop-turn.js'
import { openMemory } from '../../helpers/open-memory.js'

/** A loader that settles when the test says so. */
function slowLoader<V>() {
  let resolve!: (value: V) => void
  let reject!: (error: unknown) => void
  const loader = Object.assign(
    () => {
      loader.calls++
      return new Promise<V>((onResolve, onReject) => {
        resolve = onResolve
        reject = onReject
      })
    },
    { calls: 0, resolve: (value: V) => resolve(value), reject: (error: unknown) => reject(error) },
  )
  return loader
}

// ── what it resolves with ──

test('a live entry is returned without loading, as a hit', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('a', 1)
  t.is(await cache.getOrSet('a', () => t.fail()), 1)
  t.like(cache.stats(), { hits: 1, misses: 0 })
})

test('a stored null is returned without loading', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('a', null)
  t.is(await cache.getOrSet('a', () => t.fail()), null)
})

test('a missing entry is loaded, stored and returned', async (t) => {
  const { cache } = await openMemory(t)
  t.is(await cache.getOrSet('a', async (key) => `loaded ${key}`), 'loaded a')
  t.is(cache.peek('a'), 'loaded a')
  t.like(cache.stats(), { hits: 0, misses: 1, sets: 1 })
})

test('a loader may be synchronous, and may throw', async (t) => {
  const { cache } = await openMemory(t)
  t.is(await cache.getOrSet('a', () => 1), 1)
  const mine = new Error('mine')
  const thrown = await t.throwsAsync(
    cache.getOrSet('b', () => {
      throw mine
    }),
  )
  t.is(thrown, mine)
  t.false(cache.has('b'))
})

test('an expired entry is loaded again', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('a', 'old', { ttl: 1 })
  clock.jump(1_000)
  t.is(await cache.getOrSet('a', () => 'new'), 'new')
})

test('the ttl of the options, or else the default one, counts from when the value is stored', async (t) => {
  const { cache, clock } = await openMemory(t, { ttl: 100 })
  const loader = slowLoader<number>()
  const loading = cache.getOrSet('a', loader, { ttl: 10 })
  await loopTurn()
  clock.advance(5)
  loader.resolve(1)
  await loading
  t.is(cache.ttl('a'), 10)
  await cache.getOrSet('b', () => 1)
  t.is(cache.ttl('b'), 100)
})

test('each caller gets its own copy', async (t) => {
  const { cache } = await openMemory<{ n: number }>(t)
  const original = { n: 1 }
  const [first, second] = await Promise.all([cache.getOrSet('a', () => original), cache.getOrSet('a', () => original)])
  t.not(first, second)
  t.not(first, original)
  first.n = 2
  original.n = 3
  t.deepEqual(cache.get('a'), { n: 1 })
  t.deepEqual(second, { n: 1 })
})

test("with isolation 'share' the loaded object itself is returned", async (t) => {
  const { cache } = await openMemory<object>(t, { isolation: 'share' })
  const original = { n: 1 }
  t.is(await cache.getOrSet('a', () => original), original)
  t.is(cache.get('a'), original)
})

test('a loader that returns undefined resolves every waiting call with undefined, and nothing is stored', async (t) => {
  const { cache } = await openMemory(t, { fsync: 'always' })
  const loads = [cache.getOrSet('a', async () => undefined), cache.getOrSet('a', () => t.fail())]
  t.deepEqual(await Promise.all(loads), [undefined, undefined])
  t.like(cache.stats(), { size: 0, sets: 0 })
  t.is(await cache.getOrSet('a', () => 1), 1)
})

// ── one load per key ──

test('there is one load per key at a time', async (t) => {
  const { cache } = await openMemory(t)
  const loader = slowLoader<number>()
  const loading = Array.from({ length: 10 }, () => cache.getOrSet('a', loader))
  await loopTurn()
  loading.push(cache.getOrSet('a', () => t.fail() as never))
  loader.resolve(7)
  t.deepEqual(await Promise.all(loading), Array(11).fill(7))
  t.is(loader.calls, 1)
})

test('different keys load at the same time', async (t) => {
  const { cache } = await openMemory(t)
  const [a, b] = [slowLoader<number>(), slowLoader<number>()]
  const both = Promise.all([cache.getOrSet('a', a), cache.getOrSet('b', b)])
  await loopTurn()
  t.is(a.calls + b.calls, 2)
  b.resolve(2)
  a.resolve(1)
  t.deepEqual(await both, [1, 2])
})

test('keys named like properties of Object load separately', async (t) => {
  const { cache } = await openMemory(t)
  const keys = ['__proto__', 'constructor', 'toString', '']
  const values = await Promise.all(keys.map((key) => cache.getOrSet(key, (loaded) => `${loaded}!`)))
  t.deepEqual(
    values,
    keys.map((key) => `${key}!`),
  )
})

test("a loader's error goes to every waiting caller, and the next call loads again", async (t) => {
  const { cache } = await openMemory(t)
  const loader = slowLoader<number>()
  const mine = new Error('mine')
  const loading = [cache.getOrSet('a', loader), cache.getOrSet('a', loader)]
  await loopTurn()
  loader.reject(mine)
  for (const result of await Promise.allSettled(loading)) t.is((result as PromiseRejectedResult).reason, mine)
  t.is(cache.size, 0)
  t.is(await cache.getOrSet('a', () => 1), 1)
  t.is(loader.calls, 1)
})

test('a call made while the rejection is handled loads again', async (t) => {
  const { cache } = await openMemory(t)
  const again = await cache
    .getOrSet('a', () => {
      throw new Error('first')
    })
    .catch(() => cache.getOrSet('a', () => 'second'))
  t.is(again, 'second')
})

test('a rejection after every caller has timed out is not an unhandled one', async (t) => {
  const { cache, clock } = await openMemory(t)
  const loader = slowLoader<number>()
  const loading = cache.getOrSet('a', loader, { timeout: 1 })
  await loopTurn()
  clock.advance(1)
  await t.throwsAsync(loading, { code: 'LOAD_TIMEOUT' })
  loader.reject(new Error('too late'))
  await loopTurn() // an unhandled rejection would end the process here
  t.is(await cache.getOrSet('a', () => 2), 2)
})

// ── who wins ──

test('a set during the load wins, and its value is returned', async (t) => {
  const { cache } = await openMemory(t)
  const loader = slowLoader<string>()
  const loading = cache.getOrSet('a', loader)
  await loopTurn()
  cache.set('a', 'set', { ttl: 5 })
  loader.resolve('loaded')
  t.is(await loading, 'set')
  t.is(cache.peek('a'), 'set')
  t.is(cache.ttl('a'), 5)
})

test('a null that is set during the load wins, too', async (t) => {
  const { cache } = await openMemory(t)
  const loader = slowLoader<string | null>()
  const loading = cache.getOrSet('a', loader)
  await loopTurn()
  cache.set('a', null)
  loader.resolve('loaded')
  t.is(await loading, null)
})

const REMOVALS: Record<string, (cache: Cache) => unknown> = {
  'a delete': (cache) => cache.delete('a'),
  'a deleteMany': (cache) => cache.deleteMany(['x', 'a']),
  'a clear': (cache) => cache.clear(),
  'a set and a delete': (cache) => cache.set('a', 1) && cache.delete('a'),
  'a delete in a transaction': (cache) => cache.transact(() => cache.delete('a')),
  'a delete message': (cache) => cache.actor.send({ type: 'delete', key: 'a' }),
}
for (const [what, remove] of Object.entries(REMOVALS)) {
  test(`${what} during the load wins: the loaded value is not stored`, async (t) => {
    const { cache } = await openMemory(t)
    const loader = slowLoader<string>()
    const loading = cache.getOrSet('a', loader)
    await loopTurn()
    remove(cache) // says that the data behind the key has changed
    loader.resolve('stale')
    await loading
    t.is(cache.peek('a'), undefined)
    t.is(await cache.getOrSet('a', () => 'fresh'), 'fresh')
  })
}

test('clearing an empty cache during the load wins, too', async (t) => {
  const { cache } = await openMemory(t)
  const loader = slowLoader<string>()
  const loading = cache.getOrSet('a', loader)
  await loopTurn()
  cache.clear()
  loader.resolve('stale')
  await loading
  t.is(cache.size, 0)
})

test('an increment, a setMany or a transaction during the load wins like a set', async (t) => {
  for (const write of [
    (cache: Cache) => cache.increment('a', 5),
    (cache: Cache) => cache.setMany([['a', 5]]),
    (cache: Cache) => cache.transact(() => cache.set('a', 5)),
  ]) {
    const { cache } = await openMemory(t)
    const loader = slowLoader<number>()
    const loading = cache.getOrSet('a', loader)
    await loopTurn()
    write(cache)
    loader.resolve(1)
    t.is(await loading, 5)
    t.is(cache.peek('a'), 5)
  }
})

test('a set inside the loader wins over what the loader returns', async (t) => {
  const { cache } = await openMemory(t)
  const loading = await cache.getOrSet('a', () => {
    cache.set('a', 'set inside')
    return 'returned'
  })
  t.is(loading, 'set inside')
  t.is(cache.peek('a'), 'set inside')
})

test('a change that was undone does not win', async (t) => {
  const { cache } = await openMemory(t)
  for (const undone of [() => cache.set('a', 'undone'), () => cache.delete('a'), () => cache.clear()]) {
    cache.clear()
    const loader = slowLoader<string>()
    const loading = cache.getOrSet('a', loader)
    await loopTurn()
    t.throws(() =>
      cache.transact(() => {
        undone()
        throw new Error('undo')
      }),
    )
    loader.resolve('loaded')
    t.is(await loading, 'loaded')
    t.is(cache.peek('a'), 'loaded')
  }
})

test('a change of another key does not win', async (t) => {
  const { cache } = await openMemory(t)
  const loader = slowLoader<string>()
  const loading = cache.getOrSet('a', loader)
  await loopTurn()
  cache.set('b', 1)
  cache.delete('b')
  cache.deletePattern('b*')
  loader.resolve('loaded')
  t.is(await loading, 'loaded')
  t.is(cache.peek('a'), 'loaded')
})

test('after a set whose entry expired during the load the loaded value is returned, but not stored', async (t) => {
  const { cache, clock } = await openMemory(t)
  const loader = slowLoader<string>()
  const loading = cache.getOrSet('a', loader)
  await loopTurn()
  cache.set('a', 'short', { ttl: 1 })
  clock.advance(1)
  loader.resolve('loaded')
  t.is(await loading, 'loaded')
  t.is(cache.peek('a'), undefined)
})

// ── loads that wait for loads ──

test('a loader may load another key', async (t) => {
  const { cache } = await openMemory(t)
  const value = await cache.getOrSet('a', async () => {
    const [b, c] = await Promise.all([cache.getOrSet('b', () => 1), cache.getOrSet('c', () => 2)])
    return (b as number) + (c as number)
  })
  t.is(value, 3)
  t.deepEqual(cache.keys(), ['b', 'c', 'a'])
})

test('a load that waits for itself is refused, not deadlocked', async (t) => {
  const { cache } = await openMemory(t)
  await t.throwsAsync(
    cache.getOrSet('a', () => cache.getOrSet('a', () => 1)),
    { name: 'CacheError', code: 'LOAD_CYCLE', message: /'a'/ },
  )
  t.is(cache.size, 0)
  t.is(await cache.getOrSet('a', () => 1), 1)
})

test('a load that waits for itself through two other keys is refused', async (t) => {
  const { cache } = await openMemory(t)
  const load = (key: string, next: string, last: () => unknown): Promise<unknown> =>
    cache.getOrSet(key, () => (next === '' ? last() : cache.getOrSet(next, () => last())))
  await t.throwsAsync(
    load('a', 'b', () => cache.getOrSet('c', () => cache.getOrSet('a', () => 1))),
    { code: 'LOAD_CYCLE' },
  )
  t.is(cache.size, 0)
})

test('two loads that begin apart and wait for each other are refused, not deadlocked', async (t) => {
  const { cache } = await openMemory(t)
  const gate = slowLoader<void>()
  const opened = gate()
  const a = cache.getOrSet('a', async () => {
    await opened
    return cache.getOrSet('b', () => 'b')
  })
  const b = cache.getOrSet('b', async () => {
    await opened
    return cache.getOrSet('a', () => 'a')
  })
  gate.resolve()
  const results = await Promise.allSettled([a, b])
  t.deepEqual(
    results.map((result) => (result as PromiseRejectedResult).reason.code),
    ['LOAD_CYCLE', 'LOAD_CYCLE'],
  )
})

test('a loader that catches the refusal can still return a value', async (t) => {
  const { cache } = await openMemory(t)
  t.is(await cache.getOrSet('a', () => cache.getOrSet('a', () => 1).catch(() => 'fallback')), 'fallback')
  t.is(cache.peek('a'), 'fallback')
})

test('two loaders that wait for the same third key are not a cycle', async (t) => {
  const { cache } = await openMemory(t)
  const slow = slowLoader<number>()
  const both = Promise.all(['a', 'b'].map((key) => cache.getOrSet(key, () => cache.getOrSet('c', slow))))
  await loopTurn()
  slow.resolve(3)
  t.deepEqual(await both, [3, 3])
  t.is(slow.calls, 1)
})

test('a task started by a loader can load the key again after the load', async (t) => {
  const { cache } = await openMemory(t)
  let later!: Promise<unknown>
  await cache.getOrSet('a', () => {
    later = loopTurn().then(() => {
      cache.delete('a')
      return cache.getOrSet('a', () => 'later')
    })
    return 'first'
  })
  t.is(await later, 'later')
})

// ── timeout ──

test('a timeout ends the wait, not the load', async (t) => {
  const { cache, clock } = await openMemory(t)
  const loader = slowLoader<number>()
  const withTimeout = cache.getOrSet('a', loader, { timeout: 5 })
  const withoutTimeout = cache.getOrSet('a', loader)
  await loopTurn()
  clock.advance('4999ms')
  await loopTurn()
  clock.advance('1ms')
  await t.throwsAsync(withTimeout, { name: 'CacheError', code: 'LOAD_TIMEOUT', message: /'a'/ })
  loader.resolve(1)
  t.is(await withoutTimeout, 1)
  t.is(cache.peek('a'), 1)
  t.is(loader.calls, 1)
})

test('without a timeout a load can take a year', async (t) => {
  const { cache, clock } = await openMemory(t, { cleanupInterval: 0 })
  const loader = slowLoader<number>()
  const loading = cache.getOrSet('a', loader)
  await loopTurn()
  clock.advance('365d')
  loader.resolve(1)
  t.is(await loading, 1)
})

test('a finished load leaves no timer', async (t) => {
  const { cache, clock } = await openMemory(t, { fsync: 'never' })
  const before = clock.armed
  await cache.getOrSet('a', () => 1, { timeout: 5 })
  await t.throwsAsync(
    cache.getOrSet('b', () => Promise.reject(new Error('mine')), { timeout: 5 }),
    { message: 'mine' },
  )
  t.is(clock.armed, before)
})

test('a wait that timed out does not count for cycles', async (t) => {
  const { cache, clock } = await openMemory(t)
  const b = slowLoader<string>()
  const gate = slowLoader<void>()
  const open = gate()
  const loading = cache.getOrSet('a', async () => {
    await cache.getOrSet('b', () => b(), { timeout: 1 }).catch(() => undefined)
    await open
    return 'a without b'
  })
  await loopTurn()
  clock.advance(1)
  await loopTurn()
  gate.resolve()
  t.is(await loading, 'a without b')
  b.resolve('b')
})

// ── refusals ──

test('bad arguments reject with errors that name them, before anything is loaded', async (t) => {
  const { cache } = await openMemory(t)
  const loader = () => t.fail()
  await t.throwsAsync(cache.getOrSet(5 as never, loader), { instanceOf: TypeError })
  await t.throwsAsync(cache.getOrSet('a', 5 as never), { instanceOf: TypeError, message: /loader/ })
  await t.throwsAsync(cache.getOrSet('a', loader, null as never), { instanceOf: TypeError, message: /options/ })
  await t.throwsAsync(cache.getOrSet('a', loader, { ttl: -1 }), { instanceOf: RangeError, message: /ttl/ })
  await t.throwsAsync(cache.getOrSet('a', loader, { timeout: Number.NaN }), {
    instanceOf: RangeError,
    message: /timeout/,
  })
  await t.throwsAsync(cache.getOrSet('a', loader, { timeout: 'soon' as never }), {
    instanceOf: TypeError,
    message: /timeout/,
  })
  t.like(cache.stats(), { misses: 0 })
})

test('close rejects every waiting caller, and values loaded later are dropped', async (t) => {
  const { cache } = await openMemory(t)
  const loader = slowLoader<number>()
  const loading = [
    cache.getOrSet('a', loader),
    cache.getOrSet('a', loader),
    cache.getOrSet('b', () => new Promise(() => {})),
  ]
  await loopTurn()
  const closing = cache.close()
  for (const result of await Promise.allSettled(loading)) {
    t.true((result as PromiseRejectedResult).reason instanceof CacheClosedError)
  }
  await closing
  loader.resolve(1)
  await loopTurn()
  await t.throwsAsync(
    cache.getOrSet('a', () => 1),
    { instanceOf: CacheClosedError },
  )
})

test("under fsync 'always' it resolves once the value is durable", async (t) => {
  const { cache } = await openMemory(t, { fsync: 'always' })
  await cache.getOrSet('a', () => 1)
  const { durableSequence, sequence } = cache.stats().journal
  t.is(durableSequence, sequence)
})
