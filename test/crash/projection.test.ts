/**
 * Projections that are killed at random moments: that of examples/projection.ts together with its cache, and one in a process of its own,
 * apart from its cache. DAYBOOK_PROJECTION_KILLS: how often.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import type { Sequence } from '../../src/core/model/sequence.js'
import { ChangeCursor } from '../../src/durable/history/change-cursor.js'
import { disk } from '../../src/durable/storage/disk.js'
import { openCache } from '../../src/index.js'
import { Random } from '../helpers/random.js'
import { countFrom } from '../helpers/runs.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const PROGRAM = fileURLToPath(new URL('../helpers/crash/projecting.js', import.meta.url))
const KILLS = countFrom('DAYBOOK_PROJECTION_KILLS', 8)
const EXAMPLE = fileURLToPath(new URL('../../examples/projection.js', import.meta.url))

interface Projection {
  sequence: number
  changes: Record<string, number>
}

/** What the journal itself says, through a sequence. */
async function counted(t: ExecutionContext, root: string, through: number): Promise<Record<string, number>> {
  const cache = await openCache({ directory: join(root, 'daybook-projection'), history: '7d', compaction: false })
  const { sequence: last } = cache.stats().journal
  t.true(through <= last, `the projection has counted change ${through}, and the journal ends with ${last}`)
  const changes: Record<string, number> = {}
  if (through > 0)
    for await (const { sequence, key } of cache.changesSince(0)) {
      const kind = key?.split(':')[0] ?? '(all)'
      changes[kind] = (changes[kind] ?? 0) + 1
      if (sequence === through) break
    }
  await cache.close()
  return changes
}

test('a projection that is killed with its cache misses no change and counts none twice', async (t) => {
  t.timeout(10 * 60_000)
  const root = temporaryDirectory(t)
  const file = join(root, 'daybook-projection.json')
  const env = { ...process.env, TMPDIR: root }
  const random = new Random(countFrom('DAYBOOK_KILL_SEED', Date.now()))
  for (let kill = 0; kill < KILLS; kill++) {
    const child = spawn(process.execPath, [EXAMPLE, '1000000000'], { env, stdio: 'ignore' })
    const ended = new Promise((resolve) => child.on('close', resolve))
    const before = existsSync(file) ? readFileSync(file, 'utf8') : ''
    // It has to have counted something more, and is killed some time after that.
    while ((existsSync(file) ? readFileSync(file, 'utf8') : '') === before)
      await new Promise((resolve) => setTimeout(resolve, 5))
    await new Promise((resolve) => setTimeout(resolve, random.below(120)))
    child.kill('SIGKILL')
    await ended
    const { sequence, changes } = JSON.parse(readFileSync(file, 'utf8')) as Projection
    t.deepEqual(changes, await counted(t, root, sequence), `after kill ${kill}, through ${sequence}`)
  }
  const { stdout } = await promisify(execFile)(process.execPath, [EXAMPLE, '100'], { env })
  const { sequence, changes } = JSON.parse(readFileSync(file, 'utf8')) as Projection
  t.true(stdout.startsWith(`${sequence} changes: `))
  t.deepEqual(changes, await counted(t, root, sequence), 'at the end')
})

function stored(file: string): Projection {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Projection) : { sequence: 0, changes: {} }
}

/** What the files say, whoever writes them meanwhile. */
async function countedInFiles(directory: string, through: number): Promise<Record<string, number>> {
  const changes: Record<string, number> = {}
  const cursor = new ChangeCursor(disk, directory, 0 as Sequence)
  for (;;) {
    const events = await cursor.read(through as Sequence)
    if (events.length === 0) return changes
    for (const { event } of events) {
      const kind = 'key' in event ? (event.key.split(':')[0] as string) : '(all)'
      changes[kind] = (changes[kind] ?? 0) + 1
    }
  }
}

test('a projection and its cache that are killed apart: it misses no change and counts none twice, and goes on with the next owner', async (t) => {
  t.timeout(10 * 60_000)
  const root = temporaryDirectory(t)
  const [directory, file] = [join(root, 'journal'), join(root, 'projection.json')]
  const start = (what: string) => {
    const child = spawn(process.execPath, [PROGRAM, what, directory, file], { stdio: ['ignore', 'ignore', 'inherit'] })
    t.teardown(() => child.kill('SIGKILL'))
    return child
  }
  const end = async (child: ChildProcess, signal: NodeJS.Signals) => {
    child.kill(signal)
    await once(child, 'close')
  }
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
  /** Resolves when the projection has been stored with something after that sequence. */
  const beyond = async (sequence: number) => {
    while (stored(file).sequence <= sequence) {
      if (projection.exitCode !== null) throw new Error(`the projection has ended at ${stored(file).sequence}`)
      await pause(5)
    }
  }
  const random = new Random(countFrom('DAYBOOK_KILL_SEED', Date.now()))
  let [cache, projection] = [start('write'), start('project')]
  for (let kill = 0; kill < KILLS; kill++) {
    await beyond(stored(file).sequence)
    await pause(random.below(100))
    const which = (['the projection', 'the cache', 'both'] as const)[kill % 3]
    const isOwnerLeft = which === 'the projection'
    await Promise.all([
      ...(which === 'the cache' ? [] : [end(projection, 'SIGKILL')]),
      ...(isOwnerLeft ? [] : [end(cache, kill % 2 === 0 ? 'SIGKILL' : 'SIGTERM')]),
    ])
    const { sequence, changes } = stored(file)
    t.deepEqual(
      changes,
      await countedInFiles(directory, sequence),
      `after kill ${kill}, of ${which}, through ${sequence}`,
    )
    if (!isOwnerLeft) cache = start('write')
    if (which !== 'the cache') projection = start('project')
  }
  await beyond(stored(file).sequence)
  t.is(projection.exitCode, null)
  await Promise.all([end(cache, 'SIGTERM'), end(projection, 'SIGKILL')])
  const { sequence, changes } = stored(file)
  t.deepEqual(changes, await countedInFiles(directory, sequence), 'at the end')
})
