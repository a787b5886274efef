/** The figures in README.md: what a call costs and what an entry takes, by kind of value. Every figure is from one run. */
import { JSON_LIKE } from './objects.mjs'
import { asMarkdown, shown } from './report.mjs'
import { figuresOf } from './rows.mjs'
import { SHARED_TEXT } from './workload.mjs'

const SIZES = [10_000, 100_000, 1_000_000]
const INT = 'small int'
const TEXT = '40-byte text'
const LRU = 'lru-cache'
const CLONING = 'lru-cache + structuredClone'
const DATES = 'object with Date'
const BIGINTS = 'object with bigint, NaN'

const get = (kind, name = 'get, hit') => ({ topic: 'get', case: name, kind })
const set = (kind, name = 'set, overwriting') => ({ topic: 'set', case: name, kind })
const object = (name, kind = JSON_LIKE) => ({ topic: 'objects', case: name, kind })

/** What it says; which rows; the peer; ours. */
const CALLS = [
  ['`get`, whole number', get(INT), LRU],
  ['`get`, whole number, a new key string per call', get(INT, 'get, hit, new key strings'), LRU],
  ['`get`, 40-byte text', get(TEXT), LRU],
  ['`get`, a key that is not there', get(INT, 'get, miss'), LRU],
  ["`get`, 300-byte object, `'copy'`", object('get, as copies'), CLONING, 'daybook copy'],
  ['… with Dates', object('get, as copies', DATES), CLONING, 'daybook copy'],
  ['… with bigint and NaN', object('get, as copies', BIGINTS), CLONING, 'daybook copy'],
  ["`get`, 300-byte object, `'freeze'`", object('get, frozen'), LRU, 'daybook freeze'],
  ["`get`, 300-byte object, `'share'`", object('get, by reference'), LRU, 'daybook share'],
  ['`set`, whole number', set(INT), LRU],
  ['`set`, whole number, a new key string per call', set(INT, 'set, overwriting, new key strings'), LRU],
  ['`set`, 40-byte text, all different', set(TEXT), LRU],
  ['`set`, 40-byte text, always the same string', set(SHARED_TEXT), LRU],
  ['`set` with a ttl, whole number', set(INT, 'set with ttl, overwriting'), LRU],
  ['`set` that evicts, whole number', set(INT, 'set, evicting'), LRU],
  ["`set`, 300-byte object, `'copy'`", object('set, as copies'), CLONING, 'daybook copy'],
  ["`set`, 300-byte object, `'freeze'`", object('set, frozen'), LRU, 'daybook freeze'],
  ["`set`, 300-byte object, `'share'`", object('set, by reference'), LRU, 'daybook share'],
]

const ENTRIES = [
  ['whole number', INT, 'daybook', LRU],
  ['40-byte text, all different', TEXT, 'daybook', LRU],
  ['300-byte object', JSON_LIKE, 'daybook copy', CLONING],
  ['… with Dates', DATES, 'daybook copy', CLONING],
  ['… with bigint and NaN', BIGINTS, 'daybook copy', CLONING],
]

const BESIDE = [
  ['lmdb', 'lmdb'],
  ['better-sqlite3 WAL NORMAL', 'better-sqlite3 (WAL, `NORMAL`)'],
  ['classic-level', 'classic-level'],
  ['Redis everysec, awaited', 'Redis, awaited'],
]

export function readmePart({ machine, rounds, rows }, judged) {
  const figures = figuresOf(rows)
  const isMet = judged.filter((one) => one.isMet === true).length
  const isMissed = judged.filter((one) => one.isMet === false).length
  return `${machine.date}, node ${machine.node}, ${machine.processor}, medians of ${rounds} rounds or more, journal on (\`everysec\`). In brackets: our
rate ÷ that of lru-cache, which keeps nothing on disk; for objects as copies, ÷ that of lru-cache with \`structuredClone()\`.

${callsTable(figures)}

${entriesTable(figures)}

${stores(figures)}Of the ${isMet + isMissed} goals that this run measured, ${isMet} are met and ${isMissed} are not: [docs/performance.md](docs/performance.md).`
}

function callsTable({ find }) {
  const cell = (wanted, peer, ours, keys) => {
    const own = find({ ...wanted, system: ours, keys })
    const theirs = find({ ...wanted, system: peer, keys })
    return own === undefined || theirs === undefined ? '–' : `${shown(own.value)} (${shown(theirs.ratio)})`
  }
  return asMarkdown({
    head: ['nanoseconds per call', ...SIZES.map((keys) => `${keys / 1_000} k keys`.replace('1000 k', '1 M'))],
    cells: CALLS.map(([what, wanted, peer, ours = 'daybook']) => [
      what,
      ...SIZES.map((keys) => cell(wanted, peer, ours, keys)),
    ]),
  })
}

function entriesTable({ find, value }) {
  const cell = (figure) => (figure === undefined ? '–' : shown(figure))
  return asMarkdown({
    head: ['bytes per entry', 'in memory', 'lru-cache (objects: with clones)', 'in the journal', 'recovery, s per 1 M'],
    cells: ENTRIES.map(([what, kind, ours, peer]) => {
      const memory = { topic: 'memory', case: 'memory per entry', kind }
      const recovery = find({ topic: 'recovery', case: 'from a snapshot, inside', kind, system: 'daybook' })
      return [
        what,
        cell(value({ ...memory, system: ours })),
        cell(value({ ...memory, system: peer })),
        cell(value({ topic: 'bytes', case: 'journal bytes per set, 1000 in a turn', kind, system: 'daybook' })),
        cell(recovery && (recovery.value * 1e3) / recovery.keys),
      ]
    }),
  })
}

function stores({ ratio }) {
  const found = BESIDE.flatMap(([system, name]) => {
    const times = ratio({ ...set(TEXT), keys: 10_000, system })
    return times === undefined ? [] : [`${shown(times)} × ${name}`]
  })
  return found.length === 0 ? '' : `\`set\` of a 40-byte text beside stores on disk: ${found.join(', ')}.\n\n`
}
