import { join } from 'node:path'
import { DefaultDeserializer } from 'node:v8'
import test from 'ava'
import { filter, map, toArray } from 'rxjs'
import { type Change, memoryJournal, openCache } from '../../../src/index.js'
import { BreakableJournal } from '../../helpers/breakable-journal.js'
import { CountingClock } from '../../helpers/counting-clock.js'
import { loopTurn, until } from '../../helpers/loop-turn.js'
import { openMemory, reopen } from '../../helpers/open-memory.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'
import { uncaughtErrors } from '../../helpers/uncaught-errors.js'

function record<T>(stream: { subscribe(next: (value: T) => void): unknown }): T[] {
  const seen: T[] = []
  stream.subscribe((value) => seen.push(value))
  return seen
}

// ── what is emitted ──

test('changes$ emits every journaled event once, in order of sequence, before the call returns', async (t) => {
  const { cache, clock } = await openMemory(t, { maxSize: 3 })
  const startMs = clock.now()
  const seen = record(cache.changes$)
  cache.set('a', 1)
  t.deepEqual(seen, [{ type: 'set', sequence: 1, key: 'a', value: 1 }])
  cache.set('b', { n: 2 }, { ttl: 10 })
  cache.increment('n', 5)
  cache.expire('a', 20)
  cache.persist('a')
  cache.set('c', 3) // a was used longest ago
  cache.delete('c')
  clock.advance(10)
  cache.clear()
  t.deepEqual(seen.slice(1), [
    { type: 'set', sequence: 2, key: 'b', value: { n: 2 }, expiresAtMs: startMs + 10_000 },
    { type: 'set', sequence: 3, key: 'n', value: 5 },
    { type: 'rescheduled', sequence: 4, key: 'a', expiresAtMs: startMs + 20_000 },
    { type: 'rescheduled', sequence: 5, key: 'a' },
    { type: 'evicted', sequence: 6, key: 'a' },
    { type: 'set', sequence: 7, key: 'c', value: 3 },
    { type: 'deleted', sequence: 8, key: 'c' },
    { type: 'expired', sequence: 9, key: 'b' },
    { type: 'cleared', sequence: 10 },
  ])
  t.is(cache.stats().journal.sequence, 10)
})

test('calls that change nothing emit nothing', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('a', 1)
  const seen = record(cache.changes$)
  cache.get('a')
  cache.get('x')
  cache.set('a', 2, { only: 'absent' })
  cache.delete('x')
  cache.expire('x', 1)
  cache.persist('a')
  cache.deletePattern('x*')
  t.throws(() => cache.increment('a', Number.NaN))
  t.deepEqual(seen, [])
})

test('sequences continue after reopening', async (t) => {
  const opened = await openMemory(t)
  opened.cache.set('a', 1)
  opened.cache.set('b', 1)
  const { cache } = await reopen(t, opened)
  const seen = record(cache.changes$)
  cache.set('c', 1)
  t.deepEqual(
    seen.map(({ sequence }) => sequence),
    [3],
  )
})

test('the changes of a turn are emitted when it has ended', async (t) => {
  const { cache } = await openMemory(t)
  const seen = record(cache.changes$)
  cache.transact(() => {
    cache.set('a', 1)
    cache.set('b', 2)
    t.deepEqual(seen, [])
  })
  t.deepEqual(
    seen.map(({ key, sequence }) => [key, sequence]),
    [
      ['a', 1],
      ['b', 2],
    ],
  )
})

test('a change has the value that was set, not the current one', async (t) => {
  const { cache } = await openMemory(t)
  const seen = record(cache.changes$)
  cache.transact(() => {
    cache.set('a', 1)
    cache.set('a', 2)
    cache.delete('a')
  })
  t.deepEqual(
    seen.map(({ value }) => value),
    [1, 2, undefined],
  )
})

test('evictions$ emits the key and the old value', async (t) => {
  const { cache } = await openMemory(t, { maxSize: 2 })
  const seen = record(cache.evictions$)
  for (const key of ['a', 'b', 'c', 'd']) cache.set(key, `${key}!`)
  t.deepEqual(seen, [
    { key: 'a', value: 'a!', sequence: 3 },
    { key: 'b', value: 'b!', sequence: 5 },
  ])
})

