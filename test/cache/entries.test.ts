/** `entries()` and the iterator of a cache: the entries as they were at the first `next()`, read one by one. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import test from 'ava'
import { loopTurn } from '../helpers/loop-turn.js'
import { openMemory } from '../helpers/open-memory.js'
import { turnParts } from '../helpers/turn-parts.js'

test('changes after the first next() do not show', async (t) => {
  const { cache } = await openMemory<number>(t)
  cache.setMany(['a', 'b', 'c', 'd', 'e'].map((key, index) => [key, index]))
  const entries = cache.entries()
  cache.set('before', 9)
  t.deepEqual(entries.next().value, ['a', 0])
  cache.get('b')
  cache.set('c', 99)
  cache.delete('d')
  cache.set('new', 1)
  t.deepEqual(entries.next().value, ['b', 1])
  cache.clear()
  t.deepEqual(
    [...entries],
    [
      ['c', 2],
      ['d', 3],
      ['e', 4],
      ['before', 9],
    ],
  )
})

test('an iteration that uses every entry ends', async (t) => {
  const { cache } = await openMemory<number>(t)
  cache.setMany(['a', 'b', 'c'].map((key, index) => [key, index]))
  const seen: string[] = []
  for (const [key] of cache) {
    seen.push(key)
    cache.get(key)
    cache.set(`${key}'`, 1)
  }
  t.deepEqual(seen, ['a', 'b', 'c'])
})

test('entries of a transaction that is undone are those that were there when they were asked for', async (t) => {
  const { cache } = await openMemory<number>(t)
  cache.setMany(['a', 'b', 'c'].map((key, index) => [key, index]))
  const entries = cache.entries()
  t.throws(() =>
    cache.transact(() => {
      cache.set('b', 9)
      cache.delete('c')
      cache.set('d', 9)
      entries.next()
      throw new Error('undone')
    }),
  )
  t.deepEqual(
    [...entries],
    [
      ['b', 9],
      ['d', 9],
    ],
  )
  t.deepEqual(
    [...cache],
    [
      ['a', 0],
      ['b', 1],
      ['c', 2],
    ],
  )
})

test('nothing watches the rows when an iteration has ended, was left, or is garbage', async (t) => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const { reads, state, set } = turnParts()
  for (const key of ['a', 'b', 'c']) set(key)
  const all = () => reads.entries(() => true)
  let watchers = 0
  const { entries } = state
  const watch = entries.watch.bind(entries)
  entries.watch = (watcher) => {
    watchers++
    const stop = watch(watcher)
    let isOn = true
    return () => {
      if (isOn) watchers--
      isOn = false
      stop()
    }
  }
  t.is([...all()].length, 3)
  t.is(watchers, 0)
  for (const _ of all()) break
  t.is(watchers, 0)
  const abandon = () => void all().next()
  abandon()
  t.is(watchers, 1)
  for (let tries = 0; watchers > 0 && tries < 100; tries++) {
    gc()
    await loopTurn()
  }
  t.is(watchers, 0)
})
