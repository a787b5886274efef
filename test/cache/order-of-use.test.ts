/** The order of use after a clean close is exact, in every history, and reads alone hardly make the journal grow. */
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type Cache, memoryJournal, openCache } from '../../src/index.js'
import { openWithin } from '../../src/open.js'
import { ManualClock } from '../../src/testing.js'
import { filesOf } from '../helpers/cli/journals.js'
import { SimulatedDisk } from '../helpers/durable/simulated-disk.js'
import { loopTurn } from '../helpers/loop-turn.js'
import { Random } from '../helpers/random.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const COUNT = 5_000
const OPTIONS = { maxSize: Number.POSITIVE_INFINITY, fsync: 'never', compaction: false } as const

/** In the order of use. */
const keysOf = (cache: Cache) => [...cache.entries()].map(([key]) => key)

async function filled(directory: string): Promise<Cache> {
  const cache = await openCache({ directory, ...OPTIONS })
  cache.setMany(Array.from({ length: COUNT }, (_, at): [string, number] => [`a key of some length, number ${at}`, at]))
  return cache
}

function readAtRandom(cache: Cache, count: number, seed: number): void {
  const random = new Random(seed)
  const keys = cache.keys()
  for (let at = 0; at < count; at++) cache.get(keys[random.below(keys.length)] as string)
}

const bytesOf = (directory: string) =>
  filesOf(directory, 'segment').reduce((sum, file) => sum + readFileSync(join(directory, file)).length, 0)

test('reads alone make the journal grow by at most five bytes an entry and close', async (t) => {
  const directory = temporaryDirectory(t)
  await (await filled(directory)).close()
  for (let close = 1; close <= 3; close++) {
    const before = bytesOf(directory)
    const cache = await openCache({ directory, ...OPTIONS })
    readAtRandom(cache, 3 * COUNT, close)
    const order = keysOf(cache)
    await cache.close()
    const growth = bytesOf(directory) - before
    t.true(growth <= 3 * COUNT + 200, `${growth} bytes`)
    const again = await openCache({ directory, ...OPTIONS })
    t.deepEqual(keysOf(again), order)
    await again.close()
    t.is(bytesOf(directory), before + growth, 'nothing was read: nothing is written')
  }
})

test('a few reads take a few bytes', async (t) => {
  const directory = temporaryDirectory(t)
  await (await filled(directory)).close()
  const before = bytesOf(directory)
  const cache = await openCache({ directory, ...OPTIONS })
  readAtRandom(cache, 5, 1)
  await cache.close()
  t.true(bytesOf(directory) - before < 200)
})

test('after a clear that was undone the order is exact, too', async (t) => {
  const journal = memoryJournal()
  const cache = await openCache({ journal, ...OPTIONS })
  for (const key of ['a', 'b', 'c']) cache.set(key, 1)
  cache.touch('a')
  t.throws(() =>
    cache.transact(() => {
      cache.clear()
      throw new Error('undo this')
    }),
  )
  t.deepEqual(keysOf(cache), ['b', 'c', 'a'])
  await cache.close()
  const again = await openCache({ journal, ...OPTIONS })
  t.deepEqual(keysOf(again), ['b', 'c', 'a'])
  await again.close()
})

