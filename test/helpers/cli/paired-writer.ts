/**
 * `node paired-writer.js DIRECTORY [HOURS OF HISTORY]`: sets two keys to the same value in one turn, again and again, and compacts without pause, until
 * it is killed. At every sequence that ends a turn both are the same.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { openCache } from '../../../src/index.js'

const [, , directory = '', hours] = process.argv
const cache = await openCache({
  directory,
  history: hours === undefined ? undefined : `${Number(hours)}h`,
  compaction: { segmentBytes: 4_000, journalBytes: 16_000, factor: 0 },
})
for (let count = 1; ; count++) {
  cache.setMany([
    ['one', count],
    ['other', count],
  ])
  if (count === 100) process.stdout.write('writing\n')
  await nextTurn()
}
