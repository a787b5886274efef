/**
 * The memory of an entry, with its key and value: in the heap and outside it, after collecting garbage. Also when it has just been
 * recovered, before its first use.
 */
import { join } from 'node:path'
import { JSON_LIKE, ROW_KINDS } from '../harness/objects.mjs'
import { startRedis } from '../harness/redis-server.mjs'
import { scaled } from '../harness/smoke.mjs'
import { fewer, keyOf, SHARED_TEXT, valuesOf } from '../harness/workload.mjs'
import { CLONING, IN_MEMORY, OWN, whyAbsent } from '../peers/peers.mjs'
import { redis } from '../peers/redis.mjs'

const RECOVERED = 'recovered, unused'
const READ = 'read twice'
const [daybook, share, copy, freeze] = OWN
const [lruCache] = IN_MEMORY
const [lruCacheCloning] = CLONING
const PEERS = [...OWN, ...IN_MEMORY, ...CLONING, redis]

const of = (kind, peers) => peers.map(({ name }) => ({ kind, system: name, how: 'set' }))
const ofObjects = (kind) => [...of(kind, [copy, lruCacheCloning]), { kind, system: copy.name, how: RECOVERED }]

export const memory = {
  name: 'memory',
  title: 'memory',
  cases: ({ isQuick }) =>
    isQuick
      ? ofObjects(JSON_LIKE)
      : [
          ...['small int', '40-byte text'].flatMap((kind) => of(kind, [daybook, ...IN_MEMORY, redis])),
          ...of(SHARED_TEXT, [daybook, lruCache]),
          ...ROW_KINDS.flatMap(ofObjects),
          { kind: JSON_LIKE, system: copy.name, how: READ },
          ...of(JSON_LIKE, [share, freeze, lruCache, CLONING[1]]),
        ],
  async run({ system, kind, how }, { isQuick, directory }) {
    const keys = fewer(kind, isQuick ? 250_000 : 1_000_000)
    const about = {
      topic: 'memory',
      case: `memory per entry${how === 'set' ? '' : `, ${how}`}`,
      keys,
      kind,
      unit: 'bytes/entry',
      system: system === redis.name ? 'Redis' : system,
    }
    const peer = PEERS.find(({ name }) => name === system)
    const missing = await whyAbsent(peer)
    if (missing !== undefined) return [{ ...about, absent: missing }]
    const entries = scaled(keys, 10_000)
    const take = peer === redis ? ofRedis : how === RECOVERED ? ofRecovered : ofFilled
    return [{ ...about, value: (await take(peer, kind, entries, directory, how === READ ? 2 : 0)) / entries }]
  },
}

const PORTION = 10_000

/** Only the cache keeps these values. */
async function fill({ scope, calls }, kind, entries) {
  const write = new Function(...Object.keys(scope), 'key', 'value', calls.set)
  const scopeValues = Object.values(scope)
  for (let first = 0; first < entries; first += PORTION) {
    const values = valuesOf(kind, PORTION, first)
    for (let index = 0; index < PORTION; index++) write(...scopeValues, keyOf(first + index), values[index])
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function ofFilled(peer, kind, entries, directory, reads) {
  // The first cache loads the code, which does not count; what a cache allocates when it is created (lru-cache's arrays) does.
  const first = await peer.open({ size: 1, directory: join(directory, 'first'), kind })
  await first.close?.()
  const before = inUse()
  const fresh = await peer.open({ size: entries, directory: join(directory, 'fresh'), kind })
  await fill(fresh, kind, entries)
  for (let read = 0; read < reads; read++)
    for (let number = 0; number < entries; number++) fresh.scope.cache.get(keyOf(number))
  const after = inUse()
  await fresh.close?.()
  return after - before
}

async function ofRecovered(peer, kind, entries, directory) {
  const own = { size: entries, directory: join(directory, 'recovered'), kind }
  await openFillClose(peer, own, kind, entries)
  await new Promise((resolve) => setImmediate(resolve))
  const before = inUse()
  const recovered = await peer.open(own)
  if (recovered.count() !== entries) throw new Error(`${recovered.count()} entries came back`)
  const after = inUse()
  await recovered.close()
  return after - before
}

/** A function of its own, so that nothing here keeps the first cache in memory. */
async function openFillClose(peer, own, kind, entries) {
  const filled = await peer.open(own)
  await fill(filled, kind, entries)
  await filled.close()
}

function inUse() {
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

async function ofRedis(_, kind, entries, directory) {
  const server = await startRedis(directory)
  const used = async () => Number(/used_memory:(\d+)/.exec(await server.client.info('memory'))[1])
  const before = await used()
  for (let first = 0; first < entries; first += PORTION) {
    const values = valuesOf(kind, PORTION, first)
    const pipeline = server.client.pipeline()
    for (let index = 0; index < PORTION; index++) pipeline.set(keyOf(first + index), values[index])
    await pipeline.exec()
  }
  const after = await used()
  await server.stop()
  return after - before
}
