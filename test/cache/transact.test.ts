import test from 'ava'
import type { Change } from '../../src/index.js'
import { BreakableJournal } from '../helpers/breakable-journal.js'
import { everything } from '../helpers/everything.js'
import { loopTurn } from '../helpers/loop-turn.js'
import { openMemory, reopen } from '../helpers/open-memory.js'

test('transact returns what its function returns', async (t) => {
  const { cache } = await openMemory(t)
  t.is(
    cache.transact(() => 7),
    7,
  )
  t.is(
    cache.transact(() => undefined),
    undefined,
  )
  t.deepEqual(
    cache.transact(() => ({ a: 1 })),
    { a: 1 },
  )
})

test('calls inside see the effects of the calls before them', async (t) => {
  const { cache } = await openMemory(t)
  cache.transact(() => {
    cache.set('a', 1)
    t.is(cache.get('a'), 1)
    t.is(cache.increment('a'), 2)
    t.true(cache.delete('a'))
    t.is(cache.get('a'), undefined)
  })
  t.is(cache.size, 0)
  t.is(cache.stats().journal.sequence, 3)
})

test('whatever the function throws is thrown unchanged', async (t) => {
  const { cache } = await openMemory(t)
  const mine = { not: 'even an error' }
  const thrown = t.throws(
    () =>
      cache.transact(() => {
        throw mine
      }),
    { any: true },
  )
  t.is(thrown as unknown, mine)
})

test('a throw restores entries, deadlines, the order of use and counters', async (t) => {
  const { cache, clock } = await openMemory(t, { maxSize: 5 })
  for (const [index, key] of ['a', 'b', 'c', 'd', 'e'].entries()) cache.set(key, { index }, { ttl: 100 - index })
  cache.get('b')
  cache.get('nothing')
  const before = everything(cache)
  t.throws(
    () =>
      cache.transact(() => {
        cache.get('a')
        cache.get('nothing')
        cache.set('c', 'changed', { ttl: 1 })
        cache.set('new', 1) // evicts
        cache.set('newer', 1)
        cache.delete('d')
        cache.expire('a', 1)
        cache.persist('b')
        cache.increment('counter')
        cache.increment('counter')
        cache.set('d', 'again')
        clock.jump(60_000)
        cache.cleanup()
        cache.clear()
        cache.set('after', 1)
        cache.set('a', 2)
        clock.jump(-60_000)
        throw new Error('undo')
      }),
    { message: 'undo' },
  )
  t.deepEqual(everything(cache), before)
})

test('after an undone turn entries still expire in order', async (t) => {
  const { cache, clock } = await openMemory(t)
  const seen: string[] = []
  cache.expirations$.subscribe(({ key }) => seen.push(key))
  const keys = Array.from({ length: 40 }, (_, index) => `k${(index * 17) % 40}`)
  for (const key of keys) cache.set(key, 1, { ttl: Number(key.slice(1)) + 1 })
  t.throws(() =>
    cache.transact(() => {
      for (const [index, key] of keys.entries()) {
        if (index % 4 === 0) cache.delete(key)
        if (index % 4 === 1) cache.persist(key)
        if (index % 4 === 2) cache.expire(key, 1_000 - index)
      }
      throw new Error('undo')
    }),
  )
  clock.advance(60)
  t.deepEqual(
    seen,
    Array.from({ length: 40 }, (_, index) => `k${index}`),
  )
})

test('an undone turn leaves nothing in the journal or the streams', async (t) => {
  const opened = await openMemory(t)
  const { cache } = opened
  const changes: Change[] = []
  cache.changes$.subscribe((change) => changes.push(change))
  cache.set('a', 1)
  t.throws(() =>
    cache.transact(() => {
      cache.set('a', 2)
      cache.set('b', 2)
      throw new Error('undo')
    }),
  )
  cache.set('c', 3)
  t.deepEqual(
    changes.map(({ sequence, key }) => [sequence, key]),
    [
      [1, 'a'],
      [2, 'c'],
    ],
  )
  const again = await reopen(t, opened)
  t.deepEqual(
    [...again.cache.entries()],
    [
      ['a', 1],
      ['c', 3],
    ],
  )
})

test('a nested transact that throws undoes only itself when the outer one catches', async (t) => {
  const { cache } = await openMemory(t)
  const seen: string[] = []
  cache.changes$.subscribe(({ key = '' }) => seen.push(key))
  cache.set('a', 0)
  cache.transact(() => {
    cache.set('a', 1)
    cache.get('a')
    t.throws(() =>
      cache.transact(() => {
        cache.set('a', 2)
        cache.get('a')
        cache.transact(() => cache.set('inner', 3))
        throw new Error('undo the middle')
      }),
    )
    t.is(cache.peek('a'), 1)
    t.false(cache.has('inner'))
    cache.set('b', 4)
  })
  t.deepEqual(
    [...cache.entries()],
    [
      ['a', 1],
      ['b', 4],
    ],
  )
  t.deepEqual(seen, ['a', 'a', 'b'])
  t.like(cache.stats(), { hits: 1, sets: 3 })
})

test('a nested transact that throws undoes everything when its error is not caught', async (t) => {
  const { cache } = await openMemory(t)
  t.throws(() =>
    cache.transact(() => {
      cache.set('a', 1)
      cache.transact(() => {
        cache.set('b', 2)
        throw new Error('undo')
      })
    }),
  )
  t.is(cache.size, 0)
  t.is(cache.stats().journal.sequence, 0)
})

