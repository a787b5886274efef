/** Writes docs/benchmarks.md and the plot beside it. */
import { writeFileSync } from 'node:fs'
import { TOPICS } from '../contests/topics.mjs'
import { plot } from './plot.mjs'
import { asMarkdown, budgetTable, shown, tableOf } from './report.mjs'

const DOCS = new URL('../../docs/', import.meta.url)

export function writeDocs(run) {
  const svg = plot(run.rows)
  if (svg !== undefined) writeFileSync(new URL('benchmarks.svg', DOCS), svg)
  writeFileSync(new URL('benchmarks.md', DOCS), markdown(run))
}

function markdown({ machine, rounds, seconds, rows, judged }) {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`)
  return `# Benchmarks

Written by \`npm run bench\`; don't edit. ${machine.date}, node ${machine.node}, ${machine.processor}, ${machine.memory},
${machine.system}; load average ${machine.load} at the start; ${rounds} rounds, ${seconds} s in all.
${versions.join(', ')}.
${missingNote(rows)}
![Calls per second and bytes lost at a SIGKILL, per system](benchmarks.svg)

## The budget

${asMarkdown(budgetTable(judged))}

## Everything measured

"daybook is" says how many times better than this system daybook is (the median of the ratios within the rounds); below 1 it
is worse. Read the ratios before the nanoseconds: they are what another machine will show, too.

${asMarkdown(tableOf(rows))}

${NOTES}
${syncNote(rows)}
## How to repeat it

\`\`\`sh
npm ci && npm run bench               # everything; installs the peers into bench/ first. Redis: apt-get install redis-server; strace likewise
npm run bench -- --only set,get       # some topics; writes nothing
npm run bench -- --rounds 31          # more rounds
npm run bench -- --directory /mnt/x   # on another disk: durable calls cost what it costs
npm run bench -- --quick              # beside lru-cache and the budget, in under two minutes
\`\`\`
`
}

const NOTES = `## How it is measured

- **Interleaved**: all contenders of a case run in one process, each once a round, beginning with another one in each round. The
  figures are medians over the rounds, the spread is the middle half. Each case has a process of its own.
- **The same for all**: keys as \`user:123456\`; the strings that ask are other objects than those that were stored. No two texts,
  objects or byte arrays are alike, and a key gets another value in each round.
- **No shared loop**: the loop around a call is compiled for each contender, with the call in its source. In a loop that all
  share, the call site is megamorphic, and that is what would be measured.
- **Garbage**: what is young is collected before each contender's turn, outside of the time; what a round makes and has to collect
  counts. A full collection there was tried, and misleads: after it V8 ran lru-cache's \`set\` at half its speed in every third round.
- **The journal is on** (\`everysec\`, but for "durable"), and each round ends with the event-loop turn in which it is written. Compaction has
  rows of its own, and is off in the others; so is Redis's rewriting.
- **As each documents to be fast**: lru-cache with \`max\` alone; node-cache without clones, but where copies are compared; lmdb with
  batched \`put\`s, a round ending when they are committed; better-sqlite3 with a prepared statement in WAL mode; classic-level with 1000
  calls in flight; Redis awaited call by call, and with 1000 in flight and auto-pipelining. In "durable" everybody's answer means
  "on disk": lmdb's \`flushed\`, LevelDB's \`sync\`, SQLite's \`synchronous = FULL\`, Redis's \`appendfsync always\`.
- **Equal turns**: the systems that write what a turn of the event loop brings together, daybook and lmdb, get equally many calls in one
  (100 000, or 20 000 objects, or 5 000 byte arrays); with fewer lmdb takes several times as long per call. The others get as many as
  take 60 ms.
- **Stalls**: a client makes 100 calls in each turn of the event loop; a stall is how long it waits for its next turn. The spread of
  these rows is from the least to the most.
- **SIGKILL**: the process is killed while it sets new entries, 100 in a turn (Redis is killed in the same moment as its client); lost is
  what was answered and didn't come back. What \`flush()\` of daybook acknowledged is not part of it: no test has seen that lost.
`

function missingNote(rows) {
  const missing = TOPICS.filter(({ name }) => !rows.some(({ topic }) => topic === name)).map(({ title }) => title)
  return missing.length === 0 ? '' : `**Not part of this run:** ${missing.join(', ')}.\n`
}

/** Said out loud, because a benchmark of durable writes that doesn't sync is the commonest mistake. */
function syncNote(rows) {
  const full = rows.find(({ topic, system }) => topic === 'syncs' && system === 'better-sqlite3 WAL FULL')
  if (full?.value === undefined) return ''
  return `- **Synced**: counted with strace, SQLite with \`synchronous = FULL\` makes ${shown(full.value)} syncs per commit; all others are in the table.\n`
}
