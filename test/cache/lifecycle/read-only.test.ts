/** While the journal cannot be written: reads work, mutations are refused and change nothing. The files: test/durable, test/crash. */
import test, { type ExecutionContext } from 'ava'
import { type Cache, JournalWriteError } from '../../../src/index.js'
import { BreakableJournal } from '../../helpers/breakable-journal.js'
import { loopTurn } from '../../helpers/loop-turn.js'
import { openMemory } from '../../helpers/open-memory.js'

async function broken(t: ExecutionContext, status: 'stalled' | 'failed') {
  const journal = new BreakableJournal()
  const { cache, clock } = await openMemory(t, { journal, maxSize: 3 })
  cache.set('a', 1)
  cache.set('b', 2, { ttl: 10 })
  cache.set('n', 3)
  journal.break(status)
  return { cache, clock, journal }
}

const MUTATIONS: Record<string, (cache: Cache) => unknown> = {
  set: (cache) => cache.set('c', 1),
  'set of an existing key': (cache) => cache.set('a', 2),
  delete: (cache) => cache.delete('a'),
  'delete of a missing key': (cache) => cache.delete('zzz'),
  increment: (cache) => cache.increment('n'),
  decrement: (cache) => cache.decrement('n'),
  expire: (cache) => cache.expire('a', 10),
  persist: (cache) => cache.persist('b'),
  setMany: (cache) => cache.setMany([['c', 1]]),
  deleteMany: (cache) => cache.deleteMany(['a']),
  deletePattern: (cache) => cache.deletePattern('*'),
  deletePrefix: (cache) => cache.deletePrefix('a'),
  deleteTag: (cache) => cache.deleteTag('t'),
  expireTag: (cache) => cache.expireTag('t'),
  'set that keeps a deadline': (cache) => cache.set('b', 3, { ttl: 'keep' }),
  take: (cache) => cache.take('a'),
  'take of a missing key': (cache) => cache.take('zzz'),
  'touch with a ttl': (cache) => cache.touch('a', 5),
  'clear of a namespace': (cache) => cache.namespace('a').clear(),
  resize: (cache) => cache.resize({ maxSize: 1 }),
  clear: (cache) => cache.clear(),
  cleanup: (cache) => cache.cleanup(),
  'set in a transaction': (cache) => cache.transact(() => cache.set('c', 1)),
}

for (const status of ['stalled', 'failed'] as const) {
  for (const [what, mutate] of Object.entries(MUTATIONS)) {
    test(`${status}: ${what} is a JournalWriteError that changes nothing`, async (t) => {
      const { cache } = await broken(t, status)
      const error = t.throws(() => mutate(cache), { instanceOf: JournalWriteError })
      t.is(error?.code, status === 'failed' ? 'JOURNAL_READ_ONLY' : 'JOURNAL_WRITE_FAILED')
      t.regex(error?.message ?? '', /nothing was changed/i)
      t.deepEqual(
        [...cache.entries()],
        [
          ['a', 1],
          ['b', 2],
          ['n', 3],
        ],
      )
      t.is(cache.ttl('b'), 10)
    })
  }

  test(`${status}: reads work`, async (t) => {
    const { cache } = await broken(t, status)
    t.is(cache.get('a'), 1)
    t.is(cache.peek('b'), 2)
    t.true(cache.has('n'))
    t.deepEqual(cache.getMany(['a', 'x']), [1, undefined])
    t.deepEqual(cache.keys(), ['b', 'n', 'a'])
    t.is(
      cache.transact(() => cache.get('n')),
      3,
    )
    t.is(cache.size, 3)
    t.like(cache.stats(), { hits: 3, misses: 1 })
    t.is(cache.entry('a')?.value, 1)
    t.deepEqual(cache.hasMany(['b', 'x']), [true, false])
    t.true(cache.touch('b'))
    t.deepEqual(cache.keys(), ['a', 'n', 'b'])
    t.deepEqual(cache.scan().keys, ['a', 'b', 'n'])
    t.like(cache.stats(), { hits: 3, misses: 1 })
  })

  test(`${status}: expired entries are hidden, but not removed`, async (t) => {
    const { cache, clock } = await broken(t, status)
    const seen: unknown[] = []
    cache.expirations$.subscribe((expiration) => seen.push(expiration))
    clock.advance(100)
    t.is(cache.get('b'), undefined)
    t.is(cache.peek('b'), undefined)
    t.false(cache.has('b'))
    t.is(cache.ttl('b'), undefined)
    t.deepEqual(cache.keys(), ['a', 'n'])
    t.is(cache.entry('b'), undefined)
    t.false(cache.touch('b'))
    t.deepEqual(cache.scan().keys, ['a', 'n'])
    t.is([...cache.entries()].length, 2)
    t.is(cache.size, 3)
    t.like(cache.stats(), { misses: 1, expirations: 0 })
    t.deepEqual(seen, [])
  })

  test(`${status}: no timer is re-armed endlessly for entries that cannot be removed`, async (t) => {
    const { clock } = await broken(t, status)
    const { total } = clock
    clock.advance(600)
    t.true(clock.total - total < 50, `${clock.total - total} timers in ten minutes`)
  })

  test(`${status}: lifecycle$ emits read-only, with the reason`, async (t) => {
    const { cache } = await broken(t, status)
    const states: unknown[] = []
    cache.lifecycle$.subscribe((state) => states.push(state))
    t.deepEqual(states, [{ state: 'read-only', reason: 'EIO: i/o error' }])
    await t.throwsAsync(cache.compact())
    t.like(states.at(-1) as object, { state: 'read-only' })
    for (const state of states) t.regex((state as { reason: string }).reason, /EIO/)
  })

  test(`${status}: flush rejects`, async (t) => {
    const { cache } = await broken(t, status)
    await t.throwsAsync(cache.flush())
  })

  test(`${status}: getOrSet returns a live entry, or what it loads, with a warning that it was not stored`, async (t) => {
    const { cache } = await broken(t, status)
    const warnings: unknown[] = []
    cache.lifecycle$.subscribe(({ warning }) => warning !== undefined && warnings.push(warning))
    t.is(await cache.getOrSet('a', () => t.fail()), 1)
    t.is(await cache.getOrSet('new', () => 1), 1)
    t.is(cache.peek('new'), undefined)
    t.is(warnings.length, 1)
    t.true(warnings[0] instanceof JournalWriteError)
  })
}

