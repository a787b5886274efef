/** The page docs/benchmarks.md. */
import { TOPICS } from '../contests/topics.mjs'
import { asMarkdown, budgetTable, shown, tableOf } from './report.mjs'

export function benchmarksPage({ machine, rounds, seconds, rows }, judged) {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`)
  return `# Benchmarks

Written by \`npm run bench\`; don't edit. ${machine.date}, node ${machine.node}, ${machine.processor}, ${machine.memory},
${machine.system}; load average ${machine.load} at the start; ${rounds} rounds, ${seconds} s in all.
${versions.join(', ')}.
${missingNote(rows)}
![Nanoseconds per call, by kind of value, daybook and lru-cache](benchmarks-calls.svg)

![Calls per second and bytes lost at a SIGKILL, per system](benchmarks.svg)

## The budget

${asMarkdown(budgetTable(judged))}

## Everything measured

"daybook is" shows how many times better daybook is than this system (the median of the ratios within the rounds); below 1 it
is worse. The ratios matter more than the nanoseconds: they are similar on other machines.

${asMarkdown(tableOf(rows))}

${NOTES}
${syncNote(rows)}
## How to repeat it

\`\`\`sh
npm ci && npm run bench               # everything, and writes this page again
npm run bench -- --only set,get       # some topics; publishes nothing
npm run bench -- --quick              # the budget beside lru-cache and a bare Map only
\`\`\`

More, and how to read it: [bench/README.md](../bench/README.md).
`
}

const NOTES = `## How it is measured

- **Interleaved**: all contenders of a case run in one process, each once per round, and each round begins with a different one.
  The figures are medians over the rounds; the spread is the middle half. Each case has its own process.
- **The same workload**: keys like \`user:123456\`; the strings used for reading are not the same objects as those that were stored.
  No two texts, objects or byte arrays are equal (except in "40-byte text, shared", which is one string), and a key gets a different
  value in each round. With "new key strings" each call makes its own: \`'user:' + id\`, which is part of its time.
- **Objects**: rows of a table in one or several shapes (lists of keys), also with \`undefined\`, \`Date\`, or \`bigint\` and NaN in them, and
  50 in an array. "As copies": neither side sees the other's changes, for daybook by \`isolation: 'copy'\`, for lru-cache by
  \`structuredClone()\`, for node-cache by \`useClones\`. "Frozen" and "by reference" (\`'freeze'\`, \`'share'\`) are beside caches that keep a
  reference. Each entry is read twice before the first round, because the first reads of an object decode it; in "set and get" each object
  is read for the first time.
- **No shared loop**: the loop around a call is compiled for each contender, with the call in its source. In a shared loop the
  call site would be polymorphic, and that would be measured: lru-cache's calls would no longer be inlined. Neither
  daybook nor lru-cache is in a case twice, except daybook in "streams".
- **Garbage**: young garbage is collected before each contender's turn, outside the measured time; what a round creates and collects
  counts. A full collection was tried there and is misleading: after it, V8 ran lru-cache's \`set\` at half speed in every third round.
- **The journal is on** (\`everysec\`, except in "durable"), and each round ends with the event-loop turn in which it is written.
  Compaction has its own rows and is off in the others, as is Redis's rewriting.
- **Each as its documentation recommends for speed**: lru-cache with only \`max\`; node-cache without clones, except where copies are
  compared; lmdb with batched \`put\`s, a round ending when they are committed; better-sqlite3 with a prepared statement in WAL
  mode; classic-level with 1000 calls in flight; Redis awaited call by call, and with 1000 in flight and auto-pipelining. In
  "durable" an acknowledged call is on disk for all: lmdb's \`flushed\`, LevelDB's \`sync\`, SQLite's \`synchronous = FULL\`, Redis's
  \`appendfsync always\`.
- **Equal turns**: daybook and lmdb, which write the calls of an event-loop turn together, get the same number of calls per turn
  (100 000, or 20 000 objects, or 5 000 byte arrays); with fewer, lmdb takes several times as long per call. The others get as many
  calls as take 60 ms.
- **Recovery** is beside a bare Map that another process fills with the same keys and values, from a file that holds nothing else.
- **Stalls**: a client makes 100 calls in each turn of the event loop; a stall is how long it waits for its next turn. The
  bare Map grows and shrinks alike in the same run; "idle" is what the machine does to a client when nothing works beside it. The
  spread of these rows is from the minimum to the maximum.
- **SIGKILL**: the process is killed while it sets new entries, 100 per turn (Redis together with its client); entries are lost if
  their calls were completed but they are missing afterwards. What daybook's \`flush()\` acknowledged is not part of this: no test
  has ever lost any of it.
`

function missingNote(rows) {
  const missing = TOPICS.filter(({ name }) => !rows.some(({ topic }) => topic === name)).map(({ title }) => title)
  return missing.length === 0 ? '' : `**Not part of this run:** ${missing.join(', ')}.\n`
}

/** Explicit, because the most common mistake in benchmarks of durable writes is that nothing is synced. */
function syncNote(rows) {
  const full = rows.find(({ topic, system }) => topic === 'syncs' && system === 'better-sqlite3 WAL FULL')
  if (full?.value === undefined) return ''
  return `- **Synced**: counted with strace, SQLite with \`synchronous = FULL\` makes ${shown(full.value)} syncs per commit; all others are in the table.\n`
}
