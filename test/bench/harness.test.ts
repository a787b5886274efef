/** The parts of the benchmarks. Nothing is timed here. */
import { serialize } from 'node:v8'
import test from 'ava'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const part = (path: string) => import(new URL(`../../../bench/${path}`, import.meta.url).href)

test('a loop calls with each key and value once, in order, from the given index', async (t) => {
  const { compileLoop } = await part('harness/loop.mjs')
  const seen: unknown[] = []
  const scope = { see: (key: string, value: number) => seen.push([key, value]) }
  const loop = compileLoop('see(key, value)', scope)
  t.is(loop(['a', 'b', 'c', 'd'], [1, 2, 3, 4], 1, 2, 1), 2)
  t.deepEqual(seen, [
    ['b', 2],
    ['c', 3],
  ])
})

test('a loop of concurrent calls awaits all of them', async (t) => {
  const { compileLoop } = await part('harness/loop.mjs')
  let open = 0
  let most = 0
  const call = async () => {
    most = Math.max(most, ++open)
    await new Promise((resolve) => setImmediate(resolve))
    open--
  }
  await compileLoop('call()', { call }, 3)(['a', 'b', 'c', 'd', 'e'], [], 0, 5)
  t.is(open, 0)
  t.is(most, 3)
})

test('two loops with the same call have different sources', async (t) => {
  const { loopSource } = await part('harness/loop.mjs')
  t.not(loopSource('cache.get(key)', 'sync'), loopSource('cache.get(key)', 'sync'))
})

test('accesses have the given ratio of hits, and by Zipf mostly the same few keys', async (t) => {
  const { accesses } = await part('harness/workload.mjs')
  const number = (key: string) => Number(key.slice('user:'.length))
  const hits = accesses(10_000, 1_000, { hits: 0.8 }).filter((key: string) => number(key) < 1_000).length
  t.true(hits > 7_500 && hits < 8_500, `${hits}`)
  const counts = new Map<string, number>()
  for (const key of accesses(10_000, 1_000, { access: 'zipf' })) counts.set(key, (counts.get(key) ?? 0) + 1)
  const tenth = [...counts.values()].sort((a, b) => b - a).slice(0, 100)
  t.true(tenth.reduce((sum, count) => sum + count, 0) > 6_000)
})

test('the values of a kind are all different except the shared text, and the same in every run', async (t) => {
  const { KINDS, SHARED_TEXT, valuesOf } = await part('harness/workload.mjs')
  t.true(KINDS.length > 10)
  for (const kind of KINDS) {
    const values = valuesOf(kind, 200)
    t.deepEqual(valuesOf(kind, 200), values)
    const different = new Set(values.map((value: unknown) => serialize(value).toString('latin1'))).size
    t.is(different, kind === SHARED_TEXT ? 1 : 200, kind)
  }
})

test('objects come in the shapes that their kind names', async (t) => {
  const { inArrays, inShapes, ROW_KINDS, ROWS_PER_ARRAY, SHAPES } = await part('harness/objects.mjs')
  const { valuesOf } = await part('harness/workload.mjs')
  const shapes = (objects: object[]) => new Set(objects.map((object) => Object.keys(object).join())).size
  t.deepEqual(SHAPES, [1, 4, 200])
  for (const kind of ROW_KINDS) {
    for (const count of SHAPES) t.is(shapes(valuesOf(inShapes(kind, count), 400)), count)
    const [array] = valuesOf(inArrays(kind), 1)
    t.is(array.length, ROWS_PER_ARRAY)
    t.is(shapes(array), 1)
  }
})

test('a loop can make a new key string for each call', async (t) => {
  const { compileLoop } = await part('harness/loop.mjs')
  const seen: unknown[] = []
  compileLoop('see(key)', { see: (key: string) => seen.push(key) }, 'sync', "'user:' + keys[index]")([7, 8], [], 0, 2)
  t.deepEqual(seen, ['user:7', 'user:8'])
})

