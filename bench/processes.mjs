/**
 * A cache that processes share (`daybook/processes`) beside Redis over a unix socket through ioredis, in the same run; and how
 * long a takeover takes.
 *
 *   npm run build && npm install --prefix bench && node bench/processes.mjs [rounds] [entries of the largest takeover]
 *
 * The owner is a process of its own (`daybook serve`), as Redis is. Rounds are interleaved and the median of the ratios counts, so that
 * a busy machine slows both. daybook journals to a directory (`fsync: 'everysec'`); Redis stores nothing, which is in its favour.
 * Both are asked across processors: a call takes 15 µs if the kernel keeps client and server on one, and 60 to 70 if not, and it decides
 * otherwise for each pair. So `taskset` keeps the servers on one and the client on another.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import Redis from 'ioredis'
import { openCache } from '../dist/src/index.js'
import { openShared } from '../dist/src/processes.js'
import { cpuMs } from './harness/cpu-time.mjs'

const ROUNDS = Number(process.argv[2] ?? 7)
const ENTRIES_MAX = Number(process.argv[3] ?? 1_000_000)
const MAIN = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url))
const PROCESSORS = availableParallelism()
const CAN_KEEP = PROCESSORS > 1 && spawnSync('taskset', ['--version']).status === 0
const VALUE = 'x'.repeat(40)
/** For its first 15 s an owner keeps all changes for the clients of the owner before, which slows its changes. */
const NEW_OWNER_MS = 16_000
const CALLS = {
  set: (client) => (key) => client.set(key, VALUE),
  get: (client) => (key) => client.get(key),
  increment: (client) =>
    client instanceof Redis ? (key) => client.incr(`n ${key}`) : (key) => client.increment(`n ${key}`),
}

if (spawnSync('redis-server', ['--version']).status !== 0) {
  console.error('redis-server is not installed: apt-get update && apt-get install -y redis-server')
  process.exit(1)
}
const root = mkdtempSync(join(tmpdir(), 'daybook-bench-'))
const started = []
process.once('exit', () => {
  for (const child of started) child.kill('SIGKILL')
  rmSync(root, { recursive: true, force: true })
})

const results = { compared: await compared(), besideClients: await besideClients(), takeovers: await takeovers() }
console.log(JSON.stringify({ node: process.version, rounds: ROUNDS, ...results }, null, 2))
process.exit(0)

function spawnServer(command, parameters, stdio, processor) {
  const isKept = CAN_KEEP && processor !== undefined
  const [program, ...rest] = isKept
    ? ['taskset', '--cpu-list', processor, command, ...parameters]
    : [command, ...parameters]
  const child = spawn(program, rest, { stdio })
  started.push(child)
  return child
}

function stayOn(processors) {
  if (CAN_KEEP) spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', processors, String(process.pid)])
}

async function serve(directory, processor) {
  const child = spawnServer(process.execPath, [MAIN, 'serve', directory], ['ignore', 'pipe', 'inherit'], processor)
  await once(child.stdout, 'data')
  return child
}

async function compared() {
  const socket = join(root, 'redis.sock')
  const settings = ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no']
  spawnServer('redis-server', settings, 'ignore', '0')
  stayOn('1')
  while (!existsSync(socket)) await sleep(20)
  const redis = new Redis({ path: socket })
  const pipelining = new Redis({ path: socket, enableAutoPipelining: true })
  const directory = join(root, 'shared')
  const owner = await serve(directory, '0')
  const cache = await openShared({ directory, owner: 'never' })
  if (ROUNDS > 1) await sleep(NEW_OWNER_MS)
  const rows = []
  for (const [what, calls, run, peer] of [
    ['set, each awaited', 2_000, awaited, redis],
    ['get, each awaited', 2_000, awaited, redis],
    ['set, 500 at once', 50_000, atOnce, redis],
    ['get, 500 at once', 50_000, atOnce, redis],
    ['increment, 500 at once', 50_000, atOnce, redis],
    ['set, 500 at once, beside auto-pipelining', 50_000, atOnce, pipelining],
  ]) {
    const call = CALLS[what.split(',', 1)[0]]
    const figures = { ioredis: [], daybook: [], ratios: [] }
    for (let round = -2; round < ROUNDS; round++) {
      const theirs = await run(calls, call(peer))
      const ours = await run(calls, call(cache))
      if (round < 0) continue
      figures.ioredis.push(theirs)
      figures.daybook.push(ours)
      figures.ratios.push(theirs / ours)
    }
    const [ioredis, daybook, ratio] = Object.values(figures).map((list) => rounded(median(list)))
    rows.push({
      what,
      peer: peer === redis ? 'ioredis' : 'ioredis auto-pipelining',
      microsecondsPerCall: { ioredis, daybook },
      timesAsFast: ratio,
    })
  }
  redis.disconnect()
  pipelining.disconnect()
  await cache.close()
  owner.kill('SIGKILL')
  stayOn(`0-${PROCESSORS - 1}`)
  return rows
}

