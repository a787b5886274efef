/**
 * The two processes of a test of projections: one owns a shared cache and changes it, the other one counts the changes by kind of key, in
 * a file that it replaces as a whole.
 *
 *   node projecting.js write DIRECTORY
 *   node projecting.js project DIRECTORY FILE
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { openShared } from '../../../src/processes.js'

interface Projection {
  /** The last change that is counted. */
  sequence: number
  changes: Record<string, number>
}

/** Changes between two times at which the projection is stored. */
const STORED_EVERY = 20

function load(file: string): Projection {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Projection
  } catch {
    return { sequence: 0, changes: {} }
  }
}

function store(file: string, projection: Projection): void {
  const handle = openSync(`${file}.tmp`, 'w')
  writeSync(handle, JSON.stringify(projection))
  fsyncSync(handle)
  closeSync(handle)
  renameSync(`${file}.tmp`, file)
  const parent = openSync(dirname(file), 'r')
  fsyncSync(parent)
  closeSync(parent)
}

async function project(directory: string, file: string): Promise<void> {
  const cache = await openShared({ directory, owner: 'never', reconnectTimeout: 60 })
  const projection = load(file)
  let count = 0
  for await (const { sequence, key } of cache.changesSince(projection.sequence)) {
    const kind = key?.split(':')[0] ?? '(all)'
    projection.changes[kind] = (projection.changes[kind] ?? 0) + 1
    projection.sequence = sequence
    if (++count % STORED_EVERY === 0) store(file, projection)
  }
}

async function write(directory: string): Promise<void> {
  const cache = await openShared({
    directory,
    owner: 'prefer',
    history: '7d',
    fsync: 'always',
    maxSize: 100,
    compaction: { journalBytes: 64 * 1024 },
  })
  process.once('SIGTERM', async () => {
    await cache.close()
    process.exit(0)
  })
  const kinds = ['user', 'order', 'session']
  for (let count = 0; ; count++) {
    const key = `${kinds[count % kinds.length]}:${count % 150}`
    const calls = [cache.set(key, { count }), ...(count % 10 === 0 ? [cache.delete(key)] : [])]
    await Promise.all(calls).catch(() => undefined)
    if (count % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

const [, , what, directory = '', file = ''] = process.argv
await (what === 'write' ? write(directory) : project(directory, file))