test('an entry set and evicted in one transaction is emitted with its value', async (t) => {
  const { cache } = await openMemory(t, { maxSize: 1 })
  const seen = record(cache.evictions$)
  cache.transact(() => {
    for (const key of ['a', 'b', 'c']) cache.set(key, key)
  })
  t.deepEqual(
    seen.map(({ key, value }) => [key, value]),
    [
      ['a', 'a'],
      ['b', 'b'],
    ],
  )
})

test('expired entries that make room are expirations, not evictions', async (t) => {
  const { cache, clock } = await openMemory(t, { maxSize: 2 })
  const expirations = record(cache.expirations$)
  const evictions = record(cache.evictions$)
  cache.set('a', 1)
  cache.set('b', 1, { ttl: 1 })
  clock.jump(1_000)
  cache.set('c', 1)
  t.is(expirations.length, 1)
  t.is(evictions.length, 0)
  t.deepEqual(cache.keys(), ['a', 'c'])
})

test('watch emits the changes of matching keys, and those that concern all keys', async (t) => {
  const { cache, clock } = await openMemory(t)
  const seen = record(cache.watch('user:*'))
  cache.set('user:1', 1, { ttl: 5 })
  cache.set('other', 1)
  cache.delete('other')
  clock.advance(5)
  cache.clear()
  t.deepEqual(
    seen.map(({ type, key }) => [type, key]),
    [
      ['set', 'user:1'],
      ['expired', 'user:1'],
      ['cleared', undefined],
    ],
  )
  const nothing = record(cache.watch(''))
  cache.set('', 1)
  cache.set('a', 1)
  t.deepEqual(nothing, [])
})

test('a load is one change, emitted for every pattern', async (t) => {
  const { cache } = await openMemory(t)
  const path = join(temporaryDirectory(t), 'saved.snapshot')
  cache.set('a', 1)
  t.true((await cache.save(path)).ok)
  cache.set('b', 2)
  const all = record(cache.changes$)
  const watched = record(cache.watch('x*'))
  t.true((await cache.load(path)).ok)
  t.deepEqual(all, [{ type: 'loaded', sequence: 3 }])
  t.deepEqual(watched, all)
  t.deepEqual(cache.keys(), ['a'])
})

test('streams are RxJS Observables', async (t) => {
  const { cache } = await openMemory<number>(t)
  const collected = new Promise<string[]>((resolve) => {
    cache.changes$
      .pipe(
        filter(({ type }) => type === 'set'),
        map(({ key = '' }) => key),
        toArray(),
      )
      .subscribe(resolve)
  })
  cache.set('a', 1)
  cache.delete('a')
  cache.set('b', 2)
  await cache.close()
  t.deepEqual(await collected, ['a', 'b'])
})

// ── subscribers ──

test('each event reaches every subscriber before the next reaches any', async (t) => {
  const { cache } = await openMemory(t)
  const order: string[] = []
  cache.changes$.subscribe(({ key }) => order.push(`1:${key}`))
  cache.changes$.subscribe(({ key }) => {
    order.push(`2:${key}`)
    if (key === 'a') cache.set('from a subscriber', 1)
  })
  cache.watch('*').subscribe(({ key }) => order.push(`3:${key}`))
  cache.transact(() => {
    cache.set('a', 1)
    cache.set('b', 1)
  })
  const one = ['a', 'b', 'from a subscriber']
  t.deepEqual(
    order,
    one.flatMap((key) => [`1:${key}`, `2:${key}`, `3:${key}`]),
  )
})

test('changes made by a subscriber are emitted in order, before the outermost call returns', async (t) => {
  const { cache } = await openMemory<number>(t)
  const seen: number[] = []
  cache.changes$.subscribe(({ sequence, value = 0 }) => {
    seen.push(sequence)
    if (value < 1_000) cache.set('a', value + 1)
  })
  cache.set('a', 1)
  t.deepEqual(
    seen,
    Array.from({ length: 1_000 }, (_, index) => index + 1),
  )
  t.is(cache.get('a'), 1_000)
})

test('a subscriber sees the state after the turn, and its calls take effect at once', async (t) => {
  const { cache } = await openMemory(t)
  cache.changes$.subscribe(({ key }) => {
    if (key !== 'a') return
    t.is(cache.get('b'), 2)
    t.true(cache.delete('b'))
    t.is(cache.get('b'), undefined)
  })
  cache.transact(() => {
    cache.set('a', 1)
    cache.set('b', 2)
  })
  t.is(cache.get('b'), undefined)
})

