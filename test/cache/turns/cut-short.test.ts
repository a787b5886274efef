/** A change that an error interrupts half-way. Here a method throws, as it would when the stack overflows. */
import test from 'ava'
import { Entries } from '../../../src/core/evolve/entries.js'
import { UndoLog } from '../../../src/core/evolve/undo.js'
import { type Cache, CacheClosedError, type LifecycleState, memoryJournal, openCache } from '../../../src/index.js'
import { ManualClock } from '../../../src/testing.js'
import { until } from '../../helpers/loop-turn.js'

const CALLS: Record<string, (cache: Cache) => unknown> = {
  'a set': (cache) => cache.set('a', 2),
  'a set with a ttl': (cache) => cache.set('a', 2, { ttl: 10 }),
  'an observed set': (cache) => {
    cache.changes$.subscribe(() => undefined)
    cache.set('a', 2)
  },
}

for (const [name, call] of Object.entries(CALLS)) {
  test.serial(`an interrupted ${name} closes the cache with a reason, and its journal is complete`, async (t) => {
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
      t.throws(next, { instanceOf: CacheClosedError, message: /interrupted a change/ })
    await until(() => states.at(-1)?.state === 'closed', 'closed')
    t.regex(states.at(-1)?.reason ?? '', /interrupted a change/)
    await cache.close()
    const again = await openCache({ journal, clock })
    t.deepEqual([...again.entries()], [['a', 2]]) // it was journaled first
    await again.close()
  })
}

/** Runs `task` while the method throws, as it would when the stack overflows on the way into it. */
function outOfStackIn(method: 'rollBack' | 'end', task: () => void): void {
  const original = UndoLog.prototype[method]
  const outOfStack = () => {
    throw new RangeError('Maximum call stack size exceeded')
  }
  Object.assign(UndoLog.prototype, { [method]: outOfStack })
  try {
    task()
  } finally {
    Object.assign(UndoLog.prototype, { [method]: original })
  }
}

test.serial(
  'a failed turn that cannot be undone: the cache closes, and its journal has nothing of the turn',
  async (t) => {
    const journal = memoryJournal()
    const cache = await openCache({ journal })
    cache.set('a', 1)
    const failing = () =>
      cache.transact(() => {
        cache.set('a', 2)
        throw new Error('no')
      })
    outOfStackIn('rollBack', () => t.throws(failing, { instanceOf: RangeError }))
    t.throws(() => cache.get('a'), { instanceOf: CacheClosedError, message: /interrupted a change/ })
    await cache.close()
    const again = await openCache({ journal })
    t.deepEqual([...again.entries()], [['a', 1]])
    await again.close()
  },
)

test.serial('a turn interrupted after its append is kept, once, and the next turn works', async (t) => {
  const journal = memoryJournal()
  const cache = await openCache({ journal })
  outOfStackIn('end', () => t.throws(() => cache.transact(() => cache.set('a', 1)), { instanceOf: RangeError }))
  t.is(cache.get('a'), 1)
  cache.set('b', 2, { ttl: 10 })
  t.is(await cache.flush(), 2)
  t.throws(
    () =>
      cache.transact(() => {
        cache.set('a', 3)
        throw new Error('no')
      }),
    { message: 'no' },
  )
  t.is(cache.get('a'), 1)
  await cache.close()
  const again = await openCache({ journal })
  t.deepEqual(
    [...again.entries()],
    [
      ['b', 2],
      ['a', 1],
    ],
  )
  await again.close()
})
