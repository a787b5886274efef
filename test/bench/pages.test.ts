/** From the figures of a run to the pages that show them. */
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const RESULTS = join(ROOT, 'bench/results.json')
const WRITTEN_BY_HAND = ['README.md', 'docs/performance.md']
const part = (path: string) => import(join(ROOT, 'bench', path))

const get = { topic: 'get', case: 'get, hit', keys: 10_000, kind: 'small int', unit: 'ns/call' }
const RUN = {
  machine: { date: '2026-01-02', node: 'v20.0.0', processor: '2 × X', versions: { daybook: '1.2.3' } },
  rounds: 7,
  seconds: 8,
  rows: [
    { ...get, system: 'daybook', value: 51.23456789, low: 50, high: 52 },
    { ...get, system: 'lru-cache', value: 49, low: 48, high: 50, ratio: 0.954 },
    { ...get, system: 'lmdb', absent: 'it did not build' },
    {
      topic: 'memory',
      case: 'memory per entry',
      kind: '40-byte text',
      system: 'daybook',
      value: 173,
      unit: 'bytes/entry',
    },
  ],
}

test('figures come back from their file with five digits, one row a line', async (t) => {
  const { readResults, writeResults } = await part('harness/results.mjs')
  const path = join(temporaryDirectory(t), 'results.json')
  writeResults(path, RUN)
  const { rows, ...about } = readResults(path)
  t.deepEqual(about, { machine: RUN.machine, rounds: 7, seconds: 8 })
  t.deepEqual(rows, [{ ...RUN.rows[0], value: 51.235 }, ...RUN.rows.slice(1)])
  t.is(readFileSync(path, 'utf8').split('\n').length, RUN.rows.length + 3)
})

test('a run is published in README and docs: each figure with its ratio, each goal with its figure', async (t) => {
  const root = copyOfPages(t)
  const { publish } = await part('harness/publish.mjs')
  publish(RUN, root)
  const page = (path: string) => readFileSync(join(root, path), 'utf8')
  t.regex(page('README.md'), /\| `get`, whole number \| 51\.2 \(0\.95\) \| – \| – \|/)
  t.regex(page('README.md'), /\| 40-byte text, all different \| 173 \| – \|/)
  t.regex(page('README.md'), /Goals met: 1; not met: 0/)
  const goal = /\| get, hit, small int, 10 k keys ÷ lru-cache \| ≥ 0\.93 \| 0\.95 \| met \|/
  t.regex(page('docs/performance.md'), goal)
  t.regex(page('docs/benchmarks.md'), goal)
  t.regex(page('docs/benchmarks-calls.svg'), /get, whole number: daybook 51\.2 ns, lru-cache 49\.0 ns/)
  t.regex(page('docs/benchmarks.md'), /lmdb \| left out: it did not build/)
  for (const path of WRITTEN_BY_HAND)
    t.is(withoutGenerated(page(path)), withoutGenerated(readFileSync(join(ROOT, path), 'utf8')), path)

  const once = WRITTEN_BY_HAND.map(page)
  publish(RUN, root)
  t.deepEqual(WRITTEN_BY_HAND.map(page), once)
})

test('a page without the place for its figures, or with a place that nothing fills, is refused', async (t) => {
  const { publish } = await part('harness/publish.mjs')
  const root = copyOfPages(t)
  const path = join(root, 'docs/performance.md')
  const page = readFileSync(path, 'utf8')
  writeFileSync(path, page.replaceAll('bench: stalls', 'bench: stills'))
  t.throws(() => publish(RUN, root), { message: /nothing writes: stills/ })
  writeFileSync(path, page.replace('<!-- end of bench: stalls -->', ''))
  t.throws(() => publish(RUN, root), { message: /needs '<!-- bench: stalls -->'/ })
  writeFileSync(path, `${page}<!-- bench: stalls --><!-- end of bench: stalls -->`)
  t.throws(() => publish(RUN, root), { message: /once each/ })
})

const published = existsSync(RESULTS) ? test : test.skip
published('README and docs show the figures of bench/results.json and no others', async (t) => {
  const { publish } = await part('harness/publish.mjs')
  const { readResults } = await part('harness/results.mjs')
  const root = copyOfPages(t)
  publish(readResults(RESULTS), root)
  for (const path of [...WRITTEN_BY_HAND, 'docs/benchmarks.md', 'docs/benchmarks.svg', 'docs/benchmarks-calls.svg'])
    t.is(readFileSync(join(root, path), 'utf8'), readFileSync(join(ROOT, path), 'utf8'), path)
})

function copyOfPages(t: ExecutionContext) {
  const root = temporaryDirectory(t)
  mkdirSync(join(root, 'docs'))
  for (const path of WRITTEN_BY_HAND) cpSync(join(ROOT, path), join(root, path))
  return root
}

const withoutGenerated = (page: string) =>
  page.replace(/(<!-- bench: (.+?) -->).*?(<!-- end of bench: \2 -->)/gs, '$1$3')