test('a contest has a row for each contender, including those that are missing', async (t) => {
  const { contest } = await part('harness/contest.mjs')
  const { daybook } = await part('peers/daybook.mjs')
  const { lruCache } = await part('peers/lru-cache.mjs')
  const { keysOf } = await part('harness/workload.mjs')
  const absent = { name: 'missing', package: 'daybook-bench-no-such-package', open: () => t.fail() }
  const keys = keysOf(500)
  const rows = await contest({
    about: { topic: 'get' },
    peers: [daybook, lruCache, absent],
    call: 'get',
    fill: { keys, values: keys.map((_: string, index: number) => index) },
    keys,
    values: new Array(600).fill(0),
    size: keys.length,
    rounds: 1,
    directory: temporaryDirectory(t),
    check: (name: string, result: unknown) => t.is(result, 0, name),
  })
  t.deepEqual(
    rows.map((row: { system: string; absent?: string }) => [row.system, row.absent !== undefined]),
    [
      ['daybook', false],
      ['lru-cache', false],
      ['missing', true],
    ],
  )
  t.true(rows[1].ratio > 0)
})

test('each row of the budget is met, not met or not measured', async (t) => {
  const { judge } = await part('harness/budget.mjs')
  t.true(judge([]).every(({ measured, isMet }: Judged) => measured === undefined && isMet === undefined))
  const about = { topic: 'get', case: 'get, hit', kind: 'small int', system: 'lru-cache' }
  const judged: Judged[] = judge([
    { ...about, keys: 10_000, ratio: 0.94 },
    { ...about, keys: 100_000, ratio: 0.9 },
    { ...about, keys: 1_000_000, absent: 'not installed' },
  ])
  t.deepEqual(
    judged.slice(0, 3).map(({ isMet }) => isMet),
    [true, false, undefined],
  )
})

test('a stall may last 10 ms, or as long as that of a Map that does the same in the same run', async (t) => {
  const { judge } = await part('harness/budget.mjs')
  const stall = (system: string, value: number) => ({
    topic: 'stalls',
    case: 'growth: longest stall',
    system: `${system}, during`,
    value,
  })
  const judged = (own: number, map: number) =>
    judge([stall('daybook', own), stall('bare Map', map)]).find(({ what }: Judged) => what.startsWith('growth at 1 M'))
  t.true(judged(9, 2).isMet)
  t.false(judged(11, 2).isMet)
  t.true(judged(60, 70).isMet)
  t.false(judged(80, 70).isMet)
})

test('the table and the plot show every system', async (t) => {
  const { asMarkdown, asText, tableOf } = await part('harness/report.mjs')
  const { plot } = await part('harness/plot.mjs')
  const set = { topic: 'set', case: 'set, overwriting', keys: 10_000, kind: '40-byte text', unit: 'ns/call' }
  const rows = [
    { ...set, system: 'daybook', value: 500, low: 400, high: 600 },
    { ...set, system: 'lru-cache', value: 100, low: 90, high: 110, ratio: 0.2 },
    { ...set, system: 'lmdb', absent: 'it did not build' },
    { topic: 'kill', case: 'lost', system: 'daybook', value: 0, unit: 'bytes' },
    { topic: 'kill', case: 'lost', system: 'lru-cache', value: 1e6, unit: 'bytes' },
  ]
  for (const text of [asText(tableOf(rows)), asMarkdown(tableOf(rows))]) {
    t.regex(text, /lru-cache.*100 ns\/call.*0\.20 ×/)
    t.regex(text, /lmdb.*left out: it did not build/)
  }
  const svg = plot(rows)
  t.regex(svg, />daybook</)
  t.regex(svg, />lru-cache</)
  t.is(plot([]), undefined)
})

interface Judged {
  what: string
  measured: number | undefined
  isMet: boolean | undefined
}

test('the output of bench/threads.mjs becomes rows of the time by the clock and its ratio', async (t) => {
  const { rowsOfThreads } = await part('contests/threads.mjs')
  const { tableOf } = await part('harness/report.mjs')
  const rows = rowsOfThreads([
    {
      what: 'increments',
      microsecondsPerCall: { 'ioredis pipeline()': { clock: 4, processor: 9 }, daybook: { clock: 1, processor: 3 } },
    },
  ])
  t.deepEqual(
    rows.map(({ system, value, ratio }: Record<string, unknown>) => [system, value, ratio]),
    [
      ['daybook', 1, undefined],
      ['ioredis pipeline()', 4, 4],
    ],
  )
  t.notThrows(() => tableOf(rows))
})
