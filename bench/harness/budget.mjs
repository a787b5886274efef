/**
 * The performance budget: how each promise is measured, and whether it holds. A figure that was not measured in this run is
 * `undefined`, and reported as not measured.
 */

import { inShapes, JSON_LIKE, ROW_KINDS, SHAPES } from './objects.mjs'
import { shown } from './report.mjs'
import { figuresOf } from './rows.mjs'
import { SHARED_TEXT } from './workload.mjs'

/** Before plain data had an encoding of its own, on the machine of docs/benchmarks.md. */
const RECOVERED_OBJECT_BYTES = 650
const RECOVERED_OBJECTS_SECONDS = 0.39

const LRU = { system: 'lru-cache' }
const CLONING = { system: 'lru-cache + structuredClone' }
const SIZES = [10_000, 100_000, 1_000_000]
const compact = (number) => (number >= 1e6 ? `${number / 1e6} M` : `${number / 1e3} k`)
const atLeast = (least, what, wanted) => ({ what, least, of: ({ ratio }) => ratio(wanted) })
/** Beside a system that is measured in several ways, the best of which counts. */
const atLeastBest = (least, what, about, ways) => ({ what, least, of: ({ ratios }) => lowest(ratios(about, ways)) })

const GET = [
  ...['get, hit', 'get, hit, new key strings'].flatMap((name) =>
    [0.93, 0.93, 1].map((least, place) =>
      atLeast(least, `${name}, small int, ${compact(SIZES[place])} keys ÷ lru-cache`, {
        ...{ topic: 'get', case: name, kind: 'small int', keys: SIZES[place] },
        ...LRU,
      }),
    ),
  ),
  ...[10_000, 100_000].flatMap((keys) => [
    atLeast(0.93, `get, hit, 40-byte text, ${compact(keys)} keys ÷ lru-cache`, {
      ...{ topic: 'get', case: 'get, hit', kind: '40-byte text', keys },
      ...LRU,
    }),
    atLeast(0.85, `get, miss, ${compact(keys)} keys ÷ lru-cache`, {
      ...{ topic: 'get', case: 'get, miss', kind: 'small int', keys },
      ...LRU,
    }),
  ]),
  atLeast(0.93, "get, 'share', objects ÷ lru-cache", {
    ...{ topic: 'objects', case: 'get, by reference', kind: JSON_LIKE },
    ...LRU,
  }),
]

const SET = [
  ...[
    ['small int', 'set, overwriting', [0.62, 0.85, 1]],
    ['small int', 'set, overwriting, new key strings', [0.62, 0.85]],
    ['40-byte text', 'set, overwriting', [0.4, 0.54, 0.9]],
    [SHARED_TEXT, 'set, overwriting', [0.4, 0.54]],
    ['small int', 'set with ttl, overwriting', [0.5, 0.5]],
    ['small int', 'set, evicting', [0.5, 0.7]],
  ].flatMap(([kind, name, bounds]) =>
    bounds.map((least, place) =>
      atLeast(least, `${name}, ${kind}, ${compact(SIZES[place])} keys ÷ lru-cache`, {
        ...{ topic: 'set', case: name, kind, keys: SIZES[place] },
        ...LRU,
      }),
    ),
  ),
  ...[
    ['lmdb', 2],
    ['better-sqlite3 WAL NORMAL', 100],
    ['Redis everysec, awaited', 100],
  ].map(([system, least]) =>
    atLeast(least, `set, 40-byte text ÷ ${system}`, {
      ...{ topic: 'set', case: 'set, overwriting', keys: 10_000, kind: '40-byte text' },
      system,
    }),
  ),
]

