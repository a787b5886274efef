import test, { type ExecutionContext } from 'ava'
import { createActor } from 'xstate'
import {
  type Cache,
  CacheClosedError,
  CacheLockedError,
  type CacheReply,
  cacheLogic,
  memoryJournal,
  openCache,
} from '../../../src/index.js'
import { BreakableJournal } from '../../helpers/breakable-journal.js'
import { CountingClock } from '../../helpers/counting-clock.js'
import { loopTurn, until } from '../../helpers/loop-turn.js'
import { openMemory } from '../../helpers/open-memory.js'

/** Every method, with valid arguments. */
const CALLS: Record<string, (cache: Cache) => unknown> = {
  get: (cache) => cache.get('a'),
  peek: (cache) => cache.peek('a'),
  entry: (cache) => cache.entry('a'),
  take: (cache) => cache.take('a'),
  touch: (cache) => cache.touch('a'),
  'touch with a ttl': (cache) => cache.touch('a', 1),
  hasMany: (cache) => cache.hasMany([]),
  scan: (cache) => cache.scan(),
  deletePrefix: (cache) => cache.deletePrefix(''),
  'the iterator': (cache) => [...cache],
  'a namespace': (cache) => cache.namespace('a').get(''),
  'the size of a namespace': (cache) => cache.namespace('a').size,
  'clear of a namespace': (cache) => cache.namespace('a').clear(),
  'watch of a namespace': (cache) => cache.namespace('a').watch('*'),
  has: (cache) => cache.has('a'),
  exists: (cache) => cache.exists('a'),
  set: (cache) => cache.set('a', 1),
  'set with options': (cache) => cache.set('a', 1, { ttl: 1 }),
  delete: (cache) => cache.delete('a'),
  increment: (cache) => cache.increment('a'),
  decrement: (cache) => cache.decrement('a'),
  ttl: (cache) => cache.ttl('a'),
  expire: (cache) => cache.expire('a', 1),
  persist: (cache) => cache.persist('a'),
  getMany: (cache) => cache.getMany(['a']),
  setMany: (cache) => cache.setMany([['a', 1]]),
  deleteMany: (cache) => cache.deleteMany(['a']),
  keys: (cache) => cache.keys(),
  deletePattern: (cache) => cache.deletePattern('*'),
  entries: (cache) => cache.entries(),
  resize: (cache) => cache.resize({ maxSize: 1 }),
  clear: (cache) => cache.clear(),
  size: (cache) => cache.size,
  stats: (cache) => cache.stats(),
  cleanup: (cache) => cache.cleanup(),
  transact: (cache) => cache.transact(() => 1),
  getOrSet: (cache) => cache.getOrSet('a', () => 1),
  flush: (cache) => cache.flush(),
  compact: (cache) => cache.compact(),
  watch: (cache) => cache.watch('*'),
  save: (cache) => cache.save('/nowhere/at/all.snapshot'),
  load: (cache) => cache.load('/nowhere/at/all.snapshot'),
}

async function refusesAll(t: ExecutionContext, cache: Cache, state: 'closing' | 'closed'): Promise<void> {
  for (const [method, call] of Object.entries(CALLS)) {
    let error: unknown
    let result: unknown
    try {
      result = await call(cache)
      // save and load do not reject because of a file: they resolve with the error.
      error =
        (result as { ok?: boolean; error?: unknown } | undefined)?.ok === false
          ? (result as { error: unknown }).error
          : undefined
    } catch (thrown) {
      error = thrown
    }
    t.true(error instanceof CacheClosedError, `${method} returned ${String(result)} and threw ${String(error)}`)
    t.is((error as CacheClosedError).code, 'CACHE_CLOSED')
    t.regex((error as CacheClosedError).message, new RegExp(`is ${state}.*nothing was changed`, 'is'), method)
  }
}

test('after close every method is refused with a CacheClosedError', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('a', 1)
  const { recovery } = cache
  await cache.close()
  await refusesAll(t, cache, 'closed')
  t.is(cache.recovery, recovery, 'the report of the recovery remains')
})

test('during close every method is refused with a CacheClosedError', async (t) => {
  const journal = new BreakableJournal()
  const { cache } = await openMemory(t, { journal })
  cache.set('a', 1)
  let finish!: () => void
  const gate = new Promise<void>((resolve) => {
    finish = resolve
  })
  const { close } = journal
  journal.close = async (recency) => {
    await gate
    return close.call(journal, recency)
  }
  const closing = cache.close()
  await refusesAll(t, cache, 'closing')
  finish()
  await closing
  const again = await openCache({ journal })
  t.deepEqual([...again.entries()], [['a', 1]])
  await again.close()
})

