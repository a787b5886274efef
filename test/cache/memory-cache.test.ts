/** `memoryCache()`: a cache on a journal in memory, without waiting. */
import test from 'ava'
import {
  type CacheOptions,
  type CacheReply,
  type LifecycleStateName,
  memoryCache,
  memoryJournal,
  openCache,
} from '../../src/index.js'
import { awaited, CACHE_CASES } from '../conformance/cache.js'
import { CountingClock } from '../helpers/counting-clock.js'
import { runCases } from '../helpers/run-cases.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

runCases('in memory', CACHE_CASES, async (t, { options }) => {
  const clock = new CountingClock()
  const cache = memoryCache({ clock, ...options })
  t.teardown(() => cache.close())
  return { cache: awaited(cache), clock, closeCache: () => cache.close(), directory: temporaryDirectory(t) }
})

test('everything works in the same tick: methods, recovery, messages, streams', async (t) => {
  const progress: unknown[] = []
  const cache = memoryCache<number>({ maxSize: 2, onProgress: (done) => progress.push(done) })
  t.teardown(() => cache.close())
  const { durationMs: _, ...recovery } = cache.recovery
  t.true(cache.set('a', 1))
  t.is(cache.get('a'), 1)
  const states: LifecycleStateName[] = []
  cache.lifecycle$.subscribe(({ state }) => states.push(state))
  t.deepEqual(states, ['running'])
  const replies: CacheReply[] = []
  cache.actor.send({ type: 'increment', key: 'a', replyTo: { send: (reply: CacheReply) => replies.push(reply) } })
  t.deepEqual(replies, [{ type: 'reply', ok: true, value: 2 }])
  t.true(cache.actor.getSnapshot().isOpen)
  t.is(cache.stats().journal.sequence, 2)
  t.is(await cache.flush(), 2)
  t.is((await cache.compact()).sequence, 2)
  const opened = await openCache({ journal: memoryJournal(), onProgress: (done) => progress.push(done) })
  t.teardown(() => opened.close())
  const { durationMs: __, ...asOpened } = opened.recovery
  t.deepEqual(recovery, asOpened)
  t.deepEqual(progress, [
    { done: 0, total: 0 },
    { done: 0, total: 0 },
  ])
  t.deepEqual(Object.keys(cache).sort(), Object.keys(opened).sort())
})

test('it closes like any cache', async (t) => {
  const cache = memoryCache()
  cache.set('a', 1)
  await cache.close()
  t.throws(() => cache.get('a'), { code: 'CACHE_CLOSED' })
})

test('options that concern files are refused, even if they are undefined; the others are checked as always', (t) => {
  for (const name of ['directory', 'journal', 'lock', 'onCorruption']) {
    for (const value of ['journal', undefined]) {
      const message = new RegExp(`^${name} is not an option of memoryCache\\(\\).*use openCache\\(\\)`)
      t.throws(() => memoryCache({ [name]: value } as object), { instanceOf: TypeError, message })
    }
  }
  t.throws(() => memoryCache({ maxSiz: 5 } as object), { instanceOf: TypeError, message: /Did you mean maxSize/ })
  t.throws(() => memoryCache({ maxSize: 0 }), { instanceOf: RangeError })
  t.throws(() => memoryCache(null as unknown as CacheOptions), { instanceOf: TypeError, message: /options must be/ })
  t.throws(() => memoryCache(Object.create({ directory: 'x' }) as object), {
    instanceOf: TypeError,
    message: /directory/,
  })
})

test('options may be inherited', (t) => {
  const cache = memoryCache(Object.create({ maxSize: 1 }) as object)
  t.teardown(() => cache.close())
  cache.setMany([
    ['a', 1],
    ['b', 2],
  ])
  t.is(cache.size, 1)
})
