/**
 * Ten threads and one counter: `daybook/threads` beside Redis over loopback through ioredis, in the same run.
 *
 *   npm run build && npm install --prefix bench && node bench/threads.mjs [rounds]
 *
 * Rounds are interleaved (Redis, daybook, Redis, …) and the median counts, so that a busy machine slows both. daybook
 * journals to a directory (`fsync: 'everysec'`, the default); Redis stores nothing on disk (`--save '' --appendonly no`), which
 * is in its favour. The counter is checked after every round.
 *
 * ioredis can pipeline in two ways: `pipeline()`, a list that the program builds and sends, and `enableAutoPipelining`, which
 * sends ordinary calls together when the tick ends. The second is what a daybook client does, so it is the fair comparison; the
 * first is ioredis at its fastest. Both are measured, with the ratio to each.
 *
 * Reported are microseconds per call of wall-clock time, and of processor time in this process (all its threads) and the Redis
 * server. In a flood all processors are busy, so both agree, but processor time hardly depends on what else is running.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import Redis from 'ioredis'
import { openCache } from '../dist/src/index.js'

const ROUNDS = Number(process.argv[2] ?? 7)
const WORKERS = 10
/** Ten isolates compile the same code ten times, which must not be measured. */
const WARM_UP_ROUNDS = 3

if (spawnSync('redis-server', ['--version']).status !== 0) {
  console.error('redis-server is not installed: apt-get update && apt-get install -y redis-server')
  process.exit(1)
}

const directory = mkdtempSync(join(tmpdir(), 'daybook-bench-'))
const redisPort = await freePort()
const server = spawn('redis-server', ['--port', String(redisPort), '--save', '', '--appendonly', 'no'], {
  stdio: 'ignore',
})
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
process.once('exit', () => server.kill())
const redis = new Redis(redisPort, '127.0.0.1')
redis.on('error', () => {}) // it retries until the server listens
const cache = await openCache({ directory, maxSize: 100_000 })

try {
  const ten = await startWorkers(WORKERS)
  const results = []
  results.push(
    await compare(`${WORKERS} workers, 1000 increments in flight each`, 5, ten, 20_000, {
      'ioredis pipeline()': 'redis pipeline',
      'ioredis auto-pipelining': 'redis auto',
      daybook: 'client pipelined',
    }),
  )
  await stopWorkers(ten)
  const one = await startWorkers(1)
  results.push(
    await compare('1 worker, each call awaited', 2, one, 4_000, {
      ioredis: 'redis awaited',
      daybook: 'client awaited',
    }),
  )
  results.push(
    await compare('1 worker, synchronous client', 3, one, 4_000, {
      'ioredis awaited': 'redis awaited',
      daybook: 'sync',
    }),
  )
  await stopWorkers(one)
  console.log(
    JSON.stringify({ node: process.version, processors: availableParallelism(), rounds: ROUNDS, results }, null, 2),
  )
} finally {
  redis.disconnect()
  server.kill()
  await cache.close()
  rmSync(directory, { recursive: true, force: true })
}

async function startWorkers(count) {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const ports = [cache.share(), cache.share()]
      const worker = new Worker(new URL('./threads-worker.mjs', import.meta.url), {
        workerData: { redisPort, ports },
        transferList: ports,
      })
      await new Promise((resolve, reject) => {
        worker.once('message', resolve)
        worker.once('error', reject)
      })
      return worker
    }),
  )
}

function stopWorkers(workers) {
  return Promise.all(workers.map((worker) => worker.terminate()))
}

/** `contestants`: name → what the workers do. The last one is daybook. */
async function compare(what, target, workers, calls, contestants) {
  const total = workers.length * calls
  const figures = Object.fromEntries(Object.keys(contestants).map((name) => [name, { clock: [], processor: [] }]))
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    for (const [name, task] of Object.entries(contestants)) {
      await redis.set('counter', 0)
      cache.set('counter', 0)
      const beganMs = performance.now()
      const beganProcessor = await processorMicroseconds()
      await Promise.all(workers.map((worker) => run(worker, task, calls)))
      const tookMs = performance.now() - beganMs
      const processor = (await processorMicroseconds()) - beganProcessor
      const sum = name === 'daybook' ? cache.get('counter') : Number(await redis.get('counter'))
      if (sum !== total) throw new Error(`${name}: ${sum} instead of ${total}`)
      if (round < 0) continue
      figures[name].clock.push((tookMs * 1e3) / total)
      figures[name].processor.push(processor / total)
    }
  }
  const peers = Object.keys(contestants).filter((name) => name !== 'daybook')
  const microsecondsPerCall = {}
  for (const [name, { clock, processor }] of Object.entries(figures))
    microsecondsPerCall[name] = { clock: rounded(median(clock)), processor: rounded(median(processor)) }
  const ratios = {}
  for (const name of peers) {
    const { clock, processor } = microsecondsPerCall[name]
    const { daybook } = microsecondsPerCall
    ratios[name] = { clock: rounded(clock / daybook.clock), processor: rounded(processor / daybook.processor) }
    console.error(
      `${what}: ${ratios[name].clock} × ${name} by the clock, ${ratios[name].processor} × of processor time`,
    )
  }
  return { what, microsecondsPerCall, ratios, target }
}

async function processorMicroseconds() {
  const { user, system } = process.cpuUsage()
  const info = await redis.info('cpu')
  const seconds = /used_cpu_(?:sys|user):([\d.]+)/g
  let server = 0
  for (const [, used] of info.matchAll(seconds)) server += Number(used) * 1e6
  return user + system + server
}

function rounded(figure) {
  return Number(figure.toPrecision(3))
}

function run(worker, task, calls) {
  return new Promise((resolve) => {
    worker.once('message', resolve)
    worker.postMessage({ task, calls })
  })
}

function median(list) {
  return [...list].sort((a, b) => a - b)[list.length >> 1]
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}
