/** Listing keys by a pattern, which looks at all of them. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fillUp } from '../harness/contest.mjs'
import { compileLoop } from '../harness/loop.mjs'
import { measure, rowsOf } from '../harness/measure.mjs'
import { scaled } from '../harness/smoke.mjs'
import { keysOf } from '../harness/workload.mjs'
import { OWN, whyAbsent } from '../peers/peers.mjs'
import { redisPipelined } from '../peers/redis.mjs'

const KEYS = 1_000_000
const ENTRIES = scaled(KEYS)
const PATTERNS = ['user:12345*', 'user:*99', '*[02468]?7*', '*']

export const keys = {
  name: 'keys',
  title: 'keys(pattern)',
  cases: ({ isQuick }) => (isQuick ? [] : [{}]),
  async run(_, { rounds, directory }) {
    const handles = new Map()
    const absent = []
    const stored = { keys: keysOf(ENTRIES), values: new Array(ENTRIES).fill(1) }
    for (const [place, peer] of [OWN[0], redisPipelined].entries()) {
      const system = peer === OWN[0] ? 'daybook' : 'Redis KEYS'
      const missing = await whyAbsent(peer)
      if (missing !== undefined) absent.push({ topic: 'keys', case: 'keys', system, absent: missing })
      else {
        const own = join(directory, String(place))
        mkdirSync(own)
        const handle = await peer.open({ size: ENTRIES, directory: own, kind: 'small int' })
        await fillUp(handle, stored)
        handles.set(system, handle)
      }
    }
    const rows = []
    const found = new Map()
    for (const pattern of PATTERNS) {
      const contenders = [...handles].map(([name, handle]) => {
        const isOwn = name === 'daybook'
        const loop = compileLoop(
          isOwn ? 'cache.keys(key)' : 'redis.keys(key)',
          handle.scope,
          isOwn ? 'sync' : 'awaited',
        )
        const run = async () => found.set(name, (await loop([pattern], [0], 0, 1)).length)
        return { name, calls: 1, run }
      })
      const figures = await measure(contenders, Math.min(rounds, 7))
      if (new Set(found.values()).size !== 1) throw new Error(`keys(${pattern}): ${JSON.stringify([...found])}`)
      const ms = new Map([...figures].map(([name, list]) => [name, list.map((ns) => ns / 1e6)]))
      const about = {
        topic: 'keys',
        case: `keys('${pattern}'), ${found.get('daybook')} found`,
        keys: KEYS,
        unit: 'ms',
      }
      rows.push(...rowsOf(about, ms))
    }
    for (const handle of handles.values()) await handle.close()
    return [...rows, ...absent]
  },
}
