import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { testWithServers } from '../helpers/nats/given-cluster.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const run = promisify(execFile)
const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url))

/** Runs an example with `root` for temporary files, in an empty working directory. Returns what it prints; stderr must stay empty. */
async function linesOf(t: ExecutionContext, name: string, root: string): Promise<string[]> {
  const cwd = temporaryDirectory(t)
  const { stdout, stderr } = await run(process.execPath, [join(EXAMPLES, `${name}.js`)], {
    cwd,
    env: { EXAMPLE_REQUESTS: '160', ...process.env, TMPDIR: root },
    timeout: 60_000,
  })
  t.is(stderr, '')
  t.deepEqual(readdirSync(cwd), [], 'it writes nothing into the working directory')
  return stdout.trimEnd().split('\n')
}

test('first: a cache that survives a restart', async (t) => {
  const root = temporaryDirectory(t)
  const directory = join(root, 'daybook-first')
  t.deepEqual(await linesOf(t, 'first', root), [
    `journal: ${directory}`,
    'user:1 is not there yet',
    'stored: user:1, guest:1',
    'guest:1 (Bob) has expired',
    'stored: user:1; 1 expired so far',
  ])
  t.true(existsSync(directory))
  t.deepEqual(await linesOf(t, 'first', root), [
    `journal: ${directory}`,
    'user:1 is Ada, set by an earlier run',
    'stored: user:1, guest:1',
    'guest:1 (Bob) has expired',
    'stored: user:1; 2 expired so far',
  ])
})

test('machine: a state machine that invokes the cache, sends commands and reacts to the replies', async (t) => {
  const root = temporaryDirectory(t)
  const journal = `journal: ${join(root, 'daybook-machine')}`
  t.deepEqual(await linesOf(t, 'machine', root), [journal, 'no visitor yet', 'Ada, visits before this one: 0'])
  t.deepEqual(await linesOf(t, 'machine', root), [journal, 'Ada, visits before this one: 1'])
  t.deepEqual(await linesOf(t, 'machine', root), [journal, 'Ada, visits before this one: 2'])
})

test('worker-pool: a piscina pool shares one cache, and leaves no files behind', async (t) => {
  const root = temporaryDirectory(t)
  const [journal = '', ...lines] = await linesOf(t, 'worker-pool', root)
  t.true(journal.startsWith(`journal: ${join(root, 'daybook-pool-')}`))
  t.deepEqual(lines, [
    '40 tasks on 4 threads; 4 texts were counted, the rest came from the cache',
    'words: "to" 4, "be" 4, "not" 2',
    '40 tasks, by the counter that they share',
  ])
  t.deepEqual(readdirSync(root), [])
})

test('projection: counts of changes that follow the journal over restarts (killed in crash/projection.test.ts)', async (t) => {
  const root = temporaryDirectory(t)
  const [first = ''] = await linesOf(t, 'projection', root)
  const [second = ''] = await linesOf(t, 'projection', root)
  const counted = (line: string) => Number(/^(\d+) changes: \{"/.exec(line)?.[1])
  t.true(counted(first) >= 300)
  t.true(counted(second) >= counted(first) + 300)
})

test('every example has a test', (t) => {
  const names = readdirSync(EXAMPLES)
    .filter((name) => name.endsWith('.js'))
    .map((name) => name.replace(/\.js$/, ''))
  t.deepEqual(names.sort(), ['first', 'machine', 'projection', 'worker-pool', 'worker-pool-task', 'workers'])
})

test('workers: a rate limit and sessions of eight processes, exact while workers are killed', async (t) => {
  t.timeout(120_000)
  const root = temporaryDirectory(t)
  t.deepEqual(await linesOf(t, 'workers', root), [
    '8 workers share one cache',
    'the limit was exact: true',
    'every request counted once: true',
  ])
  t.deepEqual(readdirSync(root), [])
})

testWithServers(
  'cluster/: three HTTP servers on three NATS servers, one of each killed while requests arrive',
  async (t) => {
    t.timeout(120_000)
    const root = temporaryDirectory(t)
    const lines = await linesOf(t, 'cluster/main', root)
    const [counts] = lines.splice(3, 1)
    t.regex(counts ?? '', /^\d+ allowed, \d+ refused, \d+ not answered; the longest took \d+ ms$/)
    t.deepEqual(lines, [
      'three HTTP servers share one cache on three NATS servers',
      'killed the HTTP server that leads',
      'killed a NATS server',
      'the limit was exact: true',
      'every request counted once: true',
    ])
    t.deepEqual(readdirSync(root), [])
  },
)