const SHAPED = [...ROW_KINDS, ...SHAPES.slice(1).map((shapes) => inShapes(JSON_LIKE, shapes))]
const OBJECTS = [
  ...SHAPED.map((kind) =>
    atLeast(5, `get, copy, ${kind} ÷ lru-cache + structuredClone`, {
      ...{ topic: 'objects', case: 'get, as copies', kind },
      ...CLONING,
    }),
  ),
  ...SHAPED.map((kind) =>
    atLeast(1.8, `set, copy, ${kind} ÷ lru-cache + structuredClone`, {
      ...{ topic: 'objects', case: 'set, as copies', kind },
      ...CLONING,
    }),
  ),
  atLeast(4, 'get, copy ÷ lmdb', { topic: 'objects', case: 'get, as copies', kind: JSON_LIKE, system: 'lmdb' }),
  atLeast(0.8, "get, 'freeze' ÷ lru-cache by reference", {
    ...{ topic: 'objects', case: 'get, frozen', kind: JSON_LIKE },
    ...LRU,
  }),
  {
    what: 'memory of an object ÷ lru-cache + structuredClone',
    most: 0.8,
    of({ value }) {
      const about = { topic: 'memory', case: 'memory per entry', kind: JSON_LIKE }
      return quotient(value({ ...about, system: 'daybook copy' }), value({ ...about, ...CLONING }))
    },
  },
  {
    what: 'memory of a recovered object before its first use, bytes',
    most: RECOVERED_OBJECT_BYTES,
    of: ({ value }) => value({ topic: 'memory', case: 'memory per entry, recovered, unused', kind: JSON_LIKE }),
  },
]

const RECOVERY = ['the journal', 'a snapshot'].flatMap((from) => [
  {
    what: `recovery of 1 M small entries from ${from}: time ÷ a bare Map's`,
    most: 1.5,
    of: ({ ratio }) =>
      quotient(1, ratio({ topic: 'recovery', case: `from ${from}, inside`, kind: 'small int', system: 'bare Map' })),
  },
  {
    what: `recovery of 200 k objects from ${from}, seconds`,
    most: RECOVERED_OBJECTS_SECONDS,
    of: ({ value }) =>
      quotient(value({ topic: 'recovery', case: `from ${from}, inside`, kind: JSON_LIKE, system: 'daybook' }), 1e3),
  },
])

const STALLS = [
  ['growth', 'growth'],
  ['cleanup', 'cleanup'],
  ['compaction', 'idle'],
  ['save', 'idle'],
].flatMap(([job, asMap]) => [
  {
    what: `${job} at 1 M: longest stall, ms`,
    most: 10,
    orThatOf: ({ value }) => value({ topic: 'stalls', case: `${asMap}: longest stall`, system: 'bare Map, during' }),
    of: ({ value }) => value({ topic: 'stalls', case: `${job}: longest stall`, system: 'daybook, during' }),
  },
  {
    what: `${job} at 1 M: p99.9 of a call ÷ steady state`,
    most: 2,
    of({ value }) {
      const about = { topic: 'stalls', case: `${job}: p99.9 of a call` }
      return quotient(value({ ...about, system: 'daybook, during' }), value({ ...about, system: 'daybook, before' }))
    },
  },
])

const VIEWS = [
  {
    // Both contain the same Map that doubles, which no slice can divide. A tenth is the noise.
    what: 'view of 1 M entries: longest stall ÷ that of a bare Map that grows to as many keys, processor time',
    most: 1.1,
    of: ({ ratio }) =>
      quotient(
        1,
        ratio({
          ...{ topic: 'views', case: 'longest stall, processor time' },
          system: 'bare Map, growing to as many keys',
        }),
      ),
  },
  {
    what: 'view of 1 M entries: p99.9 of a call ÷ steady state',
    most: 2,
    of({ value }) {
      const about = { topic: 'views', case: 'p99.9 of a call' }
      return quotient(value({ ...about, system: 'daybook, view' }), value({ ...about, system: 'daybook, steady' }))
    },
  },
]

const lowest = (figures) => (figures.length === 0 ? undefined : Math.min(...figures))
const quotient = (one, other) => (one === undefined || other === undefined ? undefined : one / other)

const DURABLE = [
  atLeastBest(
    2.8,
    'durable acknowledgement, 64 waiting ÷ Redis always (the better of its two ways)',
    { topic: 'durable', case: 'set, acknowledged as durable, 64 waiting' },
    ['Redis always', 'Redis always, auto-pipelining'],
  ),
]

