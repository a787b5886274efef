/** Test runners replace the timers of the process after daybook was loaded. The cache follows them; its journal does not stop. */
import { mock } from 'node:test'
import test from 'ava'
import { memoryJournal, openCache } from '../../src/index.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const START_MS = 1_800_000_000_000

test.beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate', 'Date'], now: START_MS })
})
test.afterEach.always(() => {
  mock.timers.reset()
})

test.serial('entries expire on time by the fake clock, with their event', async (t) => {
  const cache = await openCache({ journal: memoryJournal() })
  const expired: string[] = []
  cache.expirations$.subscribe(({ key, seenAtMs }) => expired.push(`${key} at ${seenAtMs - START_MS}`))
  cache.set('a', 1, { ttl: 10 })
  mock.timers.tick(9_999)
  t.is(cache.get('a'), 1)
  t.is(cache.ttl('a'), 0.001)
  mock.timers.tick(1)
  t.deepEqual(expired, ['a at 10000'])
  t.is(cache.get('a'), undefined)
  await cache.close()
})

test.serial('flush and close of a directory resolve, and its entries are kept', async (t) => {
  const directory = temporaryDirectory(t)
  const cache = await openCache({ directory })
  cache.set('a', 1)
  t.is(await cache.flush(), 1)
  cache.set('b', 2)
  await cache.close()
  const again = await openCache({ directory })
  t.deepEqual(
    [...again.entries()],
    [
      ['a', 1],
      ['b', 2],
    ],
  )
  await again.compact()
  await again.close()
})

test.serial('getOrSet times out by the fake clock', async (t) => {
  const cache = await openCache({ journal: memoryJournal() })
  const waiting = cache.getOrSet('a', () => new Promise(() => undefined), { timeout: 10 })
  await Promise.resolve()
  mock.timers.tick(10_000)
  await t.throwsAsync(waiting, { code: 'LOAD_TIMEOUT' })
  await cache.close()
})

test.serial('a timer is cleared by the functions that it came from: fake ones know nothing of real ones', async (t) => {
  mock.timers.reset()
  const armed = new Map<unknown, string>()
  const wrong: string[] = []
  const real = { setTimeout, clearTimeout }
  const install = (era: string) => {
    Object.assign(globalThis, {
      setTimeout: (callback: () => void, delayMs: number) => {
        const timer = real.setTimeout(callback, delayMs)
        armed.set(timer, era)
        return timer
      },
      clearTimeout: (timer: NodeJS.Timeout) => {
        if ((armed.get(timer) ?? era) !== era) wrong.push(`${armed.get(timer)} in ${era}`)
        real.clearTimeout(timer)
      },
    })
  }
  try {
    install('before')
    const cache = await openCache({ journal: memoryJournal() })
    const stats = cache.stats$.subscribe()
    cache.set('a', 1, { ttl: 100 })
    const waiting = cache.getOrSet('b', () => new Promise(() => undefined), { timeout: 100, hardTimeout: 100 })
    waiting.catch(() => undefined)
    install('after')
    cache.set('c', 1, { ttl: 10 })
    stats.unsubscribe()
    await cache.close()
    t.true(armed.size >= 5)
    t.deepEqual(wrong, [])
  } finally {
    Object.assign(globalThis, real)
  }
})
