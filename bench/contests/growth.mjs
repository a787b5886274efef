/** How the cost of a call grows with the number of entries, for daybook and for lru-cache. */
import { CALLS_MOST, contest, SHIFTS } from '../harness/contest.mjs'
import { scaled } from '../harness/smoke.mjs'
import { accesses, keysOf } from '../harness/workload.mjs'
import { IN_MEMORY, OWN } from '../peers/peers.mjs'

const SIZES = [10_000, 1_000_000, 5_000_000]

export const growth = {
  name: 'growth',
  title: 'growth',
  cases: ({ isQuick }) =>
    isQuick ? [] : SIZES.flatMap((entries) => ['get', 'set'].map((call) => ({ call, entries }))),
  async run({ call, entries: nominal }, { rounds, directory }) {
    const entries = scaled(nominal)
    const keys = keysOf(entries)
    return contest({
      about: { topic: 'growth', case: call, keys: nominal, kind: 'small int' },
      peers: [OWN[0], IN_MEMORY[0]],
      call,
      fill: { keys, values: Array.from({ length: entries }, (_, index) => index) },
      keys: accesses(Math.min(1_000_000, Math.max(entries, CALLS_MOST)), entries),
      values: Array.from({ length: CALLS_MOST + SHIFTS }, (_, index) => index),
      size: entries,
      kind: 'small int',
      rounds: Math.min(rounds, 9),
      directory,
    })
  },
}
