/**
 * A process of its own, in which nothing has been compiled yet: makes its first call of a method so many frames before the end
 * of the stack, and prints what became of it as JSON.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { type Cache, memoryJournal, openCache } from '../../src/index.js'

/** The most different ones first. */
export const CALLS: Record<string, (cache: Cache) => unknown> = {
  'set with a ttl': (cache) => cache.set('a', 2, { ttl: '1ms' }),
  setMany: (cache) => cache.setMany([['a', 2]]),
  clear: (cache) => cache.clear(),
  take: (cache) => cache.take('a'),
  increment: (cache) => cache.increment('a'),
  resize: (cache) => cache.resize({ maxSize: 5 }),
  set: (cache) => cache.set('a', 2),
  delete: (cache) => cache.delete('a'),
}

export interface Outcome {
  threw: string | undefined
  /** Events in the journal before and after the call. */
  sequences: [number, number]
  /** What subscribers were told. */
  changes: number
  /** The value that is there, and the one that is there after reopening. */
  values: unknown[]
}

async function main(method: string, isObserved: boolean, framesLeft: number): Promise<void> {
  const call = CALLS[method] as (cache: Cache) => unknown
  const journal = memoryJournal()
  const cache = await openCache({ journal })
  cache.setMany([
    ['a', 1],
    ['b', 1],
  ])
  let changes = 0
  if (isObserved) cache.changes$.subscribe(() => changes++)
  let load = (_value: unknown): void => undefined
  const loaded = cache.getOrSet('loaded', () => new Promise((resolve) => (load = resolve)))
  await wait(1)
  const before = cache.stats().journal.sequence
  let depth = 0
  const descend = (left: number): void => {
    depth++
    if (left === 0) call(cache)
    else descend(left - 1)
  }
  try {
    descend(Number.POSITIVE_INFINITY)
  } catch {
    // This is how deep the stack is.
  }
  let threw: string | undefined
  try {
    descend(depth - framesLeft)
  } catch (error) {
    threw = String(error)
  }
  const after = cache.stats().journal.sequence
  load('old')
  await loaded
  for (let turn = 0; turn < 20 && cache.has('a') && method === 'set with a ttl' && threw === undefined; turn++)
    await wait(5)
  await wait(1)
  const values = [cache.peek('a'), cache.peek('loaded')]
  await cache.close()
  const again = await openCache({ journal })
  values.push(again.peek('a'), again.peek('loaded'))
  await again.close()
  console.log(JSON.stringify({ threw, sequences: [before, after], changes, values }))
}

const [, file, method, isObserved, framesLeft] = process.argv
if (file?.endsWith('deep-first-call.js') === true)
  await main(method as string, isObserved === 'true', Number(framesLeft))