test('a call is refused in the order that docs/architecture.md gives: the key, the value, the cache, the options', async (t) => {
  const { cache } = await openMemory(t)
  const wrong = { value: () => 1, key: 1 as unknown as string, options: { ttl: -1 } }
  t.throws(() => cache.transact(() => cache.getOrSet(wrong.key, 1 as never, wrong.options)), {
    code: 'INSIDE_TRANSACTION',
  })
  await cache.close()
  t.throws(() => cache.set(wrong.key, wrong.value, wrong.options), { instanceOf: TypeError, message: /key/ })
  t.throws(() => cache.setMany([[wrong.key, wrong.value]]), { instanceOf: TypeError, message: /key/ })
  t.throws(() => cache.increment(wrong.key, Number.NaN), { instanceOf: TypeError, message: /key/ })
  t.throws(() => cache.set('a', wrong.value, wrong.options), { code: 'INVALID_VALUE' })
  t.throws(() => cache.set('a', 1, wrong.options), { instanceOf: CacheClosedError })
})

test('an iterator that was not started before close throws at its first next', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('a', 1)
  const entries = cache.entries()
  await cache.close()
  t.throws(() => entries.next(), { instanceOf: CacheClosedError })
})

test('later calls of close do nothing', async (t) => {
  const { cache, journal } = await openMemory(t)
  const [first, second] = [cache.close(), cache.close()]
  await first
  await second
  const again = await openCache({ journal })
  await cache.close()
  await cache[Symbol.asyncDispose]()
  again.set('a', 1)
  t.is(again.get('a'), 1)
  await again.close()
})

test('await using closes the cache', async (t) => {
  const journal = memoryJournal()
  let inside!: Cache
  {
    await using cache = await openCache({ journal })
    inside = cache
    cache.set('a', 1)
  }
  t.throws(() => inside.get('a'), { instanceOf: CacheClosedError })
  await using again = await openCache({ journal })
  t.is(again.get('a'), 1)
})

test('values set just before close are kept', async (t) => {
  const { cache, journal } = await openMemory(t)
  for (let index = 0; index < 500; index++) cache.set(`key${index}`, index)
  void cache.close()
  await cache.close()
  const again = await openCache({ journal })
  t.is(again.size, 500)
  await again.close()
})

test('close completes all streams', async (t) => {
  const { cache } = await openMemory(t)
  const completed: string[] = []
  const streams = {
    changes: cache.changes$,
    expirations: cache.expirations$,
    evictions: cache.evictions$,
    stats: cache.stats$,
    lifecycle: cache.lifecycle$,
    watch: cache.watch('*'),
  }
  for (const [name, stream] of Object.entries(streams)) {
    ;(stream as typeof cache.stats$).subscribe({ complete: () => completed.push(name) })
  }
  await cache.close()
  t.deepEqual(completed.sort(), Object.keys(streams).sort())
  // Late subscribers, too.
  for (const [name, stream] of Object.entries(streams)) {
    let isComplete = false
    ;(stream as typeof cache.stats$).subscribe({ complete: () => (isComplete = true) })
    t.true(isComplete, name)
  }
})

test('close leaves no timer behind, even in the middle of a cleanup', async (t) => {
  const { cache, clock } = await openMemory(t, { maxSize: Number.POSITIVE_INFINITY })
  cache.stats$.subscribe()
  for (let index = 0; index < 3_000; index++) cache.set(`key${index}`, 1, { ttl: 1 })
  cache.set('long', 1, { ttl: 100 })
  cache.getOrSet('slow', () => new Promise(() => {}), { timeout: 50 }).catch(() => undefined)
  await cache.flush()
  cache.set('pending', 1)
  await loopTurn()
  let closing: Promise<void> | undefined
  cache.expirations$.subscribe(() => {
    closing ??= cache.close() // in the middle of the first of three slices
  })
  clock.advance(1)
  await closing
  await loopTurn()
  t.is(clock.armed, 0)
  const { total } = clock
  clock.advance(1_000)
  t.is(clock.total, total)
})

test('close rejects when its last flush fails, and still releases the journal', async (t) => {
  const journal = new BreakableJournal()
  const { cache, clock } = await openMemory(t, { journal })
  cache.set('a', 1)
  const { close } = journal
  const disk = new Error('EIO: i/o error')
  journal.close = async (recency) => {
    await close.call(journal, recency)
    throw disk
  }
  const states: string[] = []
  cache.lifecycle$.subscribe(({ state }) => states.push(state))
  const error = await t.throwsAsync(cache.close(), { name: 'CacheError', code: 'OUTCOME_UNKNOWN' })
  t.is(error?.cause, disk)
  await t.throwsAsync(cache.close(), { is: error }, 'the same rejection again')
  t.deepEqual(states, ['running', 'draining', 'closed'])
  t.is(clock.armed, 0)
  t.throws(() => cache.get('a'), { instanceOf: CacheClosedError })
  journal.close = close
  const again = await openCache({ journal })
  await again.close()
})

