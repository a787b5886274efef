/** `node open-and-answer.mjs DIRECTORY ENTRIES`: opens a cache, answers a call, tells its parent. */
import { openCache } from '../../dist/src/index.js'

const [directory, entries] = process.argv.slice(2)
const cache = await openCache({ directory, maxSize: Number(entries), compaction: false })
cache.peek('user:1') // a get would be counted, and make the close write a journal that is not the next round's
process.send({ recovery: cache.recovery, size: cache.size })
await cache.close()
process.disconnect()
