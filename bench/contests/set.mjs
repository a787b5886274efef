/** Writing: overwriting, new keys, with a TTL, with evictions, and counters. Objects: `objects.mjs`. */
import { CALLS_MOST, contest, roundsFor, SHIFTS } from '../harness/contest.mjs'
import { warmUps } from '../harness/measure.mjs'
import { scaled } from '../harness/smoke.mjs'
import { accesses, draws, fewer, keysOf, SHARED_TEXT, valuesOf } from '../harness/workload.mjs'
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
  'new strings': { call: 'set', what: 'set, overwriting, new key strings' },
  new: { call: 'set', what: 'set, new key' },
  ttl: { call: 'setTtl', what: 'set with ttl, overwriting' },
  evicting: { call: 'setEvicting', what: 'set, evicting' },
  increment: { call: 'increment', what: 'increment' },
}

const one = (group, how, keys, kind, access = 'uniform') => ({ group, how, keys, kind, access })
const SIZES = [10_000, 100_000, 1_000_000]

const inMemory = (group) => [
  ...['small int', '40-byte text'].flatMap((kind) => SIZES.map((keys) => one(group, 'overwrite', keys, kind))),
  one(group, 'overwrite', 10_000, SHARED_TEXT),
  one(group, 'new strings', 10_000, 'small int'),
  ...SIZES.slice(0, 2).flatMap((keys) => [
    one(group, 'ttl', keys, 'small int'),
    one(group, 'evicting', keys, 'small int'),
  ]),
]

export const set = {
  name: 'set',
  title: 'set and increment',
  cases: ({ isQuick }) =>
    isQuick
      ? inMemory('lru-cache')
      : [
          ...inMemory('memory'),
          one('memory', 'overwrite', 100_000, SHARED_TEXT),
          one('memory', 'new strings', 100_000, 'small int'),
          one('memory', 'overwrite', 100_000, '40-byte text', 'zipf'),
          one('memory', 'new', 0, '40-byte text'),
          one('memory', 'ttl', 100_000, '40-byte text'),
          one('memory', 'evicting', 100_000, '40-byte text'),
          one('memory', 'increment', 100_000, 'small int'),
          one('by reference', 'overwrite', 10_000, '4 KB bytes'),
          one('as copies', 'overwrite', 10_000, '4 KB bytes'),
          ...['small int', '40-byte text', '4 KB bytes'].map((kind) => one('others', 'overwrite', 10_000, kind)),
          one('others', 'increment', 10_000, 'small int'),
        ],
  async run({ group, how, keys, kind, access }, { rounds, directory }) {
    const isNew = how === 'new' || how === 'evicting'
    const entries = keys === 0 ? 0 : scaled(keys)
    const perRound = fewer(kind, CALLS_MOST) / (isNew ? 2 : 1)
    const allNew = perRound * (roundsFor(entries, GROUPS[group], rounds) + warmUps)
    const manner =
      (access === 'zipf' ? ', Zipf' : '') + (group === 'by reference' || group === 'as copies' ? `, ${group}` : '')
    return contest({
      about: { topic: 'set', case: CALLS[how].what + manner, keys, kind },
      peers: GROUPS[group],
      call: CALLS[how].call,
      fill: entries === 0 ? undefined : { keys: keysOf(entries), values: valuesOf(kind, entries) },
      // New keys must be new in each round, so there are enough for all rounds.
      keys: isNew
        ? keysOf(allNew, entries)
        : (how === 'new strings' ? draws : accesses)(Math.max(entries, perRound), entries, { access }),
      key: how === 'new strings' ? "'user:' + keys[index]" : undefined,
      values: valuesOf(kind, perRound + SHIFTS),
      size: how === 'new' ? allNew : entries,
      kind,
      rounds,
      directory,
    })
  },
}