// ── during recovery ──

/** A journal that does not finish opening until `finish` is called. */
function slowJournal() {
  const journal = new BreakableJournal()
  let finish!: () => void
  const gate = new Promise<void>((resolve) => {
    finish = resolve
  })
  const { open } = journal
  journal.open = async (session) => {
    await gate
    return open.call(journal, session)
  }
  return { journal, finish }
}

test('messages sent during recovery are handled after it, in order', async (t) => {
  const { journal, finish } = slowJournal()
  const actor = createActor(cacheLogic({ journal, clock: new CountingClock() })).start()
  const replies: CacheReply[] = []
  const replyTo = { send: (reply: CacheReply) => replies.push(reply) } as never
  actor.send({ type: 'set', key: 'a', value: 1, replyTo })
  actor.send({ type: 'increment', key: 'a', replyTo })
  actor.send({ type: 'get', key: 'a', replyTo })
  await loopTurn()
  t.deepEqual(replies, [])
  t.false(actor.getSnapshot().isOpen)
  finish()
  await until(() => replies.length === 3, 'three replies')
  t.deepEqual(
    replies.map((reply) => reply.ok && reply.value),
    [true, 2, 2],
  )
  actor.stop()
})

test('messages are refused when the cache fails to open', async (t) => {
  const { journal, finish } = slowJournal()
  const { open } = journal
  journal.open = async (session) => {
    await open.call(journal, session)
    await journal.close()
    throw new Error('cannot be read')
  }
  const actor = createActor(cacheLogic({ journal, clock: new CountingClock() }))
  const errors: unknown[] = []
  actor.subscribe({ error: (error) => errors.push(error) })
  actor.start()
  const replies: CacheReply[] = []
  actor.send({ type: 'get', key: 'a', replyTo: { send: (reply: CacheReply) => replies.push(reply) } })
  finish()
  await until(() => replies.length === 1, 'a refusal')
  const [reply] = replies
  t.true(reply?.ok === false && reply.error instanceof CacheClosedError)
  await until(() => errors.length === 1, 'the error of the actor')
  t.is((errors[0] as Error).message, 'cannot be read')
})

test('stopping the actor during recovery closes the cache and releases the journal', async (t) => {
  const { journal, finish } = slowJournal()
  const actor = createActor(cacheLogic({ journal, clock: new CountingClock() })).start()
  await loopTurn()
  actor.stop()
  finish()
  for (let turn = 0; turn < 20; turn++) await loopTurn()
  const cache = await openCache({ journal })
  t.is(cache.size, 0)
  await cache.close()
})

test('a cache that fails to open releases its journal, and leaves no unhandled rejection', async (t) => {
  const journal = new BreakableJournal()
  const { cache, clock } = await openMemory(t, { journal })
  for (let index = 0; index < 10; index++) cache.set(`key${index}`, index)
  await cache.close()
  const mine = new Error('mine')
  const thrown = await t.throwsAsync(
    openCache({
      journal,
      clock,
      onProgress: () => {
        throw mine
      },
    }),
  )
  t.true(thrown === mine || thrown?.cause === mine)
  journal.onAppend = () => {
    throw new Error('ENOSPC: no space left on device')
  }
  await t.throwsAsync(
    openCache({ journal, clock, maxSize: 3 }),
    { message: /ENOSPC/ },
    'opening evicts seven, as events',
  )
  journal.onAppend = undefined
  t.is(clock.armed, 0)
  const again = await openCache({ journal, clock, maxSize: 3 })
  t.deepEqual(again.keys(), ['key7', 'key8', 'key9'])
  t.is(again.recovery.evicted, 7)
  await again.close()
})

test('a second cache on an open journal is refused, and the first keeps working', async (t) => {
  const { cache, journal, clock } = await openMemory(t)
  cache.set('a', 1)
  const states: string[] = []
  cache.lifecycle$.subscribe(({ state }) => states.push(state))
  for (let attempt = 0; attempt < 3; attempt++) {
    await t.throwsAsync(openCache({ journal, clock }), { instanceOf: CacheLockedError, code: 'CACHE_LOCKED' })
  }
  cache.set('b', 2, { ttl: 10 })
  t.is(await cache.flush(), 2)
  await cache.compact()
  clock.advance(10)
  t.deepEqual(cache.keys(), ['a'])
  t.deepEqual([...new Set(states)], ['running', 'compacting'])
  await cache.close()
  const again = await openCache({ journal, clock })
  t.deepEqual([...again.entries()], [['a', 1]])
  await again.close()
})
