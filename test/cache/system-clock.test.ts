import test from 'ava'
import { systemClock } from '../../src/cache/system-clock.js'
import { memoryJournal, openCache } from '../../src/index.js'

test.serial('the system clock splits delays over 2^31 ms into steps that Node accepts', (t) => {
  const armed: { callback: () => void; delayMs: number }[] = []
  const { setTimeout: real } = globalThis
  const timer = { unref: () => timer }
  globalThis.setTimeout = ((callback: () => void, delayMs: number) => {
    armed.push({ callback, delayMs })
    return timer
  }) as never
  let fired = 0
  try {
    systemClock.setTimeout(() => fired++, 2 ** 31 * 2.5)
    for (let index = 0; index < armed.length && index < 10; index++) {
      t.is(fired, 0)
      armed[index]?.callback()
    }
  } finally {
    globalThis.setTimeout = real
  }
  t.is(fired, 1)
  for (const { delayMs } of armed) t.true(delayMs > 0 && delayMs <= 2 ** 31 - 1)
  t.is(
    armed.reduce((sum, { delayMs }) => sum + delayMs, 0),
    2 ** 31 * 2.5,
  )
})

test.serial('a long delay can be cleared after its first step', (t) => {
  const callbacks: (() => void)[] = []
  const cleared: unknown[] = []
  const { setTimeout: realSet, clearTimeout: realClear } = globalThis
  globalThis.setTimeout = ((callback: () => void) => {
    const timer = { unref: () => timer, number: callbacks.push(callback) }
    return timer
  }) as never
  globalThis.clearTimeout = ((timer: { number: number }) => cleared.push(timer.number)) as never
  try {
    const timer = systemClock.setTimeout(() => t.fail(), 2 ** 33)
    callbacks[0]?.()
    systemClock.clearTimeout(timer)
    t.notThrows(() => systemClock.clearTimeout(undefined))
  } finally {
    globalThis.setTimeout = realSet
    globalThis.clearTimeout = realClear
  }
  t.deepEqual(cleared, [2])
})

test('with the system clock an entry expires without a call', async (t) => {
  const cache = await openCache({ journal: memoryJournal() })
  t.teardown(() => cache.close())
  const lateMs = await new Promise<number>((resolve) => {
    cache.expirations$.subscribe(({ seenAtMs, expiresAtMs }) => resolve(seenAtMs - expiresAtMs))
    cache.set('a', 1, { ttl: '20ms' })
    const keepAlive = setInterval(() => undefined, 10) // the timers of the cache do not
    t.teardown(() => clearInterval(keepAlive))
  })
  t.true(lateMs >= 0)
})
