import test from 'ava'
import { emptyState } from '../../../src/cache/history/past-state.js'
import { evolve, recordHit } from '../../../src/core/evolve/evolve.js'
import type { State } from '../../../src/core/evolve/state.js'
import { atOnce, ranksByUse, restoreUse } from '../../../src/core/evolve/use-order.js'
import type { CacheEvent } from '../../../src/core/model/event.js'
import { Random } from '../../helpers/random.js'

const set = (key: string): CacheEvent => ({ type: 'set', key, value: 1, expiresAtMs: Number.POSITIVE_INFINITY })

/** Sets, updates and removals of some of so many keys. */
function eventsOf(random: Random, count: number, keys: number): CacheEvent[] {
  return Array.from({ length: count }, () => {
    const key = `k${random.below(keys)}`
    return random.below(5) === 0 ? { type: 'deleted', key } : set(key)
  })
}

function play(state: State, events: readonly CacheEvent[]): State {
  for (const event of events) evolve(state, event)
  return state
}

for (const [seed, keys] of [
  [1, 3],
  [2, 500],
  [3, 60_000],
] as const)
  test(`the order of up to ${keys} entries, written, is found again by who replays the events, in slices`, (t) => {
    const random = new Random(seed)
    const [before, after] = [eventsOf(random, 2 * keys, keys), eventsOf(random, keys >> 3, keys)]
    const live = play(emptyState(), before)
    const used = [...live.keysInOrder()].filter(() => random.below(3) === 0)
    for (const key of used.toSorted((a, b) => Number(a.slice(-2)) - Number(b.slice(-2)) || (a < b ? -1 : 1)))
      recordHit(live, live.find(key) as never)
    const ranks = ranksByUse(live)
    play(live, after)

    const replayed = play(emptyState(), before)
    replayed.entries.markUse()
    play(replayed, after)
    const restoring = restoreUse(replayed.entries, (count) => (count === ranks.length ? ranks : undefined))
    let slices = 0
    for (const _ of restoring) slices++
    t.true(slices >= Math.floor((5 * ranks.length) / 16_384))
    t.deepEqual([...replayed.keysInOrder()], [...live.keysInOrder()])
  })

test('ranks that are not as many as the entries change nothing', (t) => {
  const state = play(emptyState(), [set('a'), set('b')])
  state.entries.markUse()
  atOnce(restoreUse(state.entries, () => undefined))
  t.deepEqual([...state.keysInOrder()], ['a', 'b'])
})
