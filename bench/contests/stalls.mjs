/**
 * How long jobs affect other calls, at 1 M entries: compaction, save, and the expiry of everything at once. A client makes calls
 * in each turn of the event loop and times each of them; between the turns it measures how long it waits for its next one. That
 * wait is a stall, and the longest one counts.
 */
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { openCache } from '../../dist/src/index.js'
import { median, quantile } from '../harness/measure.mjs'
import { keyOf, randomFrom, valuesOf } from '../harness/workload.mjs'

const ENTRIES = 1_000_000
const KIND = '40-byte text'
const CALLS_PER_TURN = 100
const STEADY_MS = 2_000
const SAMPLES_MOST = 4_000_000

const turn = () => new Promise((resolve) => setImmediate(resolve))
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

const JOBS = {
  compaction: (cache) => cache.compact(),
  save: (cache, directory) => saved(cache.save(join(directory, 'saved.daybook'))),
  'save as pickle': (cache, directory) => saved(cache.save(join(directory, 'saved.pickle'))),
}

export const stalls = {
  name: 'stalls',
  title: 'stalls',
  cases: ({ isQuick }) => (isQuick ? [] : [...Object.keys(JOBS), 'cleanup'].map((job) => ({ job }))),
  async run({ job }, { rounds, directory }) {
    const cache = await openCache({ directory: join(directory, 'journal'), maxSize: 2 * ENTRIES, compaction: false })
    const client = new Client(cache)
    const observed = []
    if (job === 'cleanup') observed.push(await expiry(cache, client))
    else {
      await fill(cache, 0, ENTRIES)
      for (let round = 0; round < Math.min(rounds, 3); round++) {
        const before = await client.callFor(STEADY_MS)
        const during = await client.callUntil(JOBS[job](cache, directory))
        observed.push({ before, during, after: await client.callFor(STEADY_MS) })
      }
    }
    await cache.close()
    return rowsOf(job, observed)
  },
}

/** All entries except those that the client uses have the same deadline. */
async function expiry(cache, client) {
  const expiresAt = Date.now() + 20_000
  await fill(cache, 0, client.keys.length)
  await fill(cache, client.keys.length, ENTRIES, { expiresAt })
  await pause(expiresAt - Date.now() - STEADY_MS - 1_000)
  const before = await client.callFor(STEADY_MS)
  await pause(expiresAt - Date.now())
  const gone = async () => {
    while (cache.size > client.keys.length) await turn()
  }
  const during = await client.callUntil(gone())
  return { before, during, after: await client.callFor(STEADY_MS) }
}

async function fill(cache, first, count, options) {
  for (let start = first; start < first + count; start += 10_000) {
    const values = valuesOf(KIND, 10_000, start)
    for (let index = 0; index < 10_000; index++) cache.set(keyOf(start + index), values[index], options)
    await turn()
  }
}

class Client {
  keys = Array.from({ length: 50_000 }, (_, index) => keyOf(index))
  #values = valuesOf(KIND, 10_000)
  #cache
  #random = randomFrom(1)
  #micros = new Float64Array(SAMPLES_MOST)

  constructor(cache) {
    this.#cache = cache
  }

  callFor(ms) {
    return this.callUntil(pause(ms))
  }

  async callUntil(end) {
    let isOver = false
    end.finally(() => {
      isOver = true
    })
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    let count = 0
    let longestMs = 0
    const startMs = performance.now()
    let leftMs = startMs
    while (!isOver && count < SAMPLES_MOST) {
      longestMs = Math.max(longestMs, performance.now() - leftMs)
      for (let call = 0; call < CALLS_PER_TURN; call++) this.#micros[count++] = this.#call()
      leftMs = performance.now()
      await turn()
    }
    const tookMs = performance.now() - startMs
    delay.disable()
    await end
    const micros = this.#micros.subarray(0, count)
    const p = (share) => quantile(micros, share)
    return {
      p50: p(0.5),
      p99: p(0.99),
      p999: p(0.999),
      longestMs,
      delayMs: delay.max / 1e6,
      delayP99Ms: delay.percentile(99) / 1e6,
      tookMs,
    }
  }

  /** Times one set or one get, in microseconds. */
  #call() {
    const pick = this.#random()
    const key = this.keys[Math.floor(pick * this.keys.length)]
    const value = this.#values[Math.floor(pick * this.#values.length)]
    const startMs = performance.now()
    if ((pick * 1e6) % 2 < 1) this.#cache.set(key, value)
    else this.#cache.get(key)
    return (performance.now() - startMs) * 1e3
  }
}

function rowsOf(job, observed) {
  const row = (what, unit, pick, system = 'daybook') => {
    const figures = observed.map(pick)
    return {
      topic: 'stalls',
      case: `${job}: ${what}`,
      unit,
      system,
      value: median(figures),
      low: Math.min(...figures),
      high: Math.max(...figures),
    }
  }
  const phases = ['before', 'during', 'after']
  const figures = [
    ['p50 of a call', 'µs', 'p50'],
    ['p99 of a call', 'µs', 'p99'],
    ['p99.9 of a call', 'µs', 'p999'],
    ['longest stall', 'ms', 'longestMs'],
    ['event-loop delay, p99', 'ms', 'delayP99Ms'],
    ['event-loop delay, max', 'ms', 'delayMs'],
  ]
  return [
    row('took', 'ms', ({ during }) => during.tookMs),
    ...figures.flatMap(([what, unit, name]) =>
      phases.map((phase) => row(what, unit, (one) => one[phase][name], phase)),
    ),
  ]
}

async function saved(saving) {
  const result = await saving
  if (!result.ok) throw result.error
}
