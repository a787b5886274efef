/**
 * A first look at what a call costs, beside lru-cache in the same process: `npm run bench -- --quick`. Prints ratios and
 * the budget; it never fails, because machines are noisy.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LRUCache } from 'lru-cache'
import { openCache } from '../dist/src/index.js'
import { measure, median, ratio } from './measure.mjs'

const ROUNDS = 15
const TEXT = 'forty characters of text for a value ....'.slice(0, 40)

async function compare(keys, rows) {
  const directory = await mkdtemp(join(tmpdir(), 'daybook-bench-'))
  const cache = await openCache({ directory, maxSize: keys, compaction: false })
  const lru = new LRUCache({ max: keys })
  const names = Array.from({ length: keys }, (_, index) => `key:${index}`)
  for (const name of names) {
    cache.set(name, 1)
    lru.set(name, 1)
  }
  await cache.flush()
  const calls = Math.min(keys, 100_000)
  const each = (call) => (round) => {
    const start = (round * calls) % keys
    for (let index = 0; index < calls; index++) call(names[(start + index) % keys], index)
  }
  const contests = [
    ['get hit', 1.0, (name) => cache.get(name), (name) => lru.get(name)],
    ['set, whole number', 0.7, (name, index) => cache.set(name, index), (name, index) => lru.set(name, index)],
    ['set, 40-byte text', 0.6, (name) => cache.set(name, TEXT), (name) => lru.set(name, TEXT)],
  ]
  for (const [what, budget, ours, theirs] of contests) {
    const figures = await measure({ daybook: each(ours), 'lru-cache': each(theirs) }, calls, ROUNDS)
    rows.push({
      call: what,
      keys,
      'daybook ns': Math.round(median(figures.daybook)),
      'lru-cache ns': Math.round(median(figures['lru-cache'])),
      'rate ÷ lru-cache': Number(ratio(figures.daybook, figures['lru-cache']).toFixed(2)),
      budget: keys >= 1_000_000 && what !== 'get hit' ? 1.0 : budget,
    })
  }
  await cache.close()
  await rm(directory, { recursive: true })
}

const rows = []
for (const keys of [10_000, 100_000, 1_000_000]) await compare(keys, rows)
console.log(
  `node ${process.version}, ${process.platform} ${process.arch}; journal on, fsync everysec; medians of ${ROUNDS} interleaved rounds`,
)
console.table(rows)
