/**
 * Ten threads and one counter: `daybook/threads` beside Redis over loopback through ioredis, in the same run.
 *
 *   npm run build && npm install --prefix bench && node bench/threads.mjs [rounds]
 *
 * Rounds are interleaved (Redis, daybook, Redis, …) and the median counts, so that a busy machine slows both. daybook
 * journals to a directory (`fsync: 'everysec'`, the default); Redis keeps nothing (`--save '' --appendonly no`), which is in
 * its favour. The number on the counter is checked after every round.
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
redis.on('error', () => {}) // until the server listens, it tries again
const cache = await openCache({ directory, maxSize: 100_000 })

try {
  const ten = await startWorkers(WORKERS)
  const results = []
  results.push(
    await compare(`${WORKERS} workers, 1000 increments in flight each`, 5, ten, 10_000, {
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
  const times = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]))
  for (let round = -1; round < ROUNDS; round++) {
    for (const [name, task] of Object.entries(contestants)) {
      await redis.set('counter', 0)
      cache.set('counter', 0)
      const beganMs = performance.now()
      await Promise.all(workers.map((worker) => run(worker, task, calls)))
      const tookMs = performance.now() - beganMs
      const total = name === 'daybook' ? cache.get('counter') : Number(await redis.get('counter'))
      if (total !== workers.length * calls) throw new Error(`${name}: ${total} instead of ${workers.length * calls}`)
      if (round >= 0) times[name].push((tookMs * 1e3) / (workers.length * calls)) // the first round warms up
    }
  }
  const medians = Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list)]))
  const { daybook, ...peers } = medians
  const ratio = Math.min(...Object.values(peers)) / daybook
  console.error(`${what}: ${ratio.toFixed(2)} × the best of Redis (wanted: ${target})`)
  return { what, microsecondsPerCall: medians, ratio, target }
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
