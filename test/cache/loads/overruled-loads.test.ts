/** A change of a key during its load overrules the load: later calls must not get the value of a load that started earlier. */
import test, { type ExecutionContext } from 'ava'
import { connect } from '../../../src/edges/threads/threads.js'
import { type Cache, CacheError, memoryJournal } from '../../../src/index.js'
import { loopTurn, until } from '../../helpers/loop-turn.js'
import { openMemory } from '../../helpers/open-memory.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

/** A loader whose calls are settled by the test. */
function loader<T = string>() {
  const calls: { resolve: (value: T) => void; reject: (error: Error) => void; signal: AbortSignal }[] = []
  const load = (_key: string, { signal }: { signal: AbortSignal }) =>
    new Promise<T>((resolve, reject) => calls.push({ resolve, reject, signal }))
  return { calls, load }
}

const OVERRULING: Record<string, (cache: Cache, t: ExecutionContext) => unknown> = {
  delete: (cache) => cache.delete('k'),
  clear: (cache) => cache.clear(),
  deletePattern: (cache) => cache.deletePattern('k*'),
  deleteMany: (cache) => cache.deleteMany(['x', 'k']),
  'set with a deadline in the past': (cache) => cache.set('k', 1, { expiresAt: new Date(0) }),
  'set and delete': (cache) => {
    cache.set('k', 'in between')
    cache.delete('k')
  },
  'set and delete in one transaction': (cache) =>
    cache.transact(() => {
      cache.set('k', 'in between')
      cache.delete('k')
    }),
  load: async (cache, t) => {
    const path = `${temporaryDirectory(t)}/empty.snapshot`
    const { cache: empty } = await openMemory(t)
    await empty.save(path)
    t.true((await cache.load(path)).ok)
  },
  'a delete of another thread': async (cache) => {
    const client = await connect(cache.share())
    await client.delete('k')
    await client.close()
  },
}

for (const [name, overrule] of Object.entries(OVERRULING)) {
  test(`${name} during a load: the next getOrSet starts a load of its own`, async (t) => {
    const { cache } = await openMemory(t)
    const { calls, load } = loader()
    const early = cache.getOrSet('k', load)
    await loopTurn()
    await overrule(cache as Cache, t)
    const late = cache.getOrSet('k', load)
    const joined = cache.getOrSet('k', load)
    await loopTurn()
    t.is(calls.length, 2)
    calls[0]?.resolve('before')
    t.is(await early, 'before') // the key has no entry
    t.is(cache.peek('k'), undefined)
    calls[1]?.resolve('after')
    t.deepEqual(await Promise.all([late, joined]), ['after', 'after'])
    t.is(cache.get('k'), 'after')
  })
}

test('a set during a load: waiting and later calls get the value that was set', async (t) => {
  const { cache } = await openMemory(t)
  const { calls, load } = loader()
  const early = cache.getOrSet('k', load)
  await loopTurn()
  cache.set('k', 'set')
  t.is(await cache.getOrSet('k', load), 'set')
  calls[0]?.resolve('loaded')
  t.is(await early, 'set')
  t.is(cache.get('k'), 'set')
})

test('an overruled load that ends last does not replace the value of the next one', async (t) => {
  const { cache } = await openMemory(t)
  const { calls, load } = loader()
  const early = cache.getOrSet('k', load)
  await loopTurn()
  cache.delete('k')
  const late = cache.getOrSet('k', load)
  await loopTurn()
  calls[1]?.resolve('after')
  t.is(await late, 'after')
  calls[0]?.resolve('before')
  t.is(await early, 'after') // the current value of the key
  t.is(cache.get('k'), 'after')
})

test('a delete that is undone, a set that is refused, an expiry and an eviction overrule nothing', async (t) => {
  const { cache, clock } = await openMemory(t, { maxSize: 2 })
  const { calls, load } = loader()
  cache.set('k', 'old', { ttl: 1 })
  clock.advance(1)
  const early = cache.getOrSet('k', load)
  await loopTurn()
  t.throws(() =>
    cache.transact(() => {
      cache.delete('k')
      throw new Error('no')
    }),
  )
  cache.transact(() => cache.set('other', '1')) // must not carry the undone deletion
  for (const key of ['a', 'b', 'c']) cache.set(key, '1')
  for (const only of ['present', 'absent'] as const) {
    t.false(cache.set('k', 'refused', { only, expiresAt: clock.now() }))
    t.is(cache.setMany([['k', 'refused']], { only, expiresAt: clock.now() }), 0)
  }
  const joined = cache.getOrSet('k', load)
  await loopTurn()
  t.is(calls.length, 1)
  calls[0]?.resolve('loaded')
  t.deepEqual(await Promise.all([early, joined]), ['loaded', 'loaded'])
})

