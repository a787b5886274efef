/** The table of hit ratios in docs/eviction.md is the one that the bench prints. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const part = (path: string) => import(`${ROOT}bench/${path}`)

test('the page has a row for each trace at each size, and those of two traces are measured again', async (t) => {
  const page = readFileSync(`${ROOT}docs/eviction.md`, 'utf8')
  const { TRACES } = await part('hit-ratio/traces.mjs')
  const { hitRatios } = await part('hit-ratio/replay.mjs')
  for (const { name } of TRACES) t.is(page.split(`| ${name} |`).length, 3, name)
  for (const trace of TRACES.filter(({ name }: { name: string }) => /^(Zipf 1.0|loop)/.test(name)).slice(0, 2))
    for (const row of hitRatios(trace)) t.true(page.includes(`${row}\n`), row)
})
