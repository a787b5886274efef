/** From the figures of a run to what README.md and docs/ show of them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { partsOf, putBetween } from './between.mjs'
import { BUDGET_PARTS, judge } from './budget.mjs'
import { callsPlot } from './calls-plot.mjs'
import { benchmarksPage } from './docs.mjs'
import { plot } from './plot.mjs'
import { readmePart } from './readme.mjs'
import { asMarkdown, budgetTable } from './report.mjs'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** @param root The repository, or a copy of its pages. */
export function publish(run, root = ROOT) {
  const { rows } = run
  const judged = judge(rows)
  for (const [path, svg] of Object.entries({ 'benchmarks.svg': plot(rows), 'benchmarks-calls.svg': callsPlot(rows) }))
    if (svg !== undefined) writeFileSync(join(root, 'docs', path), svg)
  writeFileSync(join(root, 'docs/benchmarks.md'), benchmarksPage(run, judged))
  change(join(root, 'README.md'), { costs: () => readmePart(run, judged) })
  change(
    join(root, 'docs/performance.md'),
    Object.fromEntries(
      BUDGET_PARTS.map((part) => [part, () => asMarkdown(budgetTable(judged.filter((one) => one.part === part)))]),
    ),
  )
}

function change(path, contents) {
  let page = readFileSync(path, 'utf8')
  const strange = partsOf(page).filter((name) => contents[name] === undefined)
  if (strange.length > 0) throw new Error(`${path} has generated parts that nothing writes: ${strange.join(', ')}`)
  for (const [name, content] of Object.entries(contents)) page = putBetween(page, name, content())
  writeFileSync(path, page)
}
