/** What concerns some of many entries: those under a prefix, a portion of the keys, the first entry. Beside a bare Map. */
import { join } from 'node:path'
import { openCache } from '../../dist/src/index.js'
import { measure, rowsOf } from '../harness/measure.mjs'
import { keysOf } from '../harness/workload.mjs'

const ENTRIES = 1_000_000
const UNDER_PREFIX = 1_000
const STEP = 1_000
const PREFIX = 'session:'
const TAG = 'sessions'
const TAGGED = { tags: [TAG] }

const under = Array.from({ length: UNDER_PREFIX }, (_, index) => [`${PREFIX}${index}`, index])

/** By case: what the cache does and what the Map does. Each is prepared outside the time that is measured. */
const CASES = {
  'deletePrefix(), 1,000 entries': {
    prepare: refill,
    cache: (cache) => cache.deletePrefix(PREFIX),
    map: deleteFromMap,
  },
  /** It finds its entries from the tag, where the Map looks at every key. */
  'deleteTag(), 1,000 entries': {
    prepare: refillTagged,
    cache: (cache) => cache.deleteTag(TAG),
    map: deleteFromMap,
  },
  'clear() of a namespace of 1,000 entries': {
    prepare: refill,
    cache: (cache) => cache.namespace(PREFIX).clear() ?? UNDER_PREFIX,
    map: deleteFromMap,
  },
  'scan() of all keys, 1,000 at a time': {
    cache: (cache) => {
      let found = 0
      let cursor
      do {
        const result = cache.scan({ cursor, limit: STEP })
        found += result.keys.length
        cursor = result.cursor
      } while (cursor !== undefined)
      return found
    },
    map: (map) => [...map.keys()].length,
  },
  'entries(), the first item': {
    cache: (cache) => first(cache.entries()),
    map: (map) => first(map.entries()),
  },
}

export const parts = {
  name: 'parts',
  title: 'some of 1 M entries',
  cases: ({ isQuick }) => (isQuick ? [] : [{}]),
  async run(_, { rounds, directory }) {
    const cache = await openCache({ directory: join(directory, 'journal'), maxSize: 2 * ENTRIES, compaction: false })
    const map = new Map()
    for (const [index, key] of keysOf(ENTRIES).entries()) {
      cache.set(key, index)
      map.set(key, index)
      if (index % 10_000 === 0) await cache.flush()
    }
    const rows = []
    for (const [name, { prepare = () => undefined, ...contenders }] of Object.entries(CASES)) {
      const found = new Map()
      const times = new Map()
      const timed = (system, container, task) => ({
        name: system,
        calls: 1,
        run: () => {
          prepare(container)
          const startMs = performance.now()
          found.set(system, task(container))
          const list = times.get(system) ?? []
          list.push(performance.now() - startMs)
          times.set(system, list)
        },
      })
      await measure([timed('daybook', cache, contenders.cache), timed('Map', map, contenders.map)], Math.min(rounds, 9))
      if (new Set(found.values()).size !== 1) throw new Error(`${name}: ${JSON.stringify([...found])}`)
      const figures = new Map([...times].map(([system, list]) => [system, list.slice(2)])) // the warm-ups
      rows.push(...rowsOf({ topic: 'parts', case: name, keys: ENTRIES, unit: 'ms' }, figures))
    }
    await cache.close()
    return rows
  },
}

function refill(system) {
  for (const [key, value] of under) system.set(key, value)
}

function refillTagged(system) {
  for (const [key, value] of under) system.set(key, value, TAGGED)
}

function deleteFromMap(map) {
  let deleted = 0
  for (const key of map.keys()) if (key.startsWith(PREFIX) && map.delete(key)) deleted++
  return deleted
}

/** Its key, after the iteration was left. */
function first(entries) {
  for (const [key] of entries) return key
}