const HISTORIES: Record<string, (cache: Cache, t: ExecutionContext) => Promise<void>> = {
  'a compaction after the reads': async (cache) => {
    readAtRandom(cache, COUNT, 1)
    await cache.compact()
  },
  'a compaction before the reads': async (cache) => {
    readAtRandom(cache, COUNT, 1)
    await cache.compact()
    readAtRandom(cache, COUNT, 2)
  },
  'reads, writes and removals while a snapshot is written': async (cache) => {
    readAtRandom(cache, COUNT, 1)
    const running = cache.compact()
    let isDone = false
    void running.then(() => (isDone = true))
    for (let at = 0; !isDone; at++) {
      readAtRandom(cache, 20, at)
      cache.delete(cache.keys()[7 * at] ?? '')
      cache.set(`new ${at}`, at)
      cache.set(`a key of some length, number ${11 * at}`, -1)
      await loopTurn()
    }
    readAtRandom(cache, COUNT, 3)
  },
  'two compactions': async (cache) => {
    for (const seed of [1, 2]) {
      readAtRandom(cache, COUNT, seed)
      cache.delete(cache.keys()[seed] as string)
      await cache.compact()
      cache.set(`after ${seed}`, 1)
    }
    readAtRandom(cache, COUNT, 3)
  },
  'a load': async (cache, t) => {
    const path = join(temporaryDirectory(t), 'saved')
    readAtRandom(cache, COUNT, 1)
    t.like(await cache.save(path), { ok: true })
    cache.clear()
    cache.set('in between', 1)
    t.like(await cache.load(path), { ok: true, entries: COUNT })
    readAtRandom(cache, COUNT, 2)
  },
  'a clear, and other entries': async (cache) => {
    cache.clear()
    for (let at = 0; at < 100; at++) cache.set(`other ${at}`, at)
    readAtRandom(cache, 200, 1)
  },
  'a transaction that is undone': async (cache) => {
    readAtRandom(cache, COUNT, 1)
    const [first = '', second = ''] = cache.keys()
    mustThrow(() =>
      cache.transact(() => {
        cache.delete(first)
        cache.set('undone', 1)
        cache.delete(second)
        cache.set(first, 'again')
        throw new Error('undo')
      }),
    )
    cache.set('done', 1)
    readAtRandom(cache, COUNT, 2)
  },
}

function mustThrow(call: () => void): void {
  try {
    call()
  } catch {
    return
  }
  throw new Error('it did not throw')
}

for (const [what, live] of Object.entries(HISTORIES)) {
  test(`the order of use comes back: ${what}`, async (t) => {
    const directory = temporaryDirectory(t)
    await (await filled(directory)).close()
    for (const _ of [1, 2]) {
      const cache = await openCache({ directory, ...OPTIONS })
      await live(cache, t)
      const order = keysOf(cache)
      await cache.close()
      const again = await openCache({ directory, ...OPTIONS })
      t.deepEqual(keysOf(again), order)
      // A later close without reads writes no order of use: this one still counts, with what has changed since.
      again.delete(order[3] as string)
      again.set(order[1] as string, 'used')
      again.set('newest', 1)
      await again.close()
      const third = await openCache({ directory, ...OPTIONS })
      const later = order.filter((key, at) => at !== 3 && at !== 1 && key !== 'newest')
      t.deepEqual(keysOf(third), [...later, order[1] as string, 'newest'])
      await third.close()
    }
  })
}

test('the order of use comes back after a crash of the next run, as of the close before', async (t) => {
  const directory = temporaryDirectory(t)
  const copy = temporaryDirectory(t)
  const cache = await filled(directory)
  readAtRandom(cache, COUNT, 1)
  const order = keysOf(cache)
  await cache.close()
  const next = await openCache({ directory, ...OPTIONS })
  readAtRandom(next, COUNT, 2) // lost
  next.set('last', 1)
  await loopTurn()
  cpSync(directory, copy, { recursive: true })
  await next.close()
  const recovered = await openCache({ directory: copy, ...OPTIONS })
  t.deepEqual(keysOf(recovered), [...order, 'last'])
  await recovered.close()
})

test('a compaction before the first change does not bring back an older order of use, also after a crash', async (t) => {
  const directory = temporaryDirectory(t)
  const copy = temporaryDirectory(t)
  const open = (where = directory) => openCache({ directory: where, ...OPTIONS })
  const first = await open()
  for (const key of ['a', 'b', 'c']) first.set(key, 1)
  await first.compact()
  first.get('b')
  await first.close() // its order of use is that of the snapshot's rows: a, b, c
  const next = await open()
  await next.compact() // a snapshot of the same sequence, whose rows are a, c, b
  cpSync(directory, copy, { recursive: true })
  await next.close()
  const crashed = await open(copy)
  t.deepEqual(keysOf(crashed), ['a', 'c', 'b'])
  await crashed.close()
  const last = await open()
  t.deepEqual(keysOf(last), ['a', 'c', 'b'])
  await last.close()
})

