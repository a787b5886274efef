/** Reading: hits and misses, uniform and by popularity, of all kinds of values. */
import { CALLS_MOST, contest, SHIFTS } from '../harness/contest.mjs'
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

const one = (group, keys, kind, access = 'uniform', hits = 1) => ({ group, keys, kind, access, hits })

export const get = {
  name: 'get',
  title: 'get',
  cases: ({ isQuick }) =>
    isQuick
      ? [10_000, 100_000, 1_000_000].map((keys) => one('lru-cache', keys, 'small int'))
      : [
          ...[10_000, 100_000, 1_000_000].map((keys) => one('memory', keys, 'small int')),
          one('memory', 100_000, 'small int', 'zipf'),
          one('memory', 1_000_000, 'small int', 'zipf'),
          one('memory', 100_000, 'small int', 'uniform', 0.8),
          one('memory', 100_000, 'small int', 'uniform', 0),
          one('memory', 100_000, '40-byte text'),
          one('by reference', 10_000, '300-byte object'),
          one('as copies', 10_000, '300-byte object'),
          one('by reference', 10_000, '4 KB bytes'),
          one('as copies', 10_000, '4 KB bytes'),
          ...['40-byte text', '300-byte object', '4 KB bytes'].map((kind) => one('others', 10_000, kind, 'zipf', 0.8)),
        ],
  async run({ group, keys, kind, access, hits }, { rounds, directory }) {
    const what = hits === 1 ? 'hit' : hits === 0 ? 'miss' : `${hits * 100} % hits`
    const how = group === 'by reference' || group === 'as copies' ? `, ${group}` : ''
    return contest({
      about: { topic: 'get', case: `get, ${what}${access === 'zipf' ? ', Zipf' : ''}${how}`, keys, kind },
      peers: GROUPS[group],
      call: 'get',
      fill: { keys: keysOf(keys), values: valuesOf(kind, keys) },
      keys: accesses(Math.max(keys, CALLS_MOST), keys, { access, hits }),
      values: new Array(CALLS_MOST + SHIFTS).fill(0),
      size: keys,
      kind,
      rounds,
      directory,
      check(name, value, key) {
        const isStored = Number(key.slice(5)) < keys
        if (isStored !== (value !== undefined && value !== null)) throw new Error(`${name}: get(${key}) is ${value}`)
      },
    })
  },
}
