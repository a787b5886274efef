/**
 * The projection of examples/projection.ts, killed at random moments together with its cache. DAYBOOK_PROJECTION_KILLS: how often.
 */
import { execFile, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { openCache } from '../../src/index.js'
import { Random } from '../helpers/random.js'
import { countFrom } from '../helpers/runs.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

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
