/**
 * Recovery of 1 M entries: from a journal of 1 M events, and from a snapshot; compared with Redis, which has the same data in its
 * append-only file, as written and as rewritten (which is its snapshot). Both are timed from the start of a process to its first
 * reply. The duration that daybook itself reports is a separate row.
 */
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openCache } from '../../dist/src/index.js'
import { rowsOf } from '../harness/measure.mjs'
import { redisVersion, startRedis } from '../harness/redis-server.mjs'
import { keyOf, valuesOf } from '../harness/workload.mjs'

const ENTRIES = 1_000_000
const KIND = '40-byte text'
const PORTION = 10_000
const PROGRAM = fileURLToPath(new URL('../harness/open-and-answer.mjs', import.meta.url))

export const recovery = {
  name: 'recovery',
  title: 'recovery',
  cases: ({ isQuick }) =>
    [{ from: 'the journal' }, { from: 'a snapshot' }].map((one) => ({ ...one, withRedis: !isQuick })),
  async run({ from, withRedis }, { rounds, directory }) {
    const about = (what, unit) => ({ topic: 'recovery', case: what, keys: ENTRIES, kind: KIND, unit })
    const own = join(directory, 'journal')
    const theirs = join(directory, 'redis')
    mkdirSync(theirs)
    const hasRedis = withRedis && redisVersion() !== undefined
    await fillOwn(own, from === 'a snapshot')
    if (hasRedis) await fillRedis(theirs, from === 'a snapshot')

    const whole = new Map([['daybook', []], ...(hasRedis ? [['Redis', []]] : [])])
    const inside = []
    for (let round = 0; round < Math.min(rounds, withRedis ? 5 : 2); round++) {
      const { readyMs, recovery: report, size } = await openOwn(own)
      if (size !== ENTRIES) throw new Error(`daybook came back with ${size} entries`)
      whole.get('daybook').push(readyMs)
      inside.push(report.durationMs)
      if (hasRedis) whole.get('Redis').push(await openRedis(theirs))
    }
    const rows = [
      ...rowsOf(about(`from ${from}, whole process`, 'ms'), whole),
      ...rowsOf(about(`from ${from}, inside openCache`, 'ms'), new Map([['daybook', inside]])),
    ]
    if (from === 'the journal')
      rows.push(
        ...rowsOf(about('M events/s replayed', 'M/s'), new Map([['daybook', inside.map((ms) => ENTRIES / ms / 1e3)]])),
      )
    if (withRedis && !hasRedis)
      rows.push({ ...about(`from ${from}, whole process`), system: 'Redis', absent: 'redis-server is not installed' })
    return rows
  },
}

async function fillOwn(directory, isCompacted) {
  const cache = await openCache({ directory, maxSize: ENTRIES, compaction: false })
  for (let first = 0; first < ENTRIES; first += PORTION) {
    const values = valuesOf(KIND, PORTION, first)
    for (let index = 0; index < PORTION; index++) cache.set(keyOf(first + index), values[index])
    await new Promise((resolve) => setImmediate(resolve))
  }
  if (isCompacted) await cache.compact()
  await cache.close()
}

async function fillRedis(directory, isRewritten) {
  const server = await startRedis(directory, { appendonly: 'yes' })
  for (let first = 0; first < ENTRIES; first += PORTION) {
    const values = valuesOf(KIND, PORTION, first)
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

function openOwn(directory) {
  return new Promise((resolve, reject) => {
    const startMs = performance.now()
    const child = spawn(process.execPath, [PROGRAM, directory, String(ENTRIES)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    let report
    child.once('message', (message) => {
      report = { ...message, readyMs: performance.now() - startMs }
    })
    child.once('exit', () => (report === undefined ? reject(new Error('openCache failed')) : resolve(report)))
  })
}

async function openRedis(directory) {
  const server = await startRedis(directory, { appendonly: 'yes' })
  const size = await server.client.dbsize()
  await server.stop()
  if (size !== ENTRIES) throw new Error(`Redis came back with ${size} entries`)
  return server.readyMs
}
