/** `node open-and-answer.mjs DIRECTORY ENTRIES`: opens a cache, makes a call, and reports to its parent. */
import { openCache } from '../../dist/src/index.js'

const [directory, entries] = process.argv.slice(2)
const cache = await openCache({ directory, maxSize: Number(entries), compaction: false })
cache.peek('user:1') // a get would be counted, and close() would write to the journal of the next round
process.send({ durationMs: cache.recovery.durationMs, size: cache.size })
await cache.close()
process.disconnect()
