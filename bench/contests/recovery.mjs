/**
 * Recovery: from a journal with one event per entry, and from a snapshot. Beside it a bare Map of the same keys and values, which a
 * process reads from a file that holds nothing else: what V8's Map and strings cost in any case. And Redis, with the same data in
 * its append-only file, as written and as rewritten (which is its snapshot). "Whole process" is from the start of a process to its
 * first reply; "inside" leaves out starting Node.
 */
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openCache } from '../../dist/src/index.js'
import { writeMapFile } from '../harness/map-file.mjs'
import { rowsOf } from '../harness/measure.mjs'
import { JSON_LIKE } from '../harness/objects.mjs'
import { redisVersion, startRedis } from '../harness/redis-server.mjs'
import { scaled } from '../harness/smoke.mjs'
import { fewer, keyOf, valuesOf } from '../harness/workload.mjs'

const PORTION = 1_000

export const recovery = {
  name: 'recovery',
  title: 'recovery',
  cases: ({ isQuick }) =>
    isQuick
      ? [
          { kind: 'small int', from: 'a snapshot' },
          { kind: JSON_LIKE, from: 'the journal' },
        ]
      : ['small int', '40-byte text', JSON_LIKE].flatMap((kind) => [
          { kind, from: 'the journal' },
          { kind, from: 'a snapshot' },
        ]),
  async run({ kind, from }, { rounds, isQuick, directory }) {
    const keys = fewer(kind, 1_000_000)
    const entries = scaled(keys, PORTION)
    const about = (what) => ({ topic: 'recovery', case: `from ${from}, ${what}`, keys, kind, unit: 'ms' })
    const isSnapshot = from === 'a snapshot'
    const withRedis = !isQuick && kind !== JSON_LIKE
    const hasRedis = withRedis && redisVersion() !== undefined
    const own = join(directory, 'journal')
    await fillOwn(own, kind, entries, isSnapshot)
    const systems = { daybook: () => open('open-and-answer.mjs', [own, entries]) }
    if (kind !== JSON_LIKE) {
      const file = join(directory, 'map')
      writeMapFile(file, kind, entries)
      systems['bare Map'] = () => open('map-file.mjs', [file, kind])
    }
    if (hasRedis) {
      const theirs = join(directory, 'redis')
      mkdirSync(theirs)
      await fillRedis(theirs, kind, entries, isSnapshot)
      systems['Redis'] = () => openRedis(theirs)
    }

    const whole = new Map(Object.keys(systems).map((system) => [system, []]))
    const inside = new Map(Object.keys(systems).map((system) => [system, []]))
    for (let round = 0; round < Math.min(rounds, 3); round++)
      for (const [system, recover] of Object.entries(systems)) {
        const { readyMs, durationMs, size } = await recover()
        if (size !== entries) throw new Error(`${system} came back with ${size} entries`)
        whole.get(system).push(readyMs)
        inside.get(system).push(durationMs)
      }
    inside.delete('Redis')
    const rows = [...rowsOf(about('whole process'), whole), ...rowsOf(about('inside'), inside)]
    if (withRedis && !hasRedis)
      rows.push({ ...about('whole process'), system: 'Redis', absent: 'redis-server is not installed' })
    return rows
  },
}

async function fillOwn(directory, kind, entries, isCompacted) {
  const cache = await openCache({ directory, maxSize: entries, compaction: false })
  for (let first = 0; first < entries; first += PORTION) {
    const values = valuesOf(kind, PORTION, first)
    for (let index = 0; index < PORTION; index++) cache.set(keyOf(first + index), values[index])
    await new Promise((resolve) => setImmediate(resolve))
  }
  if (isCompacted) await cache.compact()
  await cache.close()
}

async function fillRedis(directory, kind, entries, isRewritten) {
  const server = await startRedis(directory, { appendonly: 'yes' })
  for (let first = 0; first < entries; first += PORTION) {
    const values = valuesOf(kind, PORTION, first)
    const pipeline = server.client.pipeline()
    for (let index = 0; index < PORTION; index++) pipeline.set(keyOf(first + index), values[index])
    await pipeline.exec()
  }
  if (isRewritten) {
    await server.client.bgrewriteaof()
    while (/aof_rewrite_in_progress:1|aof_rewrite_scheduled:1/.test(await server.client.info('persistence')))
      await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await server.stop()
}

/** @param program What opens it. @returns What it reports, and how long that took from the start of its process. */
function open(program, parameters) {
  return new Promise((resolve, reject) => {
    const startMs = performance.now()
    const path = fileURLToPath(new URL(`../harness/${program}`, import.meta.url))
    const child = spawn(process.execPath, [path, ...parameters.map(String)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    let report
    child.once('message', (message) => {
      report = { ...message, readyMs: performance.now() - startMs }
    })
    child.once('exit', () => (report === undefined ? reject(new Error(`${program} failed`)) : resolve(report)))
  })
}

async function openRedis(directory) {
  const server = await startRedis(directory, { appendonly: 'yes' })
  const size = await server.client.dbsize()
  await server.stop()
  return { readyMs: server.readyMs, size }
}
