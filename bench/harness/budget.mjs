/**
 * The performance budget: how each promise is measured, and whether it holds. A figure that was not measured in this run is
 * `undefined`, and reported as not measured.
 */

/** @param rows All rows of the run. */
function figuresOf(rows) {
  const find = (wanted) =>
    rows.find((row) => row.absent === undefined && Object.entries(wanted).every(([name, value]) => row[name] === value))
  return {
    value: (wanted) => find(wanted)?.value,
    ratio: (wanted) => find(wanted)?.ratio,
    ratios: (wanted, systems) =>
      systems.map((system) => find({ ...wanted, system })?.ratio).filter((one) => one !== undefined),
  }
}

const LRU = { system: 'lru-cache' }
const GET = { topic: 'get', case: 'get, hit', kind: 'small int', ...LRU }
const SET = { topic: 'set', case: 'set, overwriting' }
const AGAINST_STORES = { ...SET, keys: 10_000, kind: '40-byte text' }
const compact = (number) => (number >= 1e6 ? `${number / 1e6} M` : `${number / 1e3} k`)

/** `least` or `most`: the bound. `of`: the figure. `scale`: a factor for the figure. */
const BUDGET = [
  ...[10_000, 100_000, 1_000_000].map((keys) => ({
    what: `get hit, ${compact(keys)} keys: rate ÷ lru-cache's`,
    least: 1,
    of: ({ ratio }) => ratio({ ...GET, keys }),
  })),
  ...[
    [10_000, 'small int', 0.7],
    [10_000, '40-byte text', 0.6],
    [1_000_000, 'small int', 1],
    [1_000_000, '40-byte text', 1],
  ].map(([keys, kind, least]) => ({
    what: `set with the journal on, ${kind}, ${compact(keys)} keys: rate ÷ lru-cache's`,
    least,
    of: ({ ratio }) => ratio({ ...SET, ...LRU, keys, kind }),
  })),
  { what: "set: rate ÷ lmdb's", least: 5, of: ({ ratio }) => ratio({ ...AGAINST_STORES, system: 'lmdb' }) },
  {
    what: "set: rate ÷ better-sqlite3's, autocommit, NORMAL",
    least: 20,
    of: ({ ratio }) => ratio({ ...AGAINST_STORES, system: 'better-sqlite3 WAL NORMAL' }),
  },
  {
    what: 'set: rate ÷ that of an awaited ioredis set',
    least: 30,
    of: ({ ratio }) => ratio({ ...AGAINST_STORES, system: 'Redis everysec, awaited' }),
  },
  {
    what: 'durable acknowledgement, 64 waiting: rate ÷ that of Redis always (the better of its two ways)',
    least: 3,
    of: ({ ratios }) =>
      lowest(
        ratios({ topic: 'durable', case: 'set, acknowledged as durable, 64 waiting' }, [
          'Redis always',
          'Redis always, auto-pipelining',
        ]),
      ),
  },
  {
    what: 'recovery: M events/s replayed (1 M events, 40-byte text)',
    least: 2,
    of: ({ value }) => value({ topic: 'recovery', case: 'M events/s replayed', system: 'daybook' }),
  },
  {
    what: 'recovery: seconds for 1 M entries from a snapshot',
    most: 1,
    of: ({ value }) => value({ topic: 'recovery', case: 'from a snapshot, inside openCache', system: 'daybook' }),
    scale: 1e-3,
  },
  {
    what: 'recovery from the journal: time of Redis loading its AOF ÷ ours (whole processes)',
    least: 2,
    of: ({ ratio }) => ratio({ topic: 'recovery', case: 'from the journal, whole process', system: 'Redis' }),
  },
  {
    what: 'recovery from a snapshot: time of Redis loading its rewritten AOF ÷ ours (whole processes)',
    least: 2,
    of: ({ ratio }) => ratio({ topic: 'recovery', case: 'from a snapshot, whole process', system: 'Redis' }),
  },
  ...[
    ['compaction', 'compaction at 1 M entries'],
    ['cleanup', 'expiry of 1 M entries'],
  ].flatMap(([name, what]) => [
    {
      what: `${what}: p99.9 of a call during it ÷ steady state`,
      most: 5,
      of: ({ value }) => {
        const during = value({ topic: 'stalls', case: `${name}: p99.9 of a call`, system: 'during' })
        const before = value({ topic: 'stalls', case: `${name}: p99.9 of a call`, system: 'before' })
        return during === undefined ? undefined : during / before
      },
    },
    {
      what: `${what}: longest stall of the event loop, ms`,
      most: 10,
      of: ({ value }) => value({ topic: 'stalls', case: `${name}: longest stall`, system: 'during' }),
    },
  ]),
  {
    what: 'memory per small entry: bytes ÷ those of lru-cache',
    most: 1.3,
    of: ({ value }) => {
      const about = { topic: 'memory', kind: 'small int', keys: 1_000_000, unit: 'bytes/entry' }
      const peer = value({ ...about, ...LRU })
      const own = value({ ...about, system: 'daybook' })
      return own === undefined || peer === undefined ? undefined : own / peer
    },
  },
  {
    what: '10 threads, one counter, pipelined: rate ÷ that of Redis through ioredis (its better way)',
    least: 5,
    of: ({ ratios }) =>
      lowest(
        ratios({ topic: 'threads', case: '10 workers, 1000 increments in flight each' }, [
          'ioredis pipeline()',
          'ioredis auto-pipelining',
        ]),
      ),
  },
  {
    what: 'threads, awaited one by one: rate ÷ that of Redis through ioredis',
    least: 2,
    of: ({ ratio }) => ratio({ topic: 'threads', case: '1 worker, each call awaited', system: 'ioredis' }),
  },
  ...['get', 'set'].map((call) => ({
    what: `growth from 10 k to 5 M entries, ${call}: cost per call, ours ÷ lru-cache's own`,
    most: 2,
    of: ({ value }) => {
      const cost = (system, keys) => value({ topic: 'growth', case: call, system, keys })
      const growth = (system) => cost(system, 5_000_000) / cost(system, 10_000)
      const figure = growth('daybook') / growth('lru-cache')
      return Number.isNaN(figure) ? undefined : figure
    },
  })),
]

const lowest = (figures) => (figures.length === 0 ? undefined : Math.min(...figures))

/** @returns {{ what: string, budget: string, measured: number | undefined, isMet: boolean | undefined }[]} */
export function judge(rows) {
  const figures = figuresOf(rows)
  return BUDGET.map(({ what, least, most, of, scale = 1 }) => {
    const figure = of(figures)
    const measured = figure === undefined ? undefined : figure * scale
    return {
      what,
      budget: least === undefined ? `≤ ${most}` : `≥ ${least}`,
      measured,
      isMet: measured === undefined ? undefined : least === undefined ? measured <= most : measured >= least,
    }
  })
}
