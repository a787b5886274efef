/**
 * Compares daybook with other caches and stores, in one run:
 *
 *   npm run bench                        everything (about 20 minutes); writes docs/benchmarks.md and docs/benchmarks.svg
 *   npm run bench -- --quick             only lru-cache, a bare Map and the budget, in under three minutes; needs no peers
 *   npm run bench -- --only set,get      some topics; writes nothing
 *   npm run bench -- --rounds 31         more rounds, less spread
 *   npm run bench -- --directory /mnt/x  on another disk, which decides what durability costs
 *   npm run bench -- --smoke             a thousandth of everything, to see that each row runs; its figures mean nothing
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { TOPICS } from './contests/topics.mjs'
import { judge } from './harness/budget.mjs'
import { writeDocs } from './harness/docs.mjs'
import { describeMachine } from './harness/machine.mjs'
import { asText, budgetTable, tableOf } from './harness/report.mjs'
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
    write: { type: 'boolean' },
    json: { type: 'boolean', default: false },
  },
  allowNegative: true,
})
const isQuick = options.quick
const rounds = Number(options.rounds ?? (options.smoke ? 1 : isQuick ? 5 : 15))
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
const rows = []
for (const topic of TOPICS) {
  if (wanted !== undefined && !wanted.includes(topic.name)) continue
  for (const params of topic.cases({ isQuick })) {
    process.stderr.write(`${seconds()} ${topic.name} ${JSON.stringify(params)}\n`)
    rows.push(...(await runCase(topic, params, { rounds, isQuick, directory })))
  }
}

const run = { machine, rounds, seconds: Math.round((Date.now() - startMs) / 1000), rows, judged: judge(rows) }
if (options.json) console.log(JSON.stringify(run, null, 1))
else {
  console.log(`node ${machine.node}, ${machine.processor}, ${machine.system}; ${rounds} rounds, ${run.seconds} s\n`)
  console.log(`${asText(tableOf(rows))}\n`)
  const judged = wanted === undefined ? run.judged : run.judged.filter((one) => one.measured !== undefined)
  console.log(asText(budgetTable(judged)))
  if (options.smoke) console.log('\nA smoke run: these figures mean nothing.')
}
if (options.write ?? (!isQuick && !options.smoke && wanted === undefined)) writeDocs(run)

function installPeers() {
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url)))
  const isThere = (name) => existsSync(new URL(`./node_modules/${name}`, import.meta.url))
  if (Object.keys({ ...dependencies, ...optionalDependencies }).every(isThere)) return
  console.error('installing the peers (npm ci in bench/); some are compiled, which takes minutes')
  const { status } = spawnSync('npm', ['ci'], { cwd: new URL('.', import.meta.url), stdio: ['ignore', 2, 2] })
  if (status !== 0) console.error('some peers could not be installed; the table says which are left out')
}

function seconds() {
  return `${String(Math.round((Date.now() - startMs) / 1000)).padStart(4)} s`
}
