/** Once the journal has the events of a turn, the turn has happened: what fails afterwards cannot take it back. */
import test from 'ava'
import { memoryJournal, openCache } from '../../../src/index.js'
import { type Clock, ManualClock } from '../../../src/testing.js'

test.serial(
  'a clock that takes no timer: it is reported on a later tick, and memory is what the journal has',
  async (t) => {
    const manual = new ManualClock()
    let fails = false
    const clock: Clock = {
      now: manual.now,
      clearTimeout: manual.clearTimeout,
      setTimeout(callback, delayMs) {
        if (fails) throw new Error('no timers today')
        return manual.setTimeout(callback, delayMs)
      },
    }
    const journal = memoryJournal()
    const cache = await openCache({ journal, clock })
    cache.set('a', 1)

    const listeners = process.rawListeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    try {
      fails = true
      const reported = new Promise((resolve) => process.once('uncaughtException', resolve))
      t.true(cache.set('b', 2, { ttl: 10 }))
      fails = false
      t.is(((await reported) as Error).message, 'no timers today')
    } finally {
      for (const listener of listeners) process.on('uncaughtException', listener as never)
    }

    t.deepEqual(
      [...cache.entries()],
      [
        ['a', 1],
        ['b', 2],
      ],
    )
    cache.set('c', 3, { ttl: 20 }) // arms the timer that could not be armed
    manual.advance(10)
    t.deepEqual(cache.keys(), ['a', 'c'])
    await cache.close()
    const again = await openCache({ journal, clock })
    t.deepEqual(again.keys(), ['a', 'c'])
    await again.close()
  },
)
