/**
 * A projection: how many changes each kind of key has seen (`user`, `order`, …), in a file of its own. It follows the journal with
 * `changesSince`, and stores the counts together with the sequence that they include, in one atomic step. So it can be killed
 * at any time, with the cache or without: it goes on where its file says, and neither misses a change nor counts one twice.
 *
 *   node examples/projection.js [HOW MANY CHANGES TO MAKE]
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Cache, openCache } from 'daybook'

interface Projection {
  /** The last change that is counted. */
  sequence: number
  changes: Record<string, number>
}

const directory = join(tmpdir(), 'daybook-projection')
const file = join(tmpdir(), 'daybook-projection.json')

function load(): Projection {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Projection
  } catch {
    return { sequence: 0, changes: {} }
  }
}

/** The name belongs to the old file or to the new one, whole, whatever happens. */
function store(projection: Projection): void {
  const temporary = `${file}.tmp`
  const handle = openSync(temporary, 'w')
  writeSync(handle, JSON.stringify(projection))
  fsyncSync(handle)
  closeSync(handle)
  renameSync(temporary, file)
  const parent = openSync(dirname(file), 'r')
  fsyncSync(parent)
  closeSync(parent)
}

/** Ends when the cache is closed, and has then counted every change. */
async function project(cache: Cache): Promise<Projection> {
  const projection = load()
  let notStored = 0
  for await (const { sequence, key } of cache.changesSince(projection.sequence)) {
    const kind = key?.split(':')[0] ?? '(all)'
    projection.changes[kind] = (projection.changes[kind] ?? 0) + 1
    projection.sequence = sequence
    if (++notStored < 50) continue
    store(projection)
    notStored = 0
  }
  store(projection)
  return projection
}

// The past that the projection may still need is kept, however long it was not running.
const cache = await openCache({ directory, history: '7d', maxSize: 100, compaction: { journalBytes: 64 * 1024 } })
const projected = project(cache)

const kinds = ['user', 'order', 'session']
for (let left = Number(process.argv[2] ?? 300); left > 0; left--) {
  const kind = kinds[left % kinds.length]
  cache.set(`${kind}:${left % 150}`, { left })
  if (left % 10 === 0) cache.delete(`user:${left % 150}`)
  if (left % 25 === 0) await new Promise((resolve) => setImmediate(resolve))
}
await cache.close()
const { sequence, changes } = await projected
console.log(`${sequence} changes: ${JSON.stringify(changes)}`)
