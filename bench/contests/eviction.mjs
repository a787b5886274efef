/** What S3-FIFO costs beside LRU: a hit, and a new key that evicts. Both in one process, each with code of its own. */
import { CALLS_MOST, contest, roundsFor, SHIFTS } from '../harness/contest.mjs'
import { warmUps } from '../harness/measure.mjs'
import { scaled } from '../harness/smoke.mjs'
import { accesses, keysOf, valuesOf } from '../harness/workload.mjs'
import { daybook, daybookS3Fifo } from '../peers/daybook.mjs'

const PEERS = [daybookS3Fifo, daybook]
const KIND = 'small int'

export const eviction = {
  name: 'eviction',
  title: 'S3-FIFO beside LRU',
  cases: ({ isQuick }) =>
    isQuick ? [] : [10_000, 100_000, 1_000_000].flatMap((keys) => ['hit', 'evicting'].map((what) => ({ what, keys }))),
  async run({ what, keys }, { rounds, directory }) {
    const entries = scaled(keys)
    const isHit = what === 'hit'
    const newKeys = (CALLS_MOST / 2) * (roundsFor(entries, PEERS, rounds) + warmUps)
    return contest({
      about: { topic: 'eviction', case: isHit ? 'get, hit, Zipf' : 'set, evicting', keys, kind: KIND },
      peers: PEERS,
      call: isHit ? 'get' : 'setEvicting',
      fill: { keys: keysOf(entries), values: valuesOf(KIND, entries) },
      keys: isHit ? accesses(CALLS_MOST, entries, { access: 'zipf' }) : keysOf(newKeys, entries),
      values: valuesOf(KIND, CALLS_MOST / 2 + SHIFTS),
      size: entries,
      kind: KIND,
      rounds,
      directory,
    })
  },
}
