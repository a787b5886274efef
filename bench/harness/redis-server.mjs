/** A Redis server for the benchmarks: on a free port of 127.0.0.1, with its own directory, stopped with its parent process. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

export const redisVersion = () =>
  /v=(\S+)/.exec(spawnSync('redis-server', ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1]

const running = new Set()
process.once('exit', () => {
  for (const server of running) server.kill('SIGKILL')
})

/** @param settings As in redis.conf: `{ appendonly: 'yes', appendfsync: 'always' }`. */
export async function startRedis(directory, settings = {}, wrapper = []) {
  const port = await freePort()
  const all = { port, bind: '127.0.0.1', dir: directory, save: '', appendonly: 'no', ...settings }
  all.pidfile = join(directory, 'redis.pid') // lets the bench stop it if this process is killed
  all['auto-aof-rewrite-percentage'] ??= 0 // no compaction in the middle of a round
  mkdirSync(directory, { recursive: true })
  const [command, ...parameters] = [
    ...wrapper,
    'redis-server',
    ...Object.entries(all).flatMap(([name, value]) => [`--${name}`, String(value)]),
  ]
  const startMs = performance.now()
  const server = spawn(command, parameters, { stdio: 'ignore' })
  running.add(server)
  const ended = new Promise((resolve) => server.once('exit', resolve))
  ended.then(() => running.delete(server))
  server.once('error', () => {}) // not installed: connecting fails below
  const client = await connect(port, () => server.exitCode !== null || server.pid === undefined)
  return {
    port,
    client,
    pid: server.pid,
    /** From the start of the process to its first reply, including loading the append-only file. */
    readyMs: performance.now() - startMs,
    async stop(signal = 'SIGTERM') {
      client.disconnect()
      server.kill(signal)
      await ended
    },
  }
}

/** An ioredis client, once the server has loaded its data and replies. */
export async function connect(port, isGone = () => false, options = {}) {
  const { default: Redis } = await import('ioredis')
  const client = new Redis(port, '127.0.0.1', {
    enableReadyCheck: false,
    retryStrategy: () => 2,
    maxRetriesPerRequest: null,
    ...options,
  })
  client.on('error', () => {}) // it retries until the server listens
  for (;;) {
    if (isGone()) {
      client.disconnect()
      throw new Error('redis-server did not start')
    }
    const reply = await Promise.race([
      client.ping().catch((error) => error.message), // LOADING …
      new Promise((resolve) => setTimeout(resolve, 200)),
    ])
    if (reply === 'PONG') return client
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}