test('mutations and expiry resume when the journal can be written again', async (t) => {
  const { cache, clock, journal } = await broken(t, 'stalled')
  const seen: string[] = []
  const states: string[] = []
  cache.expirations$.subscribe(({ key }) => seen.push(key))
  cache.lifecycle$.subscribe(({ state }) => states.push(state))
  clock.advance(100)
  journal.mend()
  clock.advance(0)
  t.deepEqual(seen, ['b'])
  t.true(cache.set('c', 1))
  cache.set('d', 1, { ttl: 5 })
  clock.advance(5)
  t.deepEqual(seen, ['b', 'd'])
  t.deepEqual(states, ['read-only', 'running'])
})

test('a subscriber can close the cache when it becomes read-only, between turns or inside an append', async (t) => {
  for (const way of ['between turns', 'inside an append'] as const) {
    const journal = new BreakableJournal()
    const { cache } = await openMemory(t, { journal })
    cache.set('a', 1, { ttl: 5 })
    const problems: unknown[] = []
    let closing: Promise<void> | undefined
    cache.lifecycle$.subscribe(({ state }) => {
      if (state !== 'read-only') return
      try {
        t.is(cache.peek('a'), 1)
        closing = cache.close()
      } catch (error) {
        problems.push(error)
      }
    })
    if (way === 'between turns') journal.break('stalled')
    else {
      const { append } = journal
      journal.append = (events) => {
        const first = append.call(journal, events)
        journal.break('stalled') // the buffer was full, and was written at once
        return first
      }
      cache.set('b', 1, { ttl: 5 })
    }
    await closing?.catch(() => undefined)
    t.deepEqual(problems, [], way)
    t.truthy(closing, way)
  }
})

test('an append that throws inside a timer ends neither the timers nor the process', async (t) => {
  const journal = new BreakableJournal()
  const { cache, clock } = await openMemory(t, { journal })
  cache.set('a', 1, { ttl: 10 })
  const seen: string[] = []
  cache.expirations$.subscribe(({ key }) => seen.push(key))
  journal.onAppend = () => {
    throw new RangeError('larger than a frame')
  }
  t.notThrows(() => clock.advance(10), 'an error thrown by a timer would end the process')
  t.is(cache.peek('b'), undefined)
  journal.onAppend = undefined
  clock.advance(60)
  t.deepEqual(seen, ['a'], 'by the next cleanup at the latest')
  cache.set('c', 1, { ttl: 10 })
  clock.advance(10)
  t.deepEqual(seen, ['a', 'c'])
})

test('after an append that throws inside a cleanup, the lifecycle and the next cleanup work', async (t) => {
  const journal = new BreakableJournal()
  const { cache, clock } = await openMemory(t, { journal })
  cache.set('a', 1, { ttl: 1_000 })
  clock.jump(1_000_000)
  journal.onAppend = () => {
    throw new RangeError('larger than a frame')
  }
  t.notThrows(() => clock.advance(60))
  journal.onAppend = undefined
  t.is(cache.size, 1)
  clock.advance(60)
  t.is(cache.size, 0)
  const states: string[] = []
  cache.lifecycle$.subscribe(({ state }) => states.push(state))
  await cache.compact()
  await loopTurn()
  t.deepEqual([...new Set(states)], ['running', 'compacting'])
})

test('an append that throws while a read removes an expired entry: the read throws and changes nothing', async (t) => {
  const journal = new BreakableJournal()
  const { cache, clock } = await openMemory(t, { journal })
  cache.set('a', 1, { ttl: 10 })
  clock.jump(10_000)
  journal.onAppend = () => {
    throw new RangeError('larger than a frame')
  }
  t.throws(() => cache.get('a'), { instanceOf: RangeError })
  t.like(cache.stats(), { size: 1, misses: 0, expirations: 0 })
  journal.onAppend = undefined
  t.is(cache.get('a'), undefined)
  t.like(cache.stats(), { size: 0, misses: 1, expirations: 1 })
})

test('entries that expire together but do not fit into one frame are removed in smaller turns', async (t) => {
  const journal = new BreakableJournal()
  const { cache, clock } = await openMemory(t, { journal })
  const fill = () => {
    for (let index = 0; index < 100; index++) cache.set(`a key of a megabyte ${index}`, 1, { ttl: 10 })
  }
  const seen: string[] = []
  cache.expirations$.subscribe(({ key }) => seen.push(key))
  journal.onAppend = (events) => {
    if (events.length > 7) throw new RangeError('This change needs more bytes than one frame holds.')
  }
  fill()
  clock.advance(10)
  t.is(seen.length, 100)
  t.is(cache.size, 0)
  fill()
  clock.jump(10_000)
  t.is(cache.cleanup(), 100)
  fill()
  clock.jump(10_000)
  t.deepEqual(cache.keys(), [])
  t.is(cache.stats().expirations, 300)
})
