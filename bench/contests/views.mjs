/**
 * How long a view of 1 M entries stalls the cache that has them, beside a bare Map that grows to as many keys: in the same process, so that
 * the collector has the same heap to look at, with the same client, which calls the cache, and in turns. What V8 cannot do in slices (a Map
 * that doubles) is in both.
 */
import { join } from 'node:path'
import { openCache } from '../../dist/src/index.js'
import { median, timesBetter } from '../harness/measure.mjs'
import { isSmoke, scaled } from '../harness/smoke.mjs'
import { pause, TimedClient, turn } from '../harness/timed-client.mjs'
import { keyOf, valuesOf } from '../harness/workload.mjs'

const ENTRIES = scaled(1_000_000)
const HOT = scaled(50_000)
const PORTION = 1_000
const TOPIC = 'views'
const STEADY_MS = isSmoke() ? 20 : 1_000

const JOBS = {
  view: async (cache) => (await cache.at(new Date())).close(),
  'bare Map': async () => {
    const map = new Map()
    for (let at = 0; at < ENTRIES; at++) {
      map.set(keyOf(at), at)
      if (at % PORTION === PORTION - 1) await turn()
    }
  },
}

export const views = {
  name: TOPIC,
  title: 'views',
  cases: () => [{}],
  async run(_, { rounds, isQuick, directory }) {
    const options = { maxSize: 2 * ENTRIES, compaction: false }
    const cache = await openCache({ directory: join(directory, 'journal'), ...options })
    for (let first = 0; first < ENTRIES; first += PORTION) {
      for (const [index, value] of valuesOf('40-byte text', PORTION, first).entries())
        cache.set(keyOf(first + index), value)
      await turn()
    }
    await cache.compact() // a view begins with a snapshot, as it does in most journals
    const client = new TimedClient(cache, HOT)
    await client.callFor(STEADY_MS)
    const observed = { steady: [], view: [], 'bare Map': [] }
    for (let round = 0; round < (isQuick ? 1 : rounds); round++) {
      observed.steady.push(await client.callFor(STEADY_MS))
      for (const [name, job] of Object.entries(JOBS)) {
        observed[name].push(await client.callUntil(job(cache)))
        globalThis.gc?.() // what one leaves behind must not slow the other
        await pause(isSmoke() ? 1 : 50)
      }
    }
    await cache.close()
    return rowsOfViews(observed)
  },
}

export function rowsOfViews({ steady, view, 'bare Map': map }) {
  const row = (what, unit, system, figures) => ({
    ...{ topic: TOPIC, case: what, unit, system, value: median(figures) },
    ...{ low: Math.min(...figures), high: Math.max(...figures) },
  })
  const figures = (observed, name) => observed.map((one) => one[name])
  const growing = 'bare Map, growing to as many keys'
  const stalls = [
    ['longest stall', 'longestMs'],
    ['longest stall, processor time', 'longestCpuMs'],
  ].flatMap(([what, name]) => {
    const [ours, theirs] = [figures(view, name), figures(map, name)]
    return [
      row(what, 'ms', 'daybook, view', ours),
      { ...row(what, 'ms', growing, theirs), ratio: timesBetter(ours, theirs) },
      row(what, 'ms', 'daybook, steady', figures(steady, name)),
    ]
  })
  return [
    ...stalls,
    row('p99.9 of a call', 'µs', 'daybook, view', figures(view, 'p999')),
    row('p99.9 of a call', 'µs', growing, figures(map, 'p999')),
    row('p99.9 of a call', 'µs', 'daybook, steady', figures(steady, 'p999')),
    row('took', 'ms', 'daybook, view', figures(view, 'tookMs')),
    row('took', 'ms', growing, figures(map, 'tookMs')),
  ]
}
