/**
 * After an append no function may be called for the first time, because V8 would compile it, which takes much stack. V8's coverage
 * counts every call of every function, so these tests see which ones run between an append and the end of the call, without naming
 * any of them.
 */
import { Session } from 'node:inspector'
import test from 'ava'
import type { Observable } from 'rxjs'
import { rehearse } from '../../src/cache/rehearsal.js'
import { type Cache, type CacheOptions, type Journal, memoryJournal, openCache } from '../../src/index.js'
import { SpeculativeJournal } from '../helpers/speculative-journal.js'

const SOURCE = new URL('../../src/', import.meta.url).href

const session = new Session()
session.connect()
session.post('Profiler.enable')
session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
test.after(() => session.disconnect())

/** The functions of this library that were called since the last time this was called. */
function called(): Set<string> {
  const names = new Set<string>()
  session.post('Profiler.takePreciseCoverage', (_, { result }) => {
    for (const { url, functions } of result) {
      if (!url.startsWith(SOURCE)) continue
      for (const { functionName, ranges } of functions) {
        if ((ranges[0]?.count ?? 0) > 0)
          names.add(`${url.slice(SOURCE.length)} ${functionName} ${ranges[0]?.startOffset}`)
      }
    }
  })
  return names
}

const rehearsed = new Set<string>()
for (const eviction of ['lru', 's3-fifo'] as const) {
  for (const isSpeculative of [false, true]) {
    rehearse(eviction, isSpeculative)
    for (const name of called()) rehearsed.add(name)
  }
}

/** Called at the end of an append: what ran before it does not matter. */
function startAfter(first: number): number {
  called()
  return first
}

const CALLS: Record<string, (cache: Cache) => unknown> = {
  'set of a new key': (cache) => cache.set('new', 1),
  'set of a key': (cache) => cache.set('a', 2),
  'set with a ttl': (cache) => cache.set('a', 2, { ttl: 1_000 }),
  'set that evicts one': (cache) => {
    for (const key of [...'defghijklmnop']) cache.set(key, 1)
  },
  'set that evicts': (cache) => cache.setMany([...'defghijklmnopdefghijk'].map((key) => [key, 1])),
  'set that becomes stale': (cache) => cache.set('a', 2, { ttl: 1_000, stale: 1_000 }),
  'set with tags': (cache) => cache.set('a', 2, { tags: ['x', 'y', 'z'] }),
  'set that replaces tags': (cache) => cache.set('tagged x', 2, { tags: ['z'] }),
  'set without the tags that were there': (cache) => cache.set('tagged x', 2),
  'expire of what becomes stale': (cache) => cache.expire('stale x', 9),
  'delete of what has tags': (cache) => cache.delete('tagged x'),
  deleteTag: (cache) => cache.deleteTag('x', 'y'),
  expireTag: (cache) => cache.expireTag('y', 'x'),
  increment: (cache) => cache.increment('a'),
  delete: (cache) => cache.delete('a'),
  take: (cache) => cache.take('a'),
  expire: (cache) => cache.expire('a', 1_000),
  persist: (cache) => cache.persist('timed 3000'),
  clear: (cache) => cache.clear(),
  resize: (cache) => cache.resize({ maxSize: 2 }),
  deleteMany: (cache) => cache.deleteMany(['a', 'none']),
  deletePattern: (cache) => cache.deletePattern('*'),
  'a transaction that is undone': (cache) =>
    cache.transact(() => {
      for (const method of Object.keys(CALLS)) if (!method.startsWith('a ')) CALLS[method]?.(cache)
      called()
      throw new Error('undo this')
    }),
}

for (const kind of ['idle', 'busy', 'speculative'] as const) {
  for (const limits of [{ maxSize: 12 }, { maxBytes: 200 }, { maxSize: 12, eviction: 's3-fifo' as const }]) {
    for (const [name, call] of Object.entries(CALLS)) {
      const where = `${kind} cache with ${Object.keys(limits).join(' and ')}`
      test.serial(`after its append, ${name} calls no function for the first time: ${where}`, async (t) => {
        const { cache, after } = await watched(
          limits,
          kind === 'speculative' ? new SpeculativeJournal() : memoryJournal(),
        )
        if (kind === 'busy') keepBusy(cache)
        const news = after(() => call(cache))
        t.deepEqual(news, [])
        await cache.close()
      })
    }
  }
}

/** Everything that is called during or after a change is there: subscribers, a load, and two readers of frozen rows. */
function keepBusy(cache: Cache): void {
  const { changes$, expirations$, evictions$, removals$ } = cache
  for (const stream of [changes$, expirations$, evictions$, removals$] as Observable<unknown>[]) stream.subscribe()
  cache.getOrSet('a load', () => new Promise(() => undefined)).catch(() => undefined)
  for (const entries of [cache.entries(), cache.entries()]) entries.next()
}

async function watched(options: CacheOptions, journal: Journal) {
  const cache: Cache = await openCache({ ...options, journal })
  cache.setMany([
    ['a', 1],
    ['b', 1],
  ])
  for (const key of ['a', 'b', 'a', 'b', 'a']) cache.get(key)
  for (const ttl of [1_000, 7_000, 3_000, 5_000, 2_000, 4_000]) cache.set(`timed ${ttl}`, 1, { ttl })
  cache.set('tagged x', 1, { tags: ['x', 'y'] })
  cache.set('stale x', 1, { ttl: 1_000, stale: 1_000, tags: ['x'] })
  return {
    cache,
    after(call: () => unknown): string[] {
      const { append, appendSet } = journal
      journal.append = (...parameters) => startAfter(append.apply(journal, parameters))
      journal.appendSet = (...parameters) => startAfter(appendSet?.apply(journal, parameters) as number)
      try {
        call()
      } catch {
        // The transaction that throws.
      }
      return [...called()].filter((name) => !rehearsed.has(name))
    },
  }
}
