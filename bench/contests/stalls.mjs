/**
 * How long jobs affect other calls, at 1 M entries: growth to that size, compaction, save, a view of the past, and the expiry of
 * everything at once. A client makes calls in each turn of the event loop and times each of them; between the turns it measures
 * how long it waits for its next one. That wait is a stall, and the longest one counts.
 *
 * The same client also calls a bare Map that grows and shrinks alike, in a process of its own, and one to which nothing happens:
 * its stalls are those of the machine and of the client itself.
 */
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { openCache } from '../../dist/src/index.js'
import { JumpingClock } from '../harness/jumping-clock.mjs'
import { median, quantile } from '../harness/measure.mjs'
import { isSmoke, scaled } from '../harness/smoke.mjs'
import { keyOf, randomFrom, valuesOf } from '../harness/workload.mjs'

const ENTRIES = scaled(1_000_000)
const HOT = scaled(50_000)
const KIND = '40-byte text'
const CALLS_PER_TURN = 100
const PORTION = 1_000
const SAMPLES_MOST = 4_000_000
const HOUR_MS = 3_600_000

const turn = () => new Promise((resolve) => setImmediate(resolve))
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
/** Not a job of the Map's: what the machine does to this client when nobody works beside it. */
const idle = () => pause(isSmoke() ? 20 : 1_500)

const SYSTEMS = {
  daybook: {
    open: (directory, clock) =>
      openCache({ directory: join(directory, 'journal'), maxSize: 2 * ENTRIES, compaction: false, clock }),
    jobs: {
      compaction: (cache) => cache.compact(),
      save: (cache, directory) => saved(cache.save(join(directory, 'saved.daybook'))),
      'save as pickle': (cache, directory) => saved(cache.save(join(directory, 'saved.pickle'))),
      view: async (cache) => (await cache.at(new Date())).close(),
    },
    async expire(cache, clock) {
      clock.jump(2 * HOUR_MS)
      while (cache.size > HOT) await turn()
    },
  },
  'bare Map': {
    open: () => new Map(),
    jobs: { idle },
    async expire(map) {
      let left = PORTION
      for (const key of map.keys()) {
        if (Number(key.slice(5)) < HOT) continue
        map.delete(key)
        if (--left > 0) continue
        left = PORTION
        await turn()
      }
    },
  },
}

export const stalls = {
  name: 'stalls',
  title: 'stalls',
  cases: () => Object.keys(SYSTEMS).map((system) => ({ system })),
  async run({ system }, { rounds, isQuick, directory }) {
    const { open, jobs, expire } = SYSTEMS[system]
    const clock = new JumpingClock()
    const cache = await open(directory, clock)
    const client = new Client(cache)
    const steadyMs = isSmoke() ? 20 : isQuick ? 300 : 1_000
    const around = async (start) => {
      const before = await client.callFor(steadyMs)
      const during = await client.callUntil(start())
      return { before, during, after: await client.callFor(steadyMs) }
    }
    const rows = []
    await fill(cache, 0, HOT)
    // All but those that the client calls have a deadline, and expire together at the end.
    rows.push(
      ...rowsOf('growth', system, [await around(() => fill(cache, HOT, ENTRIES - HOT, { ttl: HOUR_MS / 1e3 }))]),
    )
    for (const [job, start] of Object.entries(jobs)) {
      // Until a cache can show its past, its view is not measured, and the budget says so.
      if (job === 'view' && typeof cache.at !== 'function') continue
      if (job === 'save as pickle' && isQuick) continue
      const observed = []
      for (let round = 0; round < (isQuick ? 1 : Math.min(rounds, 3)); round++)
        observed.push(await around(() => start(cache, directory)))
      rows.push(...rowsOf(job, system, observed))
    }
    rows.push(...rowsOf('cleanup', system, [await around(() => expire(cache, clock))]))
    if (cache.size !== HOT) throw new Error(`${system}: ${cache.size} entries are left instead of ${HOT}`)
    await cache.close?.()
    return rows
  },
}

async function fill(cache, first, count, options) {
  for (let start = first; start < first + count; start += PORTION) {
    const portion = Math.min(PORTION, first + count - start)
    const values = valuesOf(KIND, portion, start)
    for (let index = 0; index < portion; index++) cache.set(keyOf(start + index), values[index], options)
    await turn()
  }
}

class Client {
  keys = Array.from({ length: HOT }, (_, index) => keyOf(index))
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
    do {
      longestMs = Math.max(longestMs, performance.now() - leftMs)
      for (let call = 0; call < CALLS_PER_TURN; call++) this.#micros[count++] = this.#call()
      leftMs = performance.now()
      await turn()
    } while (!isOver && count < SAMPLES_MOST)
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

function rowsOf(job, of, observed) {
  const row = (what, unit, pick, system) => {
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
    row('took', 'ms', ({ during }) => during.tookMs, of),
    ...figures.flatMap(([what, unit, name]) =>
      phases.map((phase) => row(what, unit, (one) => one[phase][name], `${of}, ${phase}`)),
    ),
  ]
}

async function saved(saving) {
  const result = await saving
  if (!result.ok) throw result.error
}
