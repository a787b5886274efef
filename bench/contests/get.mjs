/** Reading: hits and misses, uniform and by popularity, with key strings that exist and with new ones. Objects: `objects.mjs`. */
import { CALLS_MOST, contest, SHIFTS } from '../harness/contest.mjs'
import { scaled } from '../harness/smoke.mjs'
import { accesses, draws, keysOf, valuesOf } from '../harness/workload.mjs'
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
const SIZES = [10_000, 100_000, 1_000_000]

const one = (group, keys, kind, more) => ({ group, keys, kind, access: 'uniform', hits: 1, isFresh: false, ...more })

const inMemory = (group) => [
  ...SIZES.map((keys) => one(group, keys, 'small int')),
  one(group, 10_000, 'small int', { isFresh: true }),
  one(group, 100_000, '40-byte text'),
  ...SIZES.slice(0, 2).map((keys) => one(group, keys, 'small int', { hits: 0 })),
]

export const get = {
  name: 'get',
  title: 'get',
  cases: ({ isQuick }) =>
    isQuick
      ? inMemory('lru-cache')
      : [
          ...inMemory('memory'),
          ...SIZES.slice(1).map((keys) => one('memory', keys, 'small int', { isFresh: true })),
          one('memory', 10_000, '40-byte text'),
          one('memory', 100_000, 'small int', { access: 'zipf' }),
          one('memory', 100_000, 'small int', { hits: 0.8 }),
          one('by reference', 10_000, '4 KB bytes'),
          one('as copies', 10_000, '4 KB bytes'),
          ...['40-byte text', '4 KB bytes'].map((kind) => one('others', 10_000, kind, { access: 'zipf', hits: 0.8 })),
        ],
  async run({ group, keys, kind, access, hits, isFresh }, { rounds, directory }) {
    const what = hits === 1 ? 'hit' : hits === 0 ? 'miss' : `${hits * 100} % hits`
    const how =
      (access === 'zipf' ? ', Zipf' : '') +
      (isFresh ? ', new key strings' : '') +
      (group === 'by reference' || group === 'as copies' ? `, ${group}` : '')
    const entries = scaled(keys)
    return contest({
      about: { topic: 'get', case: `get, ${what}${how}`, keys, kind },
      peers: GROUPS[group],
      call: 'get',
      fill: { keys: keysOf(entries), values: valuesOf(kind, entries) },
      keys: (isFresh ? draws : accesses)(Math.max(entries, CALLS_MOST), entries, { access, hits }),
      key: isFresh ? "'user:' + keys[index]" : undefined,
      values: new Array(CALLS_MOST + SHIFTS).fill(0),
      size: entries,
      kind,
      rounds,
      directory,
      check(name, value, key) {
        const isStored = Number(String(key).replace('user:', '')) < entries
        if (isStored !== (value !== undefined && value !== null)) throw new Error(`${name}: get(${key}) is ${value}`)
      },
    })
  },
}
