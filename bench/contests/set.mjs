/** Writing: overwriting, new keys, with a TTL, with evictions, and counters. */
import { CALLS_MOST, contest, SHIFTS } from '../harness/contest.mjs'
import { warmUps } from '../harness/measure.mjs'
import { accesses, keysOf, valuesOf } from '../harness/workload.mjs'
import { CLONING, IN_MEMORY, OWN, PROMISED, STORES } from '../peers/peers.mjs'

const [daybook, share, copy] = OWN
const MEMORY = [daybook, ...IN_MEMORY]
const GROUPS = {
  memory: MEMORY,
  'lru-cache': MEMORY.slice(0, 2),
  'by reference': [share, ...IN_MEMORY],
  'as copies': [copy, ...CLONING],
  others: [daybook, ...PROMISED, ...STORES],
}

const CALLS = {
  overwrite: { call: 'set', what: 'set, overwriting' },
  new: { call: 'set', what: 'set, new key' },
  ttl: { call: 'setTtl', what: 'set with ttl, overwriting' },
  evicting: { call: 'setEvicting', what: 'set, evicting' },
  increment: { call: 'increment', what: 'increment' },
}

const one = (group, how, keys, kind, access = 'uniform') => ({ group, how, keys, kind, access })
const SIZES = [10_000, 100_000, 1_000_000]

export const set = {
  name: 'set',
  title: 'set and increment',
  cases: ({ isQuick }) =>
    isQuick
      ? SIZES.flatMap((keys) => ['small int', '40-byte text'].map((kind) => one('lru-cache', 'overwrite', keys, kind)))
      : [
          ...SIZES.flatMap((keys) =>
            ['small int', '40-byte text'].map((kind) => one('memory', 'overwrite', keys, kind)),
          ),
          one('memory', 'overwrite', 100_000, '40-byte text', 'zipf'),
          one('memory', 'new', 0, '40-byte text'),
          one('memory', 'ttl', 100_000, '40-byte text'),
          one('memory', 'evicting', 100_000, '40-byte text'),
          one('memory', 'increment', 100_000, 'small int'),
          one('by reference', 'overwrite', 10_000, '300-byte object'),
          one('as copies', 'overwrite', 10_000, '300-byte object'),
          one('by reference', 'overwrite', 10_000, '4 KB bytes'),
          one('as copies', 'overwrite', 10_000, '4 KB bytes'),
          ...['small int', '40-byte text', '300-byte object', '4 KB bytes'].map((kind) =>
            one('others', 'overwrite', 10_000, kind),
          ),
          one('others', 'increment', 10_000, 'small int'),
        ],
  async run({ group, how, keys, kind, access }, { rounds, directory }) {
    const isFresh = how === 'new' || how === 'evicting'
    const perRound = { '4 KB bytes': 5_000, '300-byte object': 20_000 }[kind] ?? CALLS_MOST / (isFresh ? 2 : 1)
    const way = group === 'by reference' || group === 'as copies' ? `, ${group}` : ''
    return contest({
      about: { topic: 'set', case: `${CALLS[how].what}${access === 'zipf' ? ', Zipf' : ''}${way}`, keys, kind },
      peers: GROUPS[group],
      call: CALLS[how].call,
      fill: keys === 0 ? undefined : { keys: keysOf(keys), values: valuesOf(kind, keys) },
      // New keys must be new in each round, so there are enough for all rounds.
      keys: isFresh
        ? keysOf(perRound * (rounds * 3 + warmUps), keys)
        : accesses(Math.max(keys, perRound), keys, { access }),
      values: valuesOf(kind, perRound + SHIFTS),
      size: how === 'new' ? perRound * (rounds * 3 + warmUps) : keys,
      kind,
      rounds,
      directory,
    })
  },
}
