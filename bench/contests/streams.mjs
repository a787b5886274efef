/** What a subscriber costs the calls that emit to it: one on each stream, compared with none. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { compileLoop } from '../harness/loop.mjs'
import { measure, rowsOf } from '../harness/measure.mjs'
import { scaled } from '../harness/smoke.mjs'
import { accesses, keysOf, valuesOf } from '../harness/workload.mjs'
import { OWN } from '../peers/peers.mjs'

const KEYS = 10_000
const ENTRIES = scaled(KEYS)
const CALLS = scaled(20_000)
const KIND = '40-byte text'
const NOTHING = 'no subscriber'
const STREAMS = {
  [NOTHING]: () => undefined,
  expirations$: (cache, next) => cache.expirations$.subscribe(next),
  evictions$: (cache, next) => cache.evictions$.subscribe(next),
  stats$: (cache, next) => cache.stats$.subscribe(next),
  lifecycle$: (cache, next) => cache.lifecycle$.subscribe(next),
  changes$: (cache, next) => cache.changes$.subscribe(next),
  "watch('user:1*')": (cache, next) => cache.watch('user:1*').subscribe(next),
}

export const streams = {
  name: 'streams',
  title: 'streams',
  cases: ({ isQuick }) => (isQuick ? [] : [{ evicts: false }, { evicts: true }]),
  async run({ evicts }, { rounds, directory }) {
    const handles = []
    const contenders = []
    const names = evicts ? [NOTHING, 'evictions$', 'changes$'] : Object.keys(STREAMS)
    const fresh = evicts ? keysOf(CALLS * (rounds + 2), ENTRIES) : accesses(CALLS, ENTRIES)
    const values = valuesOf(KIND, CALLS)
    for (const [place, name] of names.entries()) {
      const own = join(directory, String(place))
      mkdirSync(own)
      const handle = await OWN[0].open({ size: ENTRIES, directory: own })
      handles.push(handle)
      for (const key of keysOf(ENTRIES)) handle.cache.set(key, '')
      let emitted = 0
      STREAMS[name](handle.cache, () => {
        emitted++
      })
      const loop = compileLoop(handle.calls.set, handle.scope)
      const first = evicts ? (round) => round * CALLS : () => 0
      contenders.push({
        name,
        calls: CALLS,
        run: (round) => {
          loop(fresh, values, first(round), CALLS)
        },
        emitted: () => emitted,
      })
    }
    const figures = await measure(contenders, rounds)
    const changes = contenders.find(({ name }) => name === 'changes$').emitted()
    if (changes < CALLS * rounds) throw new Error(`changes$ emitted only ${changes} changes`)
    for (const handle of handles) await handle.close()
    const about = {
      topic: 'streams',
      case: evicts ? 'set, evicting, a subscriber on' : 'set, overwriting, a subscriber on',
      keys: KEYS,
      kind: KIND,
      unit: 'ns/call',
    }
    // Here the ratio is the cost of the subscriber, relative to the call without one.
    return rowsOf(about, figures, NOTHING)
  },
}
