/**
 * Compares daybook with other caches and stores, in one run:
 *
 *   npm run bench                          everything; writes bench/results.json and publishes it
 *   npm run bench -- --quick               only the budget beside lru-cache and a bare Map; needs no other peers
 *   npm run bench -- --only set,get        some topics
 *   npm run bench -- --rounds 31           more rounds, less spread
 *   npm run bench -- --directory /mnt/x    on another disk, which decides what durability costs
 *   npm run bench -- --results run.json    writes the figures there, and publishes nothing
 *   npm run bench -- --smoke               a thousandth of everything, to see that each row runs; its figures mean nothing
 *
 * It ends with 1 if a case failed, never because a goal is not met: see bench/README.md.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { TOPICS } from './contests/topics.mjs'
import { judge } from './harness/budget.mjs'
import { describeMachine } from './harness/machine.mjs'
import { publish } from './harness/publish.mjs'
import { asText, budgetTable, failuresOf, tableOf } from './harness/report.mjs'
import { RESULTS, readResults, writeResults } from './harness/results.mjs'
import { runCase } from './harness/run-case.mjs'
import { beSmoke } from './harness/smoke.mjs'
import { openWorkspace } from './harness/workspace.mjs'

const { values: options } = parseArgs({
  options: {
    smoke: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string' },
    directory: { type: 'string' },
    results: { type: 'string' },
  },
})
/** A quick run on a busy machine leaves out its last cases rather than take longer. */
const QUICK_SECONDS_MOST = 75
const isQuick = options.quick
/** Figures that mean nothing need no machine to themselves. */
const CASES_AT_ONCE = options.smoke ? 2 : 1
const rounds = Number(options.rounds ?? (options.smoke ? 1 : 5))
if (options.smoke) beSmoke()
const wanted = options.only?.split(',')
const unknown = wanted?.filter((name) => !TOPICS.some((topic) => topic.name === name)) ?? []
if (unknown.length > 0 || !(rounds >= 1)) {
  console.error(`--only takes ${TOPICS.map(({ name }) => name).join(',')}; --rounds takes a number of at least 1`)
  process.exit(2)
}

if (!isQuick) installPeers()
const directory = openWorkspace(options.directory)
const machine = describeMachine(directory)
const startMs = Date.now()
const seconds = () => Math.round((Date.now() - startMs) / 1000)
const isPublished = !isQuick && !options.smoke && wanted === undefined && options.results === undefined
const path = isPublished ? RESULTS : options.results
const rows = []
const runSoFar = () => ({ machine, rounds, seconds: seconds(), rows })
let leftOut = 0
for (const topic of TOPICS) {
  if (wanted !== undefined && !wanted.includes(topic.name)) continue
  const cases = [...topic.cases({ isQuick })]
  while (cases.length > 0) {
    if (isQuick && seconds() >= QUICK_SECONDS_MOST) {
      leftOut += cases.length
      break
    }
    const ran = cases.splice(0, CASES_AT_ONCE).map((params) => {
      process.stderr.write(`${String(seconds()).padStart(4)} s ${topic.name} ${JSON.stringify(params)}\n`)
      return runCase(topic, params, { rounds, isQuick, directory })
    })
    rows.push(...(await Promise.all(ran)).flat())
  }
  if (path !== undefined) writeResults(path, runSoFar()) // now, so that a run that is cut short leaves what it has measured
}

const run = runSoFar()
console.log(
  `node ${machine.node}, ${machine.processor}, ${machine.system}; load average ${machine.load} at the start; `,
)
console.log(`${rounds} rounds, ${run.seconds} s\n`)
console.log(`${asText(tableOf(rows))}\n`)
const judged = judge(rows)
console.log(
  asText(budgetTable(wanted === undefined ? judged : judged.filter(({ measured }) => measured !== undefined))),
)
if (leftOut > 0)
  console.log(`\nThe machine was too slow: ${leftOut} cases are left out, and their goals are not measured.`)
if (options.smoke) console.log('\nA smoke run: these figures mean nothing.')
if (isPublished) publish(readResults(path)) // from the file, whose figures have fewer digits

const failures = failuresOf(rows, { isQuick })
for (const failure of failures) console.error(`failed: ${failure}`)
process.exitCode = failures.length > 0 || rows.length === 0 ? 1 : 0

function installPeers() {
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url)))
  const isThere = (name) => existsSync(new URL(`./node_modules/${name}`, import.meta.url))
  if (Object.keys({ ...dependencies, ...optionalDependencies }).every(isThere)) return
  console.error('installing the peers (npm ci in bench/); some are compiled, which takes minutes')
  const { status } = spawnSync('npm', ['ci'], { cwd: new URL('.', import.meta.url), stdio: ['ignore', 2, 2] })
  if (status !== 0) console.error('some peers could not be installed; the table says which are left out')
}
