/**
 * A cluster (`daybook/cluster`) on three nats-servers, beside Redis with a replica and WAIT 1 through ioredis, in the same run; and how long
 * nobody is answered when a leader or a server goes.
 *
 *   npm run build && npm install --prefix bench && node bench/cluster.mjs [kills = 50] [rounds = 5] [entries = 1100000]
 *
 * Everything runs on this machine: three servers, three nodes, each a process. Rounds are interleaved and the median counts. Neither
 * engine forces an acknowledged write to disk: the servers acknowledge from the memory of a majority, Redis from that of two.
 */
import { fork, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import Redis from 'ioredis'
import { NatsServers } from '../dist/test/helpers/nats/nats-servers.js'
import { inFlight, percentile } from './cluster/in-flight.mjs'

const [KILLS, ROUNDS, ENTRIES] = [50, 5, 1_100_000].map((usual, at) => Number(process.argv[at + 2] ?? usual))
const FEW_KILLS = Math.ceil(KILLS / 10)
const NODE = fileURLToPath(new URL('./cluster/node.mjs', import.meta.url))
const VALUE = 'x'.repeat(40)

for (const program of ['nats-server', 'redis-server']) {
  if (spawnSync(program, ['--version']).status === 0) continue
  console.error(`${program} is not installed: apt-get update && apt-get install -y ${program}`)
  process.exit(1)
}
const root = mkdtempSync(join(tmpdir(), 'daybook-bench-'))
const started = []
let servers
process.once('exit', () => {
  for (const child of started) child.kill('SIGKILL')
  rmSync(root, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

let asked = 0
class Node {
  constructor(name, options = {}) {
    const parameters = JSON.stringify({ servers: servers.urls, name, options })
    this.child = fork(NODE, [parameters])
    started.push(this.child)
    this.opened = once(this.child, 'message')
  }

  ask(what, parameters) {
    const id = ++asked
    return new Promise((resolve, reject) => {
      const hear = (message) => {
        if (message.id !== id) return
        this.child.off('message', hear)
        if (message.error === undefined) resolve(message.result)
        else reject(new Error(`${what}: ${message.error}`))
      }
      this.child.on('message', hear)
      this.child.send({ id, what, with: parameters })
    })
  }

  async kill() {
    const exited = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await exited
  }
}

async function withServers(name, run) {
  servers = await NatsServers.onLoopback(mkdtempSync(join(root, 'servers-')))
  await servers.start()
  try {
    return await run(name)
  } finally {
    await servers.end()
  }
}

async function threeNodes(name, options) {
  const nodes = [new Node(name, options), new Node(name, options), new Node(name, options)]
  await Promise.all(nodes.map(({ opened }) => opened))
  return nodes
}

async function leaderOf(nodes) {
  for (;;) {
    const roles = await Promise.all(nodes.map((node) => node.ask('role')))
    const at = roles.findIndex(({ role }) => role === 'leader')
    if (at !== -1) return [nodes[at], nodes.filter((_, other) => other !== at)]
    await sleep(20)
  }
}

// ── calls ──

async function calls(name) {
  const redis = await redisWithReplica()
  const nodes = await threeNodes(name)
  const [leader, [follower]] = await leaderOf(nodes)
  const rows = [
    ['set, 64 callers, leader', () => leader.ask('sets', { calls: 20_000, callers: 64 })],
    ['set, 64 callers, follower', () => follower.ask('sets', { calls: 20_000, callers: 64 })],
    ['set, 64 callers, Redis with WAIT 1', () => inFlight(5_000, 64, redis.setAndWait)],
    [
      'set, 64 callers, Redis with WAIT 1, one connection',
      () => inFlight(2_000, 64, (call) => redis.setAndWait(call, 0)),
    ],
    ['set, one by one, leader', () => leader.ask('sets', { calls: 1_000, callers: 1 })],
    ['set, one by one, follower', () => follower.ask('sets', { calls: 1_000, callers: 1 })],
    ['set, one by one, Redis with WAIT 1', () => inFlight(1_000, 1, redis.setAndWait)],
  ]
  const figures = rows.map(() => [])
  for (let round = -1; round < ROUNDS; round++)
    for (const [at, [, run]] of rows.entries()) {
      const figure = await run()
      if (round >= 0) figures[at].push(figure)
    }
  const results = rows.map(([what], at) => ({
    what,
    perSecond: middle(figures[at].map(({ perSecond }) => perSecond)),
    p50Ms: middle(figures[at].map(({ p50Ms }) => p50Ms)),
    p99Ms: middle(figures[at].map(({ p99Ms }) => p99Ms)),
  }))
  for (const [what, ours] of [
    ['leader', 0],
    ['follower', 1],
  ])
    for (const [connections, theirs] of [
      [64, 2],
      [1, 3],
    ])
      results.push({
        what: `64 callers, ${what}: times as fast as Redis with WAIT 1, connections: ${connections}`,
        times: middle(figures[ours].map(({ perSecond }, round) => perSecond / figures[theirs][round].perSecond)),
      })
  redis.end()
  results.push(...(await reads(follower)), ...(await changes(leader, follower)))
  await Promise.all(nodes.map((node) => node.kill()))
  return results
}

async function redisWithReplica() {
  const sockets = ['master', 'replica'].map((which) => join(root, `redis-${which}.sock`))
  const port = 20_000 + Math.floor(Math.random() * 10_000)
  const common = ['--save', '', '--appendonly', 'no', '--dir', root, '--bind', '127.0.0.1']
  const replica = ['--port', '0', '--unixsocket', sockets[1], '--replicaof', '127.0.0.1', `${port}`]
  started.push(spawn('redis-server', [...common, '--port', `${port}`, '--unixsocket', sockets[0]], { stdio: 'ignore' }))
  started.push(spawn('redis-server', [...common, ...replica], { stdio: 'ignore' }))
  while (!sockets.every((socket) => existsSync(socket))) await sleep(20)
  // WAIT holds up its connection: every caller has one of its own, over TCP, as the nodes have.
  const clients = Array.from({ length: 64 }, () => new Redis({ host: '127.0.0.1', port }))
  while ((await clients[0].wait(1, 100)) < 1) await sleep(100)
  return {
    async setAndWait(call, caller) {
      const [, [, replicas]] = await clients[caller]
        .pipeline()
        .set(`key:${call % 10_000}`, VALUE)
        .wait(1, 0)
        .exec()
      if (replicas < 1) throw new Error('The replica does not have it')
    },
    end: () => {
      for (const client of clients) client.disconnect()
    },
  }
}

async function reads(follower) {
  const [own, plain] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    own.push(await follower.ask('localGet', { calls: 500_000 }))
    plain.push(await follower.ask('plainGet', { calls: 500_000 }))
  }
  return [{ what: 'local get on a follower: µs of CPU', local: middle(own), plainCache: middle(plain) }]
}

async function changes(leader, follower) {
  const rows = []
  for (const [what, isLoaded] of [
    ['quiet', false],
    ['under load', true],
  ]) {
    await follower.ask('delays')
    const load = isLoaded ? follower.ask('sets', { calls: 40_000, callers: 64 }) : undefined
    await leader.ask('probe', { times: 200, pauseMs: 5 })
    await load
    const delaysUs = await follower.ask('delays')
    rows.push({
      what: `from the call on the leader to changes$ on a follower, ${what}`,
      p50Ms: rounded(percentile(delaysUs, 0.5) / 1_000),
      p99Ms: rounded(percentile(delaysUs, 0.99) / 1_000),
    })
  }
  return rows
}

// ── failover ──

async function failovers(name) {
  let nodes = await threeNodes(name)
  for (const node of nodes) await node.ask('load')
  const rows = []

  /** The longest time in which one of these was not answered. */
  async function gap(those, since) {
    const gaps = []
    for (const node of those) {
      let longest
      while ((longest = await node.ask('longestGap', since)) === undefined) await sleep(50)
      gaps.push(longest)
    }
    return Math.max(...gaps)
  }

  async function measure(what, times, end) {
    const gapsMs = []
    for (let time = 0; time < times; time++) {
      const [leader, others] = await leaderOf(nodes)
      await sleep(500 + Math.random() * 500)
      const sinceUs = nowUs()
      const repair = await end(leader)
      gapsMs.push(await gap(others, { sinceUs, endedUs: nowUs() }))
      nodes = await repair(others)
    }
    rows.push({ what, times, ...distribution(gapsMs) })
  }

  async function replaced(others) {
    const node = new Node(name)
    await node.opened
    await node.ask('load')
    return [...others, node]
  }
  await measure('longest gap: the leader is killed', KILLS, async (leader) => {
    await leader.kill()
    return replaced
  })
  await measure('longest gap: the leader is stopped', FEW_KILLS, async (leader) => {
    leader.child.kill('SIGSTOP')
    return async () => {
      leader.child.kill('SIGCONT')
      return nodes
    }
  })
  await measure('longest gap: the leader closes in order', FEW_KILLS, async (leader) => {
    await leader.ask('unload')
    await leader.ask('close')
    return replaced
  })
  const stream = (await servers.streams()).find((name) => !/^(KV|OBJ)_/.test(name))
  await measure('longest gap: the server that leads the log is killed', FEW_KILLS, async () => {
    const at = await servers.leaderOf(stream)
    await servers.kill(at)
    return async () => {
      servers.startOne(at)
      await servers.ready()
      await sleep(2_000) // it has to catch up before the next one may go
      return nodes
    }
  })
  await Promise.all(nodes.map((node) => node.kill()))
  return rows
}

// ── opening ──

async function openings(name) {
  const options = { compaction: false, maxSize: 10_000_000 }
  const first = new Node(name, options)
  await first.opened
  await first.ask('fill', { from: 0, to: ENTRIES })
  const logAloneMs = await openingMs(name, options)
  await first.ask('compact')
  const snapshotMs = await openingMs(name, options)
  await first.kill()
  return [
    {
      what: `a node with ${ENTRIES} entries opens: milliseconds`,
      fromLogAlone: rounded(logAloneMs),
      fromSnapshot: rounded(snapshotMs),
    },
  ]
}

async function openingMs(name, options) {
  const beganMs = performance.now()
  const node = new Node(name, options)
  await node.opened
  const tookMs = performance.now() - beganMs
  if ((await node.ask('size')) < ENTRIES) throw new Error('The new node does not have everything')
  await node.kill()
  return tookMs
}

// ── figures ──

function distribution(list) {
  const share = (part) => rounded(percentile(list, part))
  return { minMs: share(0), p50Ms: share(0.5), p90Ms: share(0.9), maxMs: share(1) }
}

function nowUs() {
  return Number(process.hrtime.bigint() / 1_000n)
}

function middle(list) {
  return rounded(percentile(list, 0.5))
}

function rounded(figure) {
  return Number(figure.toPrecision(3))
}

const results = []
for (const [name, measure] of Object.entries({ calls, failovers, openings })) {
  const rows = await withServers(name, measure)
  for (const row of rows) console.error(JSON.stringify(row)) // what was measured is seen, whatever comes next
  results.push(...rows)
}
console.log(JSON.stringify({ node: process.version, kills: KILLS, rounds: ROUNDS, results }, null, 2))
process.exit(0)