test('a transaction that throws inside a subscriber undoes only itself', async (t) => {
  const { cache } = await openMemory(t)
  const seen = record(cache.changes$)
  cache.changes$.subscribe(({ key }) => {
    if (key !== 'a') return
    t.throws(() =>
      cache.transact(() => {
        cache.clear()
        throw new Error('undo')
      }),
    )
  })
  cache.set('a', 1)
  t.deepEqual(cache.keys(), ['a'])
  t.is(seen.length, 1)
})

test('a subscriber can call every method', async (t) => {
  const { cache, clock } = await openMemory(t)
  const promises: Promise<unknown>[] = []
  let done = false
  cache.changes$.subscribe(({ key }) => {
    if (key !== 'a' || done) return
    done = true
    cache.get('a')
    cache.peek('a')
    cache.has('a')
    cache.setMany([['b', 1]])
    cache.getMany(['b'])
    cache.increment('n')
    cache.expire('b', 10)
    cache.persist('b')
    cache.ttl('b')
    cache.keys()
    t.is([...cache.entries()].length, 3)
    cache.stats()
    cache.cleanup()
    cache.transact(() => cache.delete('n'))
    cache.deleteMany(['b'])
    cache.deletePattern('zzz')
    clock.advance(1)
    promises.push(
      cache.flush(),
      cache.compact(),
      cache.getOrSet('c', () => 1),
    )
    cache.watch('*').subscribe()
  })
  cache.set('a', 1)
  await Promise.all(promises)
  t.deepEqual(cache.keys(), ['a', 'c'])
})

test('a subscriber that closes the cache still receives the rest of the turn', async (t) => {
  const { cache, journal } = await openMemory(t)
  const seen: string[] = []
  let closing: Promise<void> | undefined
  cache.changes$.subscribe(({ key = '' }) => {
    seen.push(key)
    closing ??= cache.close()
  })
  cache.setMany([
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ])
  await closing
  t.deepEqual(seen, ['a', 'b', 'c'])
  const again = await openCache({ journal })
  t.is(again.size, 3)
  await again.close()
})

test('a subscriber that unsubscribes in its callback receives no more; the others do', async (t) => {
  const { cache } = await openMemory(t)
  const first: string[] = []
  const second: string[] = []
  const subscription = cache.changes$.subscribe(({ key = '' }) => {
    first.push(key)
    subscription.unsubscribe()
  })
  cache.changes$.subscribe(({ key = '' }) => second.push(key))
  cache.setMany([
    ['a', 1],
    ['b', 2],
  ])
  cache.set('c', 3)
  t.deepEqual(first, ['a'])
  t.deepEqual(second, ['a', 'b', 'c'])
})

test('a subscriber can unsubscribe another one', async (t) => {
  const { cache } = await openMemory(t)
  const seen: string[] = []
  cache.changes$.subscribe(() => other.unsubscribe())
  const other = cache.changes$.subscribe(({ key = '' }) => seen.push(key))
  cache.set('a', 1)
  cache.set('b', 1)
  t.true(seen.length <= 1)
})

test('a subscription made in a callback receives the later changes', async (t) => {
  const { cache } = await openMemory(t)
  const late: string[] = []
  let isSubscribed = false
  cache.changes$.subscribe(() => {
    if (isSubscribed) return
    isSubscribed = true
    cache.changes$.subscribe(({ key = '' }) => late.push(key))
  })
  cache.set('a', 1)
  cache.set('b', 1)
  t.deepEqual(late, ['b'])
})

test('a subscription made inside a transaction receives the later changes, with their sequences', async (t) => {
  const { cache } = await openMemory(t, { maxSize: 3 })
  const seen: Change[] = []
  cache.set('z', 0)
  cache.transact(() => {
    cache.set('a', 1)
    const subscription = cache.changes$.subscribe((change) => seen.push(change))
    cache.set('b', 2)
    subscription.unsubscribe()
    cache.set('c', 3)
    cache.changes$.subscribe((change) => seen.push(change))
    cache.set('d', 4)
  })
  cache.set('e', 5)
  const journaled = new Map([
    ['b', 3],
    ['d', 7],
    ['e', 9],
  ])
  for (const { key = '', sequence, type } of seen) {
    if (type === 'set' && journaled.has(key)) t.is(sequence, journaled.get(key) as number, key)
  }
  t.true(seen.some(({ key }) => key === 'd'))
  t.true(seen.some(({ key }) => key === 'e'))
  t.false(seen.some(({ key, type }) => key === 'a' && type === 'set'))
})

