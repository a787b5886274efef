/**
 * `save` and `load` on a disk that fails: each operation that they make fails once with each error. The call resolves with the
 * error, the files and the cache are what they were, and no temporary file is left.
 */
import test, { type ExecutionContext } from 'ava'
import type { Cache } from '../../../src/index.js'
import { openWithin } from '../../../src/open.js'
import { ManualClock } from '../../../src/testing.js'
import { type Fault, type Image, SimulatedDisk } from '../../helpers/durable/simulated-disk.js'
import { loopTurn } from '../../helpers/loop-turn.js'

const FAULTS: readonly Fault[] = [{ error: 'ENOSPC' }, { error: 'EIO' }, { error: 'ENOSPC', partial: 10 }]
const LONG = 'long enough for several writes '.repeat(1_000)

/** A cache with one entry, on a disk that has these files beside its journal. */
async function openOn(files: Image): Promise<{ disk: SimulatedDisk; cache: Cache<unknown> }> {
  const disk = SimulatedDisk.of(files)
  const cache = await openWithin({ directory: '/journal', clock: new ManualClock(0) }, { storage: disk.process() })
  cache.set('a', LONG)
  await cache.flush()
  await loopTurn() // the journal notes what is durable
  return { disk, cache }
}

interface Failure {
  /** The operation that failed. */
  name: string
  outcome: { ok: boolean; error?: Error }
  cache: Cache<unknown>
  before: Image
  after: Image
}

/** Files as texts, which compare fast. */
function textsOf(files: Image, isCompared = (_: string) => true): Map<string, string> {
  const compared = [...files].filter(([path]) => isCompared(path))
  return new Map(compared.sort().map(([path, bytes]) => [path, Buffer.from(bytes).toString('latin1')]))
}

/** Lets the nth operation of a call fail, for each n until there is none. Returns the names of all that failed. */
async function failEach(
  t: ExecutionContext,
  files: Image,
  call: (cache: Cache<unknown>) => Promise<{ ok: boolean; error?: Error }>,
  check: (failure: Failure) => void,
): Promise<Set<string>> {
  const failed = new Set<string>()
  for (const fault of FAULTS) {
    let name: string | undefined
    for (let operation = 0; operation === 0 || name !== undefined; operation++) {
      t.true(operation < 1_000)
      const { disk, cache } = await openOn(files)
      const before = disk.image()
      const nth = disk.calls + operation
      disk.plan = (made) => {
        if (made.index === nth) name = made.name
        return made.index === nth ? fault : undefined
      }
      name = undefined
      const outcome = await call(cache)
      disk.plan = undefined
      // Only a write can be partial.
      if (name !== undefined && (fault.partial === undefined || /^write/.test(name))) {
        failed.add(name)
        check({ name, outcome, cache, before, after: disk.image() })
        t.true(cache.set('after', 1), `${name}: the cache is still writable`)
      }
      await cache.close()
    }
  }
  return failed
}

for (const path of ['/cache.pickle', '/cache.dbk']) {
  test(`save to ${path}: if the disk fails, the old file stays and no other is left`, async (t) => {
    const old = new Map([[path, new TextEncoder().encode('old')]])
    const names = await failEach(
      t,
      old,
      (cache) => cache.save(path),
      ({ name, outcome, before, after }) => {
        t.false(outcome.ok, name)
        t.regex(outcome.error?.message ?? '', /ENOSPC|EIO/)
        t.deepEqual([...after.keys()].sort(), [...before.keys()].sort(), name)
        // Before this one the new file has got the name.
        if (name === 'syncDirectory') t.like(outcome.error, { code: 'OUTCOME_UNKNOWN' })
        else t.deepEqual(textsOf(after), textsOf(before), name)
      },
    )
    for (const name of ['create', 'writeLater', 'sync', 'rename', 'syncDirectory']) t.true(names.has(name), name)
  })

  test(`load of ${path}: if the disk fails, the cache and the files are what they were`, async (t) => {
    const other = await openOn(new Map())
    other.cache.set('b', 2)
    t.true((await other.cache.save(path)).ok)
    const saved = new Map([...other.disk.image()].filter(([file]) => file === path))
    const names = await failEach(
      t,
      saved,
      (cache) => cache.load(path),
      ({ name, outcome, cache, before, after }) => {
        if (name === 'unlink') return // of what an earlier load may have left
        t.false(outcome.ok, name)
        t.regex(outcome.error?.message ?? '', /ENOSPC|EIO/)
        t.deepEqual([cache.keys(), cache.peek('a')], [['a'], LONG], name)
        // Before this one the journal's copy has got its name. It is ignored, and compaction removes it.
        const isLeft = (file: string) => name === 'syncDirectory' && file.endsWith('.loaded')
        t.deepEqual(
          textsOf(after, (file) => !isLeft(file)),
          textsOf(before),
          name,
        )
      },
    )
    for (const name of ['open', 'read', 'create', 'writeLater', 'sync', 'rename', 'syncDirectory'])
      t.true(names.has(name), name)
    await other.cache.close()
  })
}
