/**
 * How long jobs affect other calls, at 1 M entries: growth to that size, compaction, save, and the expiry of everything at once, as a
 * client sees it that makes calls meanwhile (harness/timed-client.mjs). Views of the past are in views.mjs.
 *
 * The same client also calls a bare Map that grows and shrinks alike, in a process of its own, and one to which nothing happens:
 * its stalls are those of the machine and of the client itself.
 */
import { join } from 'node:path'
import { openCache } from '../../dist/src/index.js'
import { JumpingClock } from '../harness/jumping-clock.mjs'
import { median } from '../harness/measure.mjs'
import { isSmoke, scaled } from '../harness/smoke.mjs'
import { pause, TimedClient, turn } from '../harness/timed-client.mjs'
import { keyOf, valuesOf } from '../harness/workload.mjs'

const ENTRIES = scaled(1_000_000)
const HOT = scaled(50_000)
const KIND = '40-byte text'
const PORTION = 1_000
const HOUR_MS = 3_600_000

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
    const client = new TimedClient(cache, HOT)
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