test('a close that ends a compaction before the first change keeps the order of use', async (t) => {
  const directory = temporaryDirectory(t)
  const open = () => openCache({ directory, ...OPTIONS })
  const first = await open()
  for (const key of ['a', 'b', 'c']) first.set(key, 1)
  await first.compact()
  first.get('b')
  await first.close()
  const next = await open()
  let closing: Promise<void> | undefined
  next.lifecycle$.subscribe(({ state, done }) => {
    if (state === 'compacting' && done === 3) closing ??= next.close()
  })
  await t.throwsAsync(next.compact(), { code: 'CACHE_CLOSED' })
  await closing
  const last = await open()
  t.deepEqual(keysOf(last), ['a', 'c', 'b'])
  await last.close()
})

/** A cache that was read in another order than it was written, on a disk that may fail. */
async function readOutOfOrder() {
  const disk = new SimulatedDisk()
  const clock = new ManualClock(0)
  const open = () => openWithin({ directory: '/j', clock, ...OPTIONS }, { storage: disk.process() })
  const cache = await open()
  for (const key of ['a', 'b', 'c', 'd', 'e']) cache.set(key, 1)
  for (const key of ['c', 'a', 'd']) cache.get(key)
  await cache.flush()
  return { disk, open, cache }
}

test('the order of use comes back after a compaction whose directory could not be synced', async (t) => {
  const { disk, open, cache } = await readOutOfOrder()
  let isRenamed = false
  disk.plan = ({ name }) => {
    if (name === 'syncDirectory' && isRenamed) return { error: 'EIO' }
    isRenamed ||= name === 'rename'
    return undefined
  }
  await t.throwsAsync(cache.compact(), { code: 'COMPACTION_FAILED' })
  disk.plan = undefined
  for (const key of ['e', 'b']) cache.get(key)
  const order = keysOf(cache)
  await cache.close()
  const again = await open()
  t.truthy(again.recovery.snapshot)
  t.deepEqual(keysOf(again), order)
  await again.close()
})

test('the order of use comes back after a close during such a compaction', async (t) => {
  const { disk, open, cache } = await readOutOfOrder()
  const order = keysOf(cache)
  let isRenamed = false
  let closing: Promise<void> | undefined
  disk.plan = ({ name }) => {
    if (name === 'syncDirectory' && isRenamed && closing === undefined) {
      closing = cache.close()
      return { error: 'EIO' }
    }
    isRenamed ||= name === 'rename'
    return undefined
  }
  await t.throwsAsync(cache.compact(), { code: 'COMPACTION_FAILED' })
  await closing
  const again = await open()
  t.truthy(again.recovery.snapshot)
  t.deepEqual(keysOf(again), order)
  await again.close()
})

test('an order of use that does not fit is ignored: the entries are in the order in which they were written', async (t) => {
  const journal = memoryJournal()
  const { close } = journal
  for (const bytes of [Uint8Array.of(), Uint8Array.of(3, 7, 2, 1, 0), Uint8Array.of(2, 5, 1, 1), Uint8Array.of(2, 5)]) {
    const cache = await openCache({ journal })
    cache.clear()
    cache.set('a', 1)
    cache.set('b', 1)
    cache.get('a')
    journal.close = () => close.call(journal, bytes)
    await cache.close()
    journal.close = close
    const again = await openCache({ journal })
    t.deepEqual(keysOf(again), ['a', 'b'])
    await again.close()
  }
})

test('older orders of use are not decoded', async (t) => {
  const journal = memoryJournal()
  const { close } = journal
  const cache = await openCache({ journal })
  cache.set('a', 1)
  cache.set('b', 1)
  journal.close = () => close.call(journal, Uint8Array.of(9, 9, 9))
  await cache.close()
  journal.close = close
  const second = await openCache({ journal })
  second.get('a')
  await second.close()
  const third = await openCache({ journal })
  t.deepEqual(keysOf(third), ['b', 'a'])
  await third.close()
})
