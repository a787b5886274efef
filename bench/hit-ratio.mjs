/**
 * How often LRU and S3-FIFO hit, on traces that are generated from a seed and on files:
 *
 *   npm run build && node bench/hit-ratio.mjs               the table of docs/eviction.md
 *   node bench/hit-ratio.mjs --trace FILE [--sizes 0.01,0.1]   a file of keys, one a line; sizes are shares of the distinct keys
 */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { hitRatios, POLICIES } from './hit-ratio/replay.mjs'
import { TRACES } from './hit-ratio/traces.mjs'

const { values: options } = parseArgs({ options: { trace: { type: 'string' }, sizes: { type: 'string' } } })
const shares = options.sizes?.split(',').map(Number)
const traces =
  options.trace === undefined
    ? TRACES
    : [{ name: basename(options.trace), keys: () => readFileSync(options.trace, 'utf8').split('\n').filter(Boolean) }]

console.log(`| trace | requests | keys | maxSize | ${POLICIES.join(' | ')} |`)
console.log(`|---|---|---|---|${'---|'.repeat(POLICIES.length)}`)
for (const trace of traces) for (const row of hitRatios(trace, shares)) console.log(row)
