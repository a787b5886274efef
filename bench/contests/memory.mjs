/** The memory of an entry, with its key and value: in the heap and outside it, after collecting garbage. */
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
  // The first cache loads the code, which does not count; what a cache allocates when it is created (lru-cache's arrays) does.
  const first = await peer.open({ size: 1, directory: join(directory, 'first'), kind })
  await first.close?.()
  const before = inUse()
  const fresh = await peer.open({ size: ENTRIES, directory: join(directory, 'fresh'), kind })
  const write = new Function(...Object.keys(fresh.scope), 'key', 'value', fresh.calls.set)
  const scope = Object.values(fresh.scope)
  for (let first = 0; first < ENTRIES; first += 10_000) {
    // Only the cache keeps these values.
    const values = valuesOf(kind, 10_000, first)
    for (let index = 0; index < 10_000; index++) write(...scope, keyOf(first + index), values[index])
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
