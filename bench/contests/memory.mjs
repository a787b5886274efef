/** What an entry takes: heap and what lies outside it, after collecting garbage, key and value included. */
import { join } from 'node:path'
import { startRedis } from '../harness/redis-server.mjs'
import { keyOf, valuesOf } from '../harness/workload.mjs'
import { IN_MEMORY, OWN, whyAbsent } from '../peers/peers.mjs'
import { redis } from '../peers/redis.mjs'

const ENTRIES = 1_000_000
const PEERS = [OWN[0], ...IN_MEMORY, redis]

export const memory = {
  name: 'memory',
  title: 'memory',
  cases: ({ isQuick }) => {
    const systems = isQuick ? ['daybook', 'lru-cache'] : PEERS.map(({ name }) => name)
    return (isQuick ? ['small int'] : ['small int', '40-byte text']).flatMap((kind) =>
      systems.map((system) => ({ system, kind })),
    )
  },
  async run({ system, kind }, { directory }) {
    const about = {
      topic: 'memory',
      case: 'memory per entry',
      keys: ENTRIES,
      kind,
      unit: 'bytes/entry',
      system: system === redis.name ? 'Redis' : system,
    }
    const peer = PEERS.find(({ name }) => name === system)
    const missing = await whyAbsent(peer)
    if (missing !== undefined) return [{ ...about, absent: missing }]
    return [
      { ...about, value: await (peer === redis ? ofRedis(kind, directory) : ofThisProcess(peer, kind, directory)) },
    ]
  },
}

async function ofThisProcess(peer, kind, directory) {
  // What its code takes is loaded by a first one; what it takes when it is made (lru-cache's arrays) counts.
  const first = await peer.open({ size: 1, directory: join(directory, 'first'), kind })
  await first.close?.()
  const before = inUse()
  const fresh = await peer.open({ size: ENTRIES, directory: join(directory, 'fresh'), kind })
  const write = new Function(...Object.keys(fresh.scope), 'key', 'value', fresh.calls.set)
  const given = Object.values(fresh.scope)
  for (let first = 0; first < ENTRIES; first += 10_000) {
    // Made here and kept by the cache alone; nobody else pays for them.
    const values = valuesOf(kind, 10_000, first)
    for (let index = 0; index < 10_000; index++) write(...given, keyOf(first + index), values[index])
    await new Promise((resolve) => setImmediate(resolve))
  }
  const after = inUse()
  await fresh.close?.()
  return (after - before) / ENTRIES
}

function inUse() {
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

async function ofRedis(kind, directory) {
  const server = await startRedis(directory)
  const used = async () => Number(/used_memory:(\d+)/.exec(await server.client.info('memory'))[1])
  const before = await used()
  for (let first = 0; first < ENTRIES; first += 10_000) {
    const values = valuesOf(kind, 10_000, first)
    const pipeline = server.client.pipeline()
    for (let index = 0; index < 10_000; index++) pipeline.set(keyOf(first + index), values[index])
    await pipeline.exec()
  }
  const after = await used()
  await server.stop()
  return (after - before) / ENTRIES
}
