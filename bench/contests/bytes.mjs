/** How many bytes an event takes in the journal: alone in its event-loop turn, and with a thousand others. */
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { openCache } from '../../dist/src/index.js'
import { inArrays, inShapes, JSON_LIKE, ROW_KINDS, SHAPES } from '../harness/objects.mjs'
import { redisVersion, startRedis } from '../harness/redis-server.mjs'
import { scaled } from '../harness/smoke.mjs'
import { fewer, keysOf, SHARED_TEXT, valuesOf } from '../harness/workload.mjs'

const EVENTS = scaled(4_000)
const KINDS = [
  'small int',
  '40-byte text',
  SHARED_TEXT,
  ...ROW_KINDS,
  inShapes(JSON_LIKE, SHAPES.at(-1)),
  inArrays(JSON_LIKE),
  '4 KB bytes',
]
const WITH_REDIS = ['small int', '40-byte text', JSON_LIKE, '4 KB bytes']

export const bytes = {
  name: 'bytes',
  title: 'journal bytes',
  cases: ({ isQuick }) => (isQuick ? [JSON_LIKE] : KINDS).map((kind) => ({ kind })),
  async run({ kind }, { isQuick, directory }) {
    const events = Math.min(EVENTS, fewer(kind, EVENTS * 5))
    const keys = keysOf(events, 100_000)
    const values = valuesOf(kind, events)
    const about = (what) => ({ topic: 'bytes', case: `journal bytes per set, ${what}`, kind, unit: 'bytes' })
    const rows = []
    for (const perTurn of [1, 1000])
      rows.push({
        ...about(perTurn === 1 ? 'alone in its turn' : `${perTurn} in a turn`),
        system: 'daybook',
        value: await ofDaybook(join(directory, `own-${perTurn}`), keys, values, perTurn),
      })
    if (isQuick || !WITH_REDIS.includes(kind)) return rows
    const redisAbout = { ...about('1000 in a turn'), system: 'Redis AOF' }
    rows.push(
      redisVersion() === undefined
        ? { ...redisAbout, absent: 'redis-server is not installed' }
        : { ...redisAbout, value: await ofRedis(join(directory, 'redis'), keys, values, kind) },
    )
    return rows
  },
}

async function ofDaybook(directory, keys, values, perTurn) {
  const cache = await openCache({ directory, maxSize: keys.length, compaction: false })
  await cache.flush()
  const before = cache.stats().journal.bytes
  for (let index = 0; index < keys.length; index++) {
    cache.set(keys[index], values[index])
    if ((index + 1) % perTurn === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await cache.flush()
  const after = cache.stats().journal.bytes
  await cache.close()
  return (after - before) / keys.length
}

async function ofRedis(directory, keys, values, kind) {
  mkdirSync(directory, { recursive: true })
  const server = await startRedis(directory, { appendonly: 'yes' })
  const size = () =>
    readdirSync(join(directory, 'appendonlydir')).reduce(
      (sum, name) => sum + statSync(join(directory, 'appendonlydir', name)).size,
      0,
    )
  const before = size()
  const pipeline = server.client.pipeline()
  for (const [index, key] of keys.entries()) {
    const value = values[index]
    pipeline.set(key, kind === JSON_LIKE ? JSON.stringify(value) : kind === '4 KB bytes' ? Buffer.from(value) : value)
  }
  await pipeline.exec()
  const after = size()
  await server.stop()
  return (after - before) / keys.length
}