async function awaited(calls, set) {
  const beganMs = performance.now()
  for (let call = 0; call < calls; call++) await set(`key:${call % 1_000}`)
  return ((performance.now() - beganMs) * 1e3) / calls
}

async function atOnce(calls, set) {
  const beganMs = performance.now()
  for (let call = 0; call < calls; call += 500)
    await Promise.all(Array.from({ length: 500 }, (_, number) => set(`key:${number}`)))
  return ((performance.now() - beganMs) * 1e3) / calls
}

/** The owner's own calls, without clients and with some that are idle: processor time, the lowest of all rounds. */
async function besideClients() {
  const clients = { 'without clients': 0, 'with 20 idle clients': 20 }
  const owners = {}
  const figures = {}
  for (const [what, count] of Object.entries(clients)) {
    const directory = join(root, `own-${count}`)
    owners[what] = await openShared({ directory, owner: 'prefer' })
    const others = Array.from({ length: count }, () => openShared({ directory, owner: 'never' }))
    clients[what] = await Promise.all(others)
    figures[what] = []
  }
  const calls = 50_000
  for (let round = -2; round < ROUNDS; round++) {
    const both = Object.entries(owners)
    for (const [what, owner] of round % 2 === 0 ? both : both.toReversed()) {
      const beganMs = cpuMs()
      await atOnce(calls, (key) => owner.set(key, VALUE))
      figures[what].push(((cpuMs() - beganMs) * 1e3) / calls)
    }
  }
  for (const client of [...Object.values(clients).flat(), ...Object.values(owners)]) await client.close()
  return Object.fromEntries(Object.entries(figures).map(([what, list]) => [what, rounded(Math.min(...list.slice(2)))]))
}

/** From the death of the owner to the first answer to a client; beside it, in the same rounds, opening in a process that was just started. */
async function takeovers() {
  const rows = []
  for (const entries of [1_000, 100_000, 1_000_000].filter((count) => count <= ENTRIES_MAX)) {
    const directory = join(root, `takeover-${entries}`)
    const filled = await openCache({ directory, maxSize: Number.POSITIVE_INFINITY })
    for (let entry = 0; entry < entries; entry++) filled.set(`key:${entry}`, VALUE)
    await filled.close()
    const openingMs = []
    const tookMs = []
    for (let round = 0; round < Math.min(ROUNDS, 3); round++) {
      openingMs.push(await openedAlone(directory))
      const first = await serve(directory)
      const second = await serve(directory)
      const cache = await openShared({ directory, owner: 'never', reconnectTimeout: 60 })
      await cache.get('key:1')
      const killedMs = performance.now()
      first.kill('SIGKILL')
      await once(first, 'exit')
      await cache.get('key:1')
      tookMs.push(performance.now() - killedMs)
      await cache.close()
      second.kill('SIGTERM')
      await once(second, 'exit')
    }
    rows.push({
      entries,
      milliseconds: rounded(median(tookMs)),
      openingMilliseconds: rounded(median(openingMs)),
    })
  }
  return rows
}

async function openedAlone(directory) {
  const program = `
    const { openCache } = await import(${JSON.stringify(new URL('../dist/src/index.js', import.meta.url))})
    const beganMs = performance.now()
    const cache = await openCache({ directory: ${JSON.stringify(directory)} })
    console.log(performance.now() - beganMs)
    await cache.close()`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [text] = await once(child.stdout, 'data')
  await once(child, 'exit')
  return Number(text)
}

function rounded(figure) {
  return Number(figure.toPrecision(3))
}

function median(list) {
  return [...list].sort((a, b) => a - b)[list.length >> 1]
}
