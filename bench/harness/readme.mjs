/** The figures in README.md: what a call costs and what an entry takes, by kind of value. Every figure is from one run. */
import { BIGINTS, CALLS, CLONING, DATES, INT, LRU, pairOf, SIZES, TEXT } from './calls.mjs'
import { JSON_LIKE } from './objects.mjs'
import { asMarkdown, shown } from './report.mjs'
import { figuresOf } from './rows.mjs'

const ENTRIES = [
  ['whole number', INT, 'daybook', LRU],
  ['40-byte text, all different', TEXT, 'daybook', LRU],
  ['300-byte object', JSON_LIKE, 'daybook copy', CLONING],
  ['… that was read twice', JSON_LIKE, 'daybook copy', CLONING, ', read twice'],
  ['… with Dates', DATES, 'daybook copy', CLONING],
  ['… with bigint and NaN', BIGINTS, 'daybook copy', CLONING],
]

const STORES = [
  ['lmdb', 'lmdb'],
  ['better-sqlite3 WAL NORMAL', 'better-sqlite3 (WAL, `NORMAL`)'],
  ['classic-level', 'classic-level'],
  ['Redis everysec, awaited', 'Redis, awaited'],
]

export function readmePart({ machine, rounds, rows }, judged) {
  const figures = figuresOf(rows)
  const met = judged.filter(({ isMet }) => isMet === true).length
  const missed = judged.filter(({ isMet }) => isMet === false).length
  return `${machine.date}, node ${machine.node}, ${machine.processor}; medians of ${rounds} rounds or more; the journal is on (\`everysec\`). In brackets our rate
÷ that of lru-cache, which keeps nothing on disk; for objects as copies ÷ that of lru-cache with \`structuredClone()\`.

${callsTable(figures)}

![Nanoseconds per call, by kind of value, daybook and lru-cache](docs/benchmarks-calls.svg)

${entriesTable(figures)}

${stores(figures)}Goals met: ${met}; not met: ${missed} ([docs/performance.md](docs/performance.md)).`
}

function callsTable(figures) {
  const cell = (call, keys) => {
    const pair = pairOf(figures, call, keys)
    return pair === undefined ? '–' : `${shown(pair.own.value)} (${shown(pair.theirs.ratio)})`
  }
  return asMarkdown({
    head: ['nanoseconds per call', '10 k keys', '100 k keys', '1 M keys'],
    cells: CALLS.map((call) => [call.what, ...SIZES.map((keys) => cell(call, keys))]),
  })
}

function entriesTable({ find, value }) {
  const cell = (figure) => (figure === undefined ? '–' : shown(figure))
  return asMarkdown({
    head: ['bytes per entry', 'in memory', 'lru-cache (objects: with clones)', 'in the journal', 'recovery, s per 1 M'],
    cells: ENTRIES.map(([what, kind, ours, peer, how = '']) => {
      const memory = { topic: 'memory', case: 'memory per entry', kind }
      const recovery = find({ topic: 'recovery', case: 'from a snapshot, inside', kind, system: 'daybook' })
      return [
        what,
        cell(value({ ...memory, case: `${memory.case}${how}`, system: ours })),
        cell(value({ ...memory, system: peer })),
        cell(value({ topic: 'bytes', case: 'journal bytes per set, 1000 in a turn', kind, system: 'daybook' })),
        cell(recovery && (recovery.value * 1e3) / recovery.keys),
      ]
    }),
  })
}

function stores({ ratio }) {
  const about = { topic: 'set', case: 'set, overwriting', kind: TEXT, keys: 10_000 }
  const found = STORES.flatMap(([system, name]) => {
    const times = ratio({ ...about, system })
    return times === undefined ? [] : [`${shown(times)} × ${name}`]
  })
  return found.length === 0
    ? ''
    : `The rate of \`set\` of a 40-byte text beside stores on disk: ${found.join(', ')}.\n\n`
}