test.serial(
  'an error thrown by a subscriber is reported on a later tick; the cache and other subscribers continue',
  async (t) => {
    const { cache } = await openMemory(t)
    const uncaught = uncaughtErrors(t)
    const seen: string[] = []
    cache.changes$.subscribe(({ key }) => {
      throw new Error(`mine: ${key}`)
    })
    cache.changes$.subscribe(({ key = '' }) => seen.push(key))
    t.true(cache.set('a', 1))
    t.notThrows(() => cache.transact(() => cache.set('b', 1)))
    t.deepEqual(uncaught, [])
    t.deepEqual(seen, ['a', 'b'])
    t.deepEqual(cache.keys(), ['a', 'b'])
    await until(() => uncaught.length === 2, 'RxJS reports the errors')
    t.deepEqual(
      uncaught.map(({ message }) => message),
      ['mine: a', 'mine: b'],
      'its own subscription continues, too',
    )
  },
)

test.serial('without a subscriber no value is decoded', async (t) => {
  const { cache } = await openMemory(t)
  const value = { bytes: Uint8Array.of(1) }
  let decoded = 0
  const prototype = DefaultDeserializer.prototype as unknown as { _readHostObject(): unknown } // V8 calls it for typed arrays
  const { _readHostObject } = prototype
  prototype._readHostObject = function () {
    decoded++
    return _readHostObject.call(this)
  }
  t.teardown(() => {
    prototype._readHostObject = _readHostObject
  })
  cache.set('a', value)
  const subscription = cache.expirations$.subscribe(() => t.fail())
  cache.set('b', value)
  subscription.unsubscribe()
  cache.set('c', value)
  t.is(decoded, 0)
  cache.changes$.subscribe()
  cache.set('d', value)
  t.is(decoded, 1, 'with one it is')
})

// ── calls inside other calls ──

test('values set by a subscriber of lifecycle$ when a compaction begins are journaled', async (t) => {
  for (const observed of [false, true]) {
    for (const options of [{}, { ttl: 100 }]) {
      const journal = memoryJournal()
      const clock = new CountingClock()
      const compaction = { journalBytes: 1_000, factor: 0 }
      const cache = await openCache<unknown>({ journal, clock, compaction, maxSize: Number.POSITIVE_INFINITY })
      const changes = observed ? record(cache.changes$) : []
      let calls = 0
      cache.lifecycle$.subscribe(({ state }) => {
        if (state !== 'compacting' || calls > 0) return
        calls++
        cache.set('big', 'from the subscriber', options)
        cache.set('other', 'from the subscriber', options)
      })
      cache.set('first', 1, options)
      cache.set('big', 'x'.repeat(300_000), options) // more than the buffer holds: written within the call
      for (let turn = 0; turn < 20; turn++) await loopTurn()
      t.is(calls, 1)
      const { sequence } = cache.stats().journal
      t.is(sequence, 4)
      if (observed)
        t.deepEqual(
          changes.map((change) => change.sequence),
          [1, 2, 3, 4],
        )
      const live = [...cache.entries()].sort()
      await cache.close()
      const again = await openCache({ journal, clock, maxSize: Number.POSITIVE_INFINITY })
      t.deepEqual([...again.entries()].sort(), live)
      await again.close()
    }
  }
})

test('a change that cannot be appended is not emitted', async (t) => {
  const journal = new BreakableJournal()
  const { cache } = await openMemory(t, { journal })
  const seen = record(cache.changes$)
  journal.onAppend = () => {
    throw new Error('no')
  }
  t.throws(() => cache.set('a', 1))
  journal.onAppend = undefined
  cache.set('b', 1)
  t.deepEqual(
    seen.map(({ key, sequence }) => [key, sequence]),
    [['b', 1]],
  )
})
