/** Whole runs of the bench, with a thousandth of its entries, and how a run that fails ends. No figure is looked at. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const BENCH = fileURLToPath(new URL('../../../bench/', import.meta.url))
const part = (path: string) => import(`${BENCH}${path}`)

test('a quick run measures every goal that needs no other system, and ends with 0', async (t) => {
  t.timeout(240_000)
  const results = join(temporaryDirectory(t), 'results.json')
  const { code, stdout, stderr } = await bench(['--quick', '--smoke', '--results', results])
  t.is(code, 0, stderr)
  const { rows } = (await part('harness/results.mjs')).readResults(results)
  const { judge } = await part('harness/budget.mjs')
  const unmeasured: string[] = judge(rows)
    .filter(({ measured }: Judged) => !Number.isFinite(measured))
    .map(({ what }: Judged) => what)
  t.deepEqual(
    unmeasured.filter((what) => !OF_WHOLE_RUNS.includes(what)),
    [],
  )
  t.regex(stdout, /get, hit, small int, 10 k keys ÷ lru-cache +≥ 0\.93 +[\d.]+ +(met|NOT MET)\n/)
})

test('a case that crashes is a row that says so, and the run ends with 1', async (t) => {
  const crash = join(temporaryDirectory(t), 'crash.cjs')
  writeFileSync(crash, "if (process.argv[1]?.endsWith('case-process.mjs')) process.exit(3)\n")
  const run = await bench(['--quick', '--smoke', '--only', 'bytes'], { NODE_OPTIONS: `--require ${crash}` })
  t.is(run.code, 1)
  t.regex(run.stderr, /failed: bytes, .*the case ended early \(exit code 3\)/)
})

test('a missing peer fails a quick run, which needs none; elsewhere only daybook itself may not fail', async (t) => {
  const { failuresOf } = await part('harness/report.mjs')
  const missing = { topic: 'get', case: 'get, hit', system: 'lmdb', absent: 'it did not build' }
  t.is(failuresOf([missing], { isQuick: true }).length, 1)
  t.is(failuresOf([missing], { isQuick: false }).length, 0)
  t.is(failuresOf([{ ...missing, system: 'daybook copy' }], { isQuick: false }).length, 1)
  t.is(failuresOf([{ topic: 'get', case: 'get, hit', system: 'lmdb', value: 1 }], { isQuick: true }).length, 0)
})

/** Goals that need other systems, 5 M entries, or more time than a quick run has. */
const OF_WHOLE_RUNS = [
  'get, hit, new key strings, small int, 100 k keys ÷ lru-cache',
  'get, hit, new key strings, small int, 1 M keys ÷ lru-cache',
  'get, hit, 40-byte text, 10 k keys ÷ lru-cache',
  'get, copy, 300-byte object, 4 shapes ÷ lru-cache + structuredClone',
  'set, copy, 300-byte object, 4 shapes ÷ lru-cache + structuredClone',
  'get, copy ÷ lmdb',
  'set, overwriting, new key strings, small int, 100 k keys ÷ lru-cache',
  'set, overwriting, 40-byte text, shared, 100 k keys ÷ lru-cache',
  'set, 40-byte text ÷ lmdb',
  'set, 40-byte text ÷ better-sqlite3 WAL NORMAL',
  'set, 40-byte text ÷ Redis everysec, awaited',
  'durable acknowledgement, 64 waiting ÷ Redis always (the better of its two ways)',
  "recovery of 1 M small entries from the journal: time ÷ a bare Map's",
  'recovery of 200 k objects from a snapshot, seconds',
  '10 threads, one counter, pipelined ÷ Redis through ioredis (its better way)',
  'threads, awaited one by one ÷ Redis through ioredis',
  'threads, synchronous client ÷ Redis through ioredis, awaited',
  'processes, set, awaited one by one ÷ Redis through ioredis',
  'processes, set, 500 at once ÷ Redis through ioredis',
  'processes, get, awaited one by one ÷ Redis through ioredis',
  'processes, get, 500 at once ÷ Redis through ioredis',
  'set of the owner with 20 idle clients: time ÷ without',
  'takeover with 1 k entries: milliseconds until the first answer, beyond the time of opening',
  'takeover with 100 k entries: milliseconds until the first answer, beyond the time of opening',
  'takeover with 1 M entries: milliseconds until the first answer, beyond the time of opening',
  "growth from 10 k to 5 M entries, get: growth of the cost per call ÷ lru-cache's own",
  "growth from 10 k to 5 M entries, set: growth of the cost per call ÷ lru-cache's own",
]

function bench(parameters: string[], env: Record<string, string> = {}) {
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = spawn(process.execPath, [`${BENCH}bench.mjs`, ...parameters], { env: { ...process.env, ...env } })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}

interface Judged {
  what: string
  measured: number | undefined
}