const THREADS = [
  atLeastBest(
    4.5,
    '10 threads, one counter, pipelined ÷ Redis through ioredis (its better way)',
    { topic: 'threads', case: '10 workers, 1000 increments in flight each' },
    ['ioredis pipeline()', 'ioredis auto-pipelining'],
  ),
  atLeast(1.5, 'threads, awaited one by one ÷ Redis through ioredis', {
    ...{ topic: 'threads', case: '1 worker, each call awaited' },
    system: 'ioredis',
  }),
  atLeast(8, 'threads, synchronous client ÷ Redis through ioredis, awaited', {
    ...{ topic: 'threads', case: '1 worker, synchronous client' },
    system: 'ioredis awaited',
  }),
]

const OWN = { topic: 'processes', case: 'set of the owner, 500 at once' }
const PROCESSES = [
  ...['set', 'get'].flatMap((call) => [
    atLeast(0.67, `processes, ${call}, awaited one by one ÷ Redis through ioredis`, {
      ...{ topic: 'processes', case: `${call}, each awaited`, system: 'ioredis' },
    }),
    atLeast(5, `processes, ${call}, 500 at once ÷ Redis through ioredis`, {
      ...{ topic: 'processes', case: `${call}, 500 at once`, system: 'ioredis' },
    }),
  ]),
  {
    what: 'set of the owner with 20 idle clients: time ÷ without',
    most: 1.05,
    of: ({ value }) =>
      quotient(
        value({ ...OWN, system: 'daybook, with 20 idle clients' }),
        value({ ...OWN, system: 'daybook, without clients' }),
      ),
  },
  ...[1_000, 100_000, 1_000_000].map((keys) => ({
    what: `takeover with ${compact(keys)} entries: milliseconds until the first answer, beyond the time of opening`,
    most: 500,
    of({ value }) {
      const took = (name) => value({ topic: 'processes', case: `takeover, ${name}`, keys, system: 'daybook' })
      const [whole, opening] = [took('from the death of the owner to the first answer'), took('opening')]
      return whole === undefined || opening === undefined ? undefined : whole - opening
    },
  })),
]

const GROWTH = ['get', 'set'].map((call) => ({
  what: `growth from 10 k to 5 M entries, ${call}: growth of the cost per call ÷ lru-cache's own`,
  most: 1,
  of({ value }) {
    const cost = (system, keys) => value({ topic: 'growth', case: call, system, keys })
    const growth = (system) => quotient(cost(system, 5_000_000), cost(system, 10_000))
    return quotient(growth('daybook'), growth('lru-cache'))
  },
}))

/**
 * By part of docs/performance.md. Rates are ours ÷ theirs. `least` or `most`: the bound; `orThatOf`: a figure of this run that
 * raises it. `of`: the figure.
 */
const BUDGET = {
  get: GET,
  objects: OBJECTS,
  set: SET,
  durable: DURABLE,
  recovery: RECOVERY,
  stalls: [...STALLS, ...VIEWS],
  threads: THREADS,
  processes: PROCESSES,
  growth: GROWTH,
}

export const BUDGET_PARTS = Object.keys(BUDGET)

/** @returns {{ part: string, what: string, budget: string, measured: number | undefined, isMet: boolean | undefined }[]} */
export function judge(rows) {
  const figures = figuresOf(rows)
  return Object.entries(BUDGET).flatMap(([part, lines]) =>
    lines.map(({ what, least, most, orThatOf, of }) => {
      const measured = of(figures)
      const bound = least ?? Math.max(most, orThatOf?.(figures) ?? 0)
      return {
        part,
        what,
        budget: least === undefined ? `≤ ${bound === most ? most : `${shown(bound)} (a bare Map)`}` : `≥ ${least}`,
        measured,
        isMet: measured === undefined ? undefined : least === undefined ? measured <= bound : measured >= bound,
      }
    }),
  )
}
