/** Reads each key of a trace, and stores it if it is not there. */
import { memoryCache } from '../../dist/src/index.js'

export const POLICIES = ['lru', 's3-fifo']

/** Rows of a table: at sizes that are shares of the distinct keys, the hit ratios of both policies. */
export function* hitRatios({ name, keys }, shares = [0.01, 0.1]) {
  const trace = keys()
  const distinct = new Set(trace).size
  for (const share of shares) {
    const maxSize = Math.max(1, Math.round(share * distinct))
    const ratios = POLICIES.map((eviction) => `${(100 * hitRatio(trace, { maxSize, eviction })).toFixed(1)} %`)
    yield `| ${[name, ...[trace.length, distinct, maxSize].map(count), ...ratios].join(' | ')} |`
  }
}

function hitRatio(trace, options) {
  const cache = memoryCache({ ...options, compaction: { journalBytes: 2 ** 22, segmentBytes: 2 ** 22 } })
  for (const key of trace) if (cache.get(key) === undefined) cache.set(key, 1)
  const { hits } = cache.stats()
  cache.close().catch(() => undefined)
  return hits / trace.length
}

function count(number) {
  return number.toLocaleString('en')
}
