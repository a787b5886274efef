/** `node restless-writer.js DIRECTORY`: sets, expires, rotates and compacts without pause until it is killed. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { openCache } from '../../../src/index.js'

const [, , directory = ''] = process.argv
const cache = await openCache({
  directory,
  maxSize: 500,
  compaction: { segmentBytes: 20_000, journalBytes: 100_000, factor: 0.1 },
})
for (let count = 0; ; count++) {
  cache.set(`key:${count % 700}`, { count, text: 'x'.repeat(count % 300) }, { ttl: count % 7 === 0 ? 0.2 : undefined })
  if (count % 20_000 === 0) cache.set('large', 'y'.repeat(2_000_000))
  if (count === 1_000) process.stdout.write('writing\n')
  if (count % 50 === 0) await nextTurn()
}
