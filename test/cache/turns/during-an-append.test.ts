/** A journal reports to the cache while it is given an event. What that causes must wait until the state has the event, too. */
import test from 'ava'
import { Order } from '../../../src/core/evolve/eviction/order.js'
import { type Cache, type Journal, JournalWriteError, memoryJournal, openCache } from '../../../src/index.js'
import { BreakableJournal } from '../../helpers/breakable-journal.js'
import { openMemory } from '../../helpers/open-memory.js'

test('a call made because the journal asks to be compacted during an append keeps the limits, each eviction once', async (t) => {
  let armed = false
  const journal = memoryJournal()
  const cache: Cache = await openCache<unknown>({
    journal,
    maxSize: 2,
    compaction: { journalBytes: 1_000, segmentBytes: 1e9 },
    inspect: (inspection) => {
      if (!armed || inspection.type !== '@xstate.event' || inspection.event.type !== 'journal resumed') return
      armed = false
      cache.set('x', 1)
    },
  })
  const fillsAFrame = 'y'.repeat(300_000)
  const seen: string[] = []
  cache.set('a', fillsAFrame)
  cache.changes$.subscribe(({ type, key }) => seen.push(`${type} ${key}`))
  cache.set('b', 2)
  armed = true
  cache.set('c', fillsAFrame)
  cache.set('d', 3)
  t.false(armed)
  t.is(cache.size, 2)
  const evicted = seen.filter((change) => change.startsWith('evicted'))
  t.deepEqual(evicted, [...new Set(evicted)])
  t.is(cache.stats().evictions, evicted.length)
  const live = [...cache.entries()]
  await cache.close()
  const again = await openCache({ journal, maxSize: 2 })
  t.deepEqual([[...again.entries()], again.recovery.evicted], [live, 0])
  await again.close()
})

/** A journal in memory that stops right after it has taken an event. */
function stopsAfterTheNext(): { journal: Journal; stop: () => void } {
  const journal = new BreakableJournal()
  const { append } = BreakableJournal.prototype
  let stops = false
  journal.append = (events) => {
    const first = append.call(journal, events)
    if (stops) journal.break('stalled')
    return first
  }
  return {
    journal,
    stop: () => {
      stops = true
    },
  }
}

for (const [what, call] of Object.entries({
  set: (cache: Cache) => cache.set('a', 2),
  increment: (cache: Cache) => cache.increment('n'),
})) {
  test(`a journal that stops during a bare ${what} refuses the next one`, async (t) => {
    const { journal, stop } = stopsAfterTheNext()
    const { cache } = await openMemory(t, { journal })
    cache.set('a', 1)
    cache.set('n', 1)
    stop()
    call(cache as Cache)
    t.throws(() => call(cache as Cache), { instanceOf: JournalWriteError })
    t.is(cache.stats().journal.sequence, 3)
  })
}

test('reads hide what has expired when the journal refuses to be told', async (t) => {
  const reads: Record<string, (cache: Cache) => unknown> = {
    get: (cache) => cache.get('e'),
    has: (cache) => cache.has('e'),
    ttl: (cache) => cache.ttl('e'),
    keys: (cache) => cache.keys('e'),
    entries: (cache) => [...cache.entries('e')],
  }
  for (const [name, read] of Object.entries(reads)) {
    const journal = new BreakableJournal()
    const { cache, clock } = await openMemory(t, { journal, cleanupInterval: 0 })
    cache.set('e', 1, { ttl: 1 })
    clock.jump(5_000)
    journal.onAppend = () => {
      throw new JournalWriteError('JOURNAL_WRITE_FAILED', 'The disk is full')
    }
    const found = read(cache as Cache)
    t.true(found === undefined || found === false || (found as unknown[]).length === 0, name)
  }
})

test.serial('columns grow for a new entry only, not for one that replaces or takes the place of another', async (t) => {
  const { grow } = Order.prototype
  let growths = 0
  Order.prototype.grow = function (capacity) {
    growths++
    return grow.call(this, capacity)
  }
  t.teardown(() => {
    Order.prototype.grow = grow
  })
  const calls: Record<string, (cache: Cache) => unknown> = {
    'a set that evicts': (cache) => cache.set('new', 1),
    'an observed update': (cache) => cache.changes$.subscribe() && cache.set('k1', 2),
    expire: (cache) => cache.expire('k1', 50),
    'an update': (cache) => cache.set('k1', 2),
    'an update with a ttl': (cache) => cache.set('k1', 2, { ttl: 9 }),
  }
  for (const [name, call] of Object.entries(calls)) {
    const { cache } = await openMemory(t, { maxSize: 1_006 })
    for (let index = 0; index < 1_006; index++) cache.set(`k${index}`, 1)
    growths = 0
    call(cache as Cache)
    t.is(growths, 0, name)
  }
})
