/** Opens and fills a cache with one policy, and makes the calls of a round for each message. Answers with nanoseconds per call. */
import { once } from 'node:events'
import { openCache } from '../../dist/src/index.js'
import { CALLS_MOST } from './contest.mjs'
import { compileLoop } from './loop.mjs'
import { accesses, keysOf, valuesOf } from './workload.mjs'

const { what, entries, policy, directory } = JSON.parse(process.argv[2])
const cache = await openCache({ directory, maxSize: entries, compaction: false, eviction: policy })
const values = valuesOf('small int', Math.max(entries, 4 * CALLS_MOST))
compileLoop('cache.set(key, value)', { cache })(keysOf(entries), values, 0, entries)
await turn()

const isHit = what === 'hit'
const calls = isHit ? 4 * CALLS_MOST : CALLS_MOST // a hit is ten times as fast
const loop = compileLoop(isHit ? 'cache.get(key)' : 'cache.set(key, value)', { cache })
const popular = isHit ? accesses(calls, entries, { access: 'zipf' }) : undefined

process.once('disconnect', () => process.exit(1)) // the parent is gone
process.send('ready')
for (;;) {
  const [round] = await once(process, 'message')
  const keys = popular ?? keysOf(calls, entries + round * calls)
  globalThis.gc({ type: 'minor' }) // the garbage of making the keys
  await turn()
  const startMs = performance.now()
  loop(keys, values, 0, calls)
  await turn() // in which the journal is written
  process.send(((performance.now() - startMs) * 1e6) / calls)
}

function turn() {
  return new Promise((resolve) => setImmediate(resolve))
}
