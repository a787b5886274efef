/** A change that an error cuts short in the middle: made here by a column that throws, as a stack that runs out would. */
import test from 'ava'
import { Entries } from '../../src/evolve/entries.js'
import { type Cache, CacheClosedError, type LifecycleState, memoryJournal, openCache } from '../../src/index.js'
import { ManualClock } from '../../src/testing.js'
import { until } from '../helpers/loop-turn.js'

const CALLS = {
  'a set, by the shortcut': { call: (cache: Cache) => cache.set('a', 2), recovered: 2 }, // it is in the journal first
  'a set, by the whole turn': { call: (cache: Cache) => cache.set('a', 2, { ttl: 10 }), recovered: 1 },
}

for (const [name, { call, recovered }] of Object.entries(CALLS)) {
  test.serial(`${name}: the cache closes itself, says so, and its journal is whole`, async (t) => {
    const journal = memoryJournal()
    const clock = new ManualClock()
    const cache = await openCache({ journal, clock })
    cache.set('a', 1)
    const states: LifecycleState[] = []
    cache.lifecycle$.subscribe((state) => states.push(state))
    const { replace } = Entries.prototype
    Entries.prototype.replace = () => {
      throw new RangeError('Maximum call stack size exceeded')
    }
    try {
      t.throws(() => call(cache), { instanceOf: RangeError })
    } finally {
      Entries.prototype.replace = replace
    }
    for (const next of [() => cache.get('a'), () => cache.set('b', 1), () => cache.stats()])
      t.throws(next, { instanceOf: CacheClosedError, message: /cut a change short/ })
    await until(() => states.at(-1)?.state === 'closed', 'closed')
    t.regex(states.at(-1)?.reason ?? '', /cut a change short/)
    await cache.close()
    const again = await openCache({ journal, clock })
    t.deepEqual([...again.entries()], [['a', recovered]])
    await again.close()
  })
}
