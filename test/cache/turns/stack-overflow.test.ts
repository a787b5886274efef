/**
 * A caller that recurses until the stack runs out has a mistake; and its error may come from any line of ours, in the middle
 * of a change. Whoever catches it goes on with a cache that is whole, or that says it must be reopened. Never with one that
 * silently no longer keeps its journal.
 */
import test from 'ava'
import { type Cache, CacheError, memoryJournal, openCache } from '../../../src/index.js'
import { ManualClock } from '../../../src/testing.js'
import { runs } from '../../helpers/runs.js'

const ROUNDS = runs(10)

const CALLS: Record<string, (cache: Cache, count: number) => unknown> = {
  set: (cache, count) => cache.set(`k${count % 80}`, count),
  'set with a ttl': (cache, count) => cache.set(`k${count % 80}`, count, { ttl: 50 + (count % 7) }),
  delete: (cache, count) => cache.delete(`k${count % 80}`) || cache.set(`k${count % 80}`, 1),
  increment: (cache, count) => cache.increment(`n${count % 80}`),
  get: (cache, count) => cache.get(`k${count % 80}`),
  transact: (cache, count) =>
    cache.transact(() => {
      cache.set(`k${count % 80}`, count)
      cache.set(`k${count % 83}`, count)
    }),
}

for (const [method, call] of Object.entries(CALLS)) {
  for (const observed of [false, true]) {
    test(`${method}, ${observed ? 'observed' : 'unobserved'}: whoever runs out of stack in it leaves a whole cache, or one that says so`, async (t) => {
      for (let round = 0; round < ROUNDS; round++) {
        const journal = memoryJournal()
        const options = { journal, clock: new ManualClock(), maxSize: 50 }
        const cache = await openCache(options)
        if (observed) cache.changes$.subscribe(() => undefined)
        for (let index = 0; index < 60; index++)
          cache.set(`k${index}`, index, index % 3 === 0 ? { ttl: 100 + index } : {})
        let count = 0
        const recurse = (): void => {
          call(cache, count++)
          recurse()
        }
        const pad = (frames: number): void => (frames === 0 ? recurse() : pad(frames - 1)) // so that it ends elsewhere each time
        t.throws(() => pad(3 * round), { instanceOf: RangeError, message: /call stack/ })

        let live: [string, unknown][] | undefined
        try {
          live = [...cache.entries()]
          t.is(cache.size, live.length)
          for (const [key] of live) t.true(cache.has(key))
          cache.set('afterwards', 1)
          live = [...cache.entries()]
        } catch (error) {
          t.true(error instanceof CacheError, String(error))
          live = undefined
        }
        await t.notThrowsAsync(cache.close())
        const again = await openCache(options)
        const found = [...again.entries()]
        t.is(again.size, found.length)
        if (live !== undefined) t.deepEqual(found, live)
        await again.close()
      }
    })
  }
}