test('a refused call inside undoes only itself', async (t) => {
  const { cache } = await openMemory(t)
  cache.transact(() => {
    cache.set('text', 'x')
    t.throws(() => cache.increment('text'))
    t.throws(() => cache.set('undefined', undefined))
    t.throws(() => cache.set('ttl', 1, { ttl: -1 }))
    t.throws(() =>
      cache.setMany([
        ['a', 1],
        ['b', undefined],
      ]),
    )
    cache.set('b', 1)
  })
  t.deepEqual(cache.keys(), ['text', 'b'])
})

test('an async function is a TypeError, before any of it runs', async (t) => {
  const { cache } = await openMemory(t)
  let ran = false
  t.throws(
    () =>
      cache.transact(async () => {
        ran = true
      }),
    { instanceOf: TypeError, message: /async/ },
  )
  t.false(ran)
})

test('a function that returns a promise is a TypeError, and is undone', async (t) => {
  const { cache } = await openMemory(t)
  // biome-ignore lint/suspicious/noThenProperty: a promise of another library
  const thenable = { then() {} }
  for (const result of [Promise.resolve(1), Promise.reject(new Error('not reported')), thenable]) {
    t.throws(
      () =>
        cache.transact(() => {
          cache.set('a', 1)
          return result
        }),
      { instanceOf: TypeError },
    )
  }
  t.is(cache.size, 0)
  await loopTurn()
})

test('anything but a function is a TypeError', async (t) => {
  const { cache } = await openMemory(t)
  for (const fn of [undefined, null, 5, 'fn', {}])
    t.throws(() => cache.transact(fn as never), { instanceOf: TypeError })
})

for (const method of ['flush', 'compact', 'save', 'load', 'close', 'getOrSet'] as const) {
  test(`${method} inside a transaction is refused, and changes nothing`, async (t) => {
    const { cache } = await openMemory(t)
    cache.transact(() => {
      cache.set('a', 1)
      const call = (cache[method as 'flush'] as (...parameters: unknown[]) => unknown).bind(cache)
      t.throws(() => call('key', () => 1), { name: 'CacheError', code: 'INSIDE_TRANSACTION' })
      cache.set('b', 1)
    })
    t.deepEqual(cache.keys(), ['a', 'b'])
    t.is(cache.get('key'), undefined)
  })
}

test('a transaction without changes appends nothing', async (t) => {
  const journal = new BreakableJournal()
  const { cache } = await openMemory(t, { journal })
  cache.transact(() => {
    cache.get('a')
    cache.keys()
  })
  cache.transact(() => undefined)
  t.deepEqual(journal.appended, [])
})

test('hits and misses inside are counted, except those that were undone', async (t) => {
  const { cache } = await openMemory(t, { maxSize: 2 })
  cache.set('a', 1)
  cache.transact(() => {
    cache.get('a')
    try {
      cache.transact(() => {
        cache.get('a')
        cache.get('b')
        cache.set('b', 1)
        cache.set('c', 1)
        cache.delete('c')
        cache.clear()
        cache.get('z')
        throw new Error('undo')
      })
    } catch {}
    cache.get('b')
  })
  t.like(cache.stats(), { hits: 1, misses: 1, evictions: 0, sets: 1, deletes: 0, size: 1 })
})

test('a thousand nested transactions are one turn', async (t) => {
  const { cache } = await openMemory(t)
  const nest = (level: number): number =>
    level === 0 ? 0 : cache.transact(() => cache.increment('n') && 1 + nest(level - 1))
  t.is(nest(1_000), 1_000)
  t.is(cache.peek('n'), 1_000)
  const refuse = (level: number): void => {
    cache.transact(() => {
      cache.increment('n')
      if (level === 0) throw new Error('undo all')
      refuse(level - 1)
    })
  }
  t.throws(() => refuse(1_000), { message: 'undo all' })
  t.is(cache.peek('n'), 1_000)
})

test('a large transaction is undone completely, even after the columns grew', async (t) => {
  const { cache } = await openMemory(t, { maxSize: Number.POSITIVE_INFINITY })
  for (let index = 0; index < 500; index++) cache.set(`k${index}`, index, { ttl: index + 1 })
  const before = everything(cache)
  t.throws(() =>
    cache.transact(() => {
      for (let index = 0; index < 5_000; index++) cache.set(`k${index}`, -index, index % 2 === 0 ? { ttl: 5 } : {})
      cache.deletePattern('k1*')
      throw new Error('undo')
    }),
  )
  t.deepEqual(everything(cache), before)
})

test('a deadline set and undone in a transaction leaves the timer working', async (t) => {
  const { cache, clock } = await openMemory(t)
  const seen: number[] = []
  cache.expirations$.subscribe(({ seenAtMs, expiresAtMs }) => seen.push(seenAtMs - expiresAtMs))
  t.throws(() =>
    cache.transact(() => {
      cache.set('a', 1, { ttl: 1 })
      throw new Error('undo')
    }),
  )
  clock.advance(2)
  cache.set('b', 1, { ttl: 1 })
  clock.advance(2)
  t.deepEqual(seen, [0])
})

test('entries that expire inside a transaction are removed by events of it', async (t) => {
  const { cache, clock } = await openMemory(t)
  const seen: string[] = []
  cache.changes$.subscribe(({ type }) => seen.push(type))
  cache.transact(() => {
    cache.set('a', 1, { ttl: 1 })
    clock.jump(1_000)
    t.is(cache.get('a'), undefined)
    cache.set('a', 2)
  })
  t.deepEqual(seen, ['set', 'expired', 'set'])
})

test('timers that fire inside a transaction are part of it', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('a', 1, { ttl: 1 })
  t.throws(() =>
    cache.transact(() => {
      clock.advance(1)
      t.is(cache.size, 0)
      throw new Error('undo')
    }),
  )
  t.is(cache.size, 1)
  t.is(cache.stats().expirations, 0)
  t.is(cache.get('a'), undefined, 'it has expired nevertheless')
})