test('hardTimeout ends a load that never settles: its signal is aborted, calls are rejected, the key is free', async (t) => {
  const { cache, clock } = await openMemory(t)
  const { calls, load } = loader()
  const first = cache.getOrSet('k', load, { hardTimeout: 10 })
  const second = cache.getOrSet('k', load)
  await loopTurn()
  clock.advance(9.999)
  t.false(calls[0]?.signal.aborted)
  clock.advance(0.001)
  for (const call of [first, second]) await t.throwsAsync(call, { instanceOf: CacheError, code: 'LOAD_TIMEOUT' })
  t.true(calls[0]?.signal.aborted)
  const again = cache.getOrSet('k', load, { hardTimeout: 10 })
  await loopTurn()
  calls[0]?.resolve('too late')
  await loopTurn()
  t.is(cache.peek('k'), undefined)
  calls[1]?.resolve('in time')
  t.is(await again, 'in time')
  clock.advance(60)
  t.is(cache.get('k'), 'in time')
})

test('a timeout ends the wait of its call, and the load continues; 0 means no timeout', async (t) => {
  const { cache, clock } = await openMemory(t)
  const { calls, load } = loader()
  const untimed = cache.getOrSet('k', load, { timeout: 0 })
  const timed = cache.getOrSet('k', load, { timeout: 1 })
  await loopTurn()
  clock.advance(60)
  await t.throwsAsync(timed, { code: 'LOAD_TIMEOUT' })
  calls[0]?.resolve('loaded')
  t.is(await untimed, 'loaded')
})

test('two loads that wait for each other are refused, also when one of several waits has timed out', async (t) => {
  const { cache, clock } = await openMemory(t)
  let isWaiting: () => void = () => undefined
  const waiting = new Promise<void>((resolve) => {
    isWaiting = resolve
  })
  const a = cache.getOrSet('a', async () => {
    const short = cache.getOrSet('b', loadB, { timeout: 1 })
    const long = cache.getOrSet('b', loadB)
    await short.catch(() => undefined)
    isWaiting()
    return long
  })
  const loadB = async (): Promise<unknown> => {
    await waiting
    return cache.getOrSet('a', () => 'never')
  }
  await loopTurn()
  clock.advance(1)
  await t.throwsAsync(a, { code: 'LOAD_CYCLE' })
})

test('a getOrSet by a subscriber is not part of the load that caused the event', async (t) => {
  const { cache } = await openMemory(t)
  const results: Promise<unknown>[] = []
  cache.changes$.subscribe(({ key }) => {
    if (key === 'k' || key === 'from the loader') results.push(cache.getOrSet('k', () => 'again'))
  })
  const loaded = cache.getOrSet('k', async () => {
    cache.set('from the loader', 1)
    await loopTurn()
    return 'loaded'
  })
  t.is(await loaded, 'loaded')
  t.deepEqual(await Promise.all(results), ['loaded', 'loaded'])
})

test('close aborts the signal of every load, including overruled ones', async (t) => {
  const { cache } = await openMemory(t)
  const { calls, load } = loader()
  const early = cache.getOrSet('k', load)
  await loopTurn()
  cache.delete('k')
  const late = cache.getOrSet('k', load)
  await loopTurn()
  await cache.close()
  for (const call of [early, late]) await t.throwsAsync(call, { code: 'CACHE_CLOSED' })
  t.deepEqual(
    calls.map(({ signal }) => signal.aborted),
    [true, true],
  )
})

test("a client's hardTimeout aborts its loader, and the next call loads again", async (t) => {
  const { cache, clock } = await openMemory(t)
  const client = await connect<string>(cache.share())
  const { calls, load } = loader()
  const first = client.getOrSet('k', load, { hardTimeout: 10 })
  await until(() => calls.length === 1, 'the first load')
  clock.advance(10)
  await t.throwsAsync(first, { code: 'LOAD_TIMEOUT' })
  await until(() => calls[0]?.signal.aborted === true, 'the abort')
  const again = client.getOrSet('k', load)
  await until(() => calls.length === 2, 'the second load')
  calls[0]?.resolve('too late')
  calls[1]?.resolve('in time')
  t.is(await again, 'in time')
  t.is(cache.get('k'), 'in time')
  await client.close()
})

test('a load that is being stored is not ended by its hardTimeout any more', async (t) => {
  const journal = memoryJournal()
  const { flush } = journal
  let release: () => void = () => undefined
  journal.flush = async () => {
    await new Promise<void>((resolve) => {
      release = resolve
    })
    return flush.call(journal)
  }
  const { cache, clock } = await openMemory(t, { journal, fsync: 'always' })
  const { calls, load } = loader()
  const loading = cache.getOrSet('k', load, { hardTimeout: 10 })
  await loopTurn()
  calls[0]?.resolve('loaded')
  await loopTurn()
  clock.advance(60)
  t.false(calls[0]?.signal.aborted)
  release()
  t.is(await loading, 'loaded')
  t.is(cache.get('k'), 'loaded')
  journal.flush = flush
})

test('a clock that takes no timer rejects the call with its error, and leaves no rejection behind', async (t) => {
  const { cache, clock } = await openMemory(t)
  const { setTimeout } = clock
  clock.setTimeout = () => {
    throw new Error('no timers today')
  }
  await t.throwsAsync(
    cache.getOrSet('k', () => 'loaded', { hardTimeout: 10 }),
    { message: 'no timers today' },
  )
  clock.setTimeout = setTimeout
  await loopTurn()
  t.is(await cache.getOrSet('k', () => 'again'), 'loaded')
})
