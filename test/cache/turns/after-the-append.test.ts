/** Once the journal has the events of a turn, the turn has taken effect: a later failure does not undo it. */
import test from 'ava'
import { memoryJournal, openCache } from '../../../src/index.js'
import { type Clock, ManualClock } from '../../../src/testing.js'
import { until } from '../../helpers/loop-turn.js'
import { uncaughtErrors } from '../../helpers/uncaught-errors.js'

test.serial(
  'an error thrown by the clock after the append is reported on a later tick, and the change is kept',
  async (t) => {
    const manual = new ManualClock()
    let fails = false
    const clock: Clock = {
      now: manual.now,
      clearTimeout: manual.clearTimeout,
      setTimeout(callback, delayMs) {
        if (fails) throw new Error('no timers')
        return manual.setTimeout(callback, delayMs)
      },
    }
    const journal = memoryJournal()
    const cache = await openCache({ journal, clock })
    cache.set('a', 1)

    const uncaught = uncaughtErrors(t)
    fails = true
    t.true(cache.set('b', 2, { ttl: 10 }))
    fails = false
    await until(() => uncaught.length > 0, 'the report')
    t.deepEqual(
      uncaught.map(({ message }) => message),
      ['no timers'],
    )

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
