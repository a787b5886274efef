/**
 * If a caller recurses until the stack overflows, the error may be thrown at any line of the cache. The call that does not have
 * enough stack changes neither the state nor the journal, and the streams emit nothing.
 */
import test from 'ava'
import { type Cache, type Change, memoryJournal, openCache } from '../../../src/index.js'
import { ManualClock } from '../../../src/testing.js'
import { runs } from '../../helpers/runs.js'

/**
 * A call, and how many `set` events it makes. `transact` comes first: V8 drops the bytecode of functions that have not run for a
 * while, and where there is no stack to compile them again, a turn of several steps cannot be undone (cut-short.test.ts).
 */
const CALLS: Record<string, { call: (cache: Cache, count: number) => unknown; sets: number }> = {
  transact: {
    call: (cache, count) =>
      cache.transact(() => {
        cache.set(`k${count % 80}`, count)
        cache.get(`k${count % 81}`)
        cache.set(`k${count % 83}`, count)
      }),
    sets: 2,
  },
  set: { call: (cache, count) => cache.set(`k${count % 80}`, count), sets: 1 },
  'set with a ttl': { call: (cache, count) => cache.set(`k${count % 80}`, count, { ttl: 50 + (count % 7) }), sets: 1 },
  'set of an object': { call: (cache, count) => cache.set(`k${count % 80}`, { count }), sets: 1 },
  increment: { call: (cache, count) => cache.increment(`n${count % 80}`), sets: 1 },
  get: { call: (cache, count) => cache.get(`k${count % 80}`), sets: 0 },
}

for (const [method, { call, sets }] of Object.entries(CALLS)) {
  for (const observed of [false, true]) {
    test.serial(
      `${method}, ${observed ? 'observed' : 'unobserved'}: a call without enough stack changes nothing`,
      async (t) => {
        for (let round = 0; round < runs(20); round++) {
          const journal = memoryJournal()
          const clock = new ManualClock()
          const options = { journal, clock, maxSize: 50 }
          const cache = await openCache(options)
          const changes: Change[] = []
          if (observed) cache.changes$.subscribe((change) => changes.push(change))
          for (let index = 0; index < 60; index++)
            cache.set(`k${index}`, index, index % 3 === 0 ? { ttl: 100 + index } : {})
          const before = cache.stats()
          let returned = 0
          const recurse = (): void => {
            call(cache, returned)
            returned++
            recurse()
          }
          // A few words of stack more each time, so that it ends elsewhere.
          const pad = (..._words: number[]): void => recurse()
          t.throws(() => pad(...new Array<number>(round).fill(0)), { instanceOf: RangeError, message: /call stack/ })

          const after = cache.stats()
          t.is(after.sets - before.sets, returned * sets, `the stack ended in call ${returned} of round ${round}`)
          t.is(after.hits + after.misses, method === 'set' || sets === 1 ? 0 : returned)
          const events = after.sets + after.evictions + after.expirations
          t.is(after.journal.sequence, events)
          if (observed) t.deepEqual([changes.length, changes.at(-1)?.sequence], [events, events])
          const live = [...cache.entries()]
          await cache.close()
          const again = await openCache(options)
          t.deepEqual([...again.entries()], live)
          await again.close()
        }
      },
    )
  }
}
