/** A random history of a cache on a simulated disk, with compactions, reopenings, crashes, loads and clears, and what it should be. */
import type { Cache } from '../../src/cache/cache.js'
import type { CacheOptions } from '../../src/index.js'
import { openWithin } from '../../src/open.js'
import { ManualClock } from '../../src/testing.js'
import { SimulatedDisk } from './durable/simulated-disk.js'
import { loopTurn } from './loop-turn.js'
import { type NaiveEntry, NaivePast } from './naive-past.js'
import { Random } from './random.js'

export interface RandomPast {
  cache: Cache
  disk: SimulatedDisk
  clock: ManualClock
  naive: NaivePast
  random: Random
}

const NEVER = Number.POSITIVE_INFINITY

export async function playRandomPast(
  seed: number,
  steps: number,
  history: CacheOptions['history'] = NEVER,
): Promise<RandomPast> {
  const random = new Random(seed * 7919 + 1)
  const clock = new ManualClock()
  const disk = new SimulatedDisk()
  const naive = new NaivePast()
  let process = disk.process()
  let saved = new Map<string, NaiveEntry>()
  const one = <T>(...choices: T[]): T => choices[random.below(choices.length)] as T
  const key = () => `${one('a', 'b')}:${random.below(8)}`

  const open = async (): Promise<Cache> => {
    process = disk.process()
    const options: CacheOptions = {
      directory: '/j',
      history,
      clock,
      cleanupInterval: 0,
      fsync: one('always', 'everysec', 'never'),
      compaction: { journalBytes: one(900, 1e9), factor: 0, segmentBytes: one(500, 5_000) },
    }
    const cache = await openWithin(options, { storage: process, newMaxSize: 1_000 })
    naive.forgetAfter(cache.stats().journal.sequence)
    cache.changes$.subscribe((change) => {
      naive.tell(change, clock.now(), change.type === 'loaded' ? loadable(saved, cache, clock.now()) : undefined)
    })
    return cache
  }

  let cache = await open()
  for (let step = 0; step < steps; step++) {
    switch (random.below(20)) {
      case 0:
        cache.delete(key())
        break
      case 1:
        cache.transact(() => {
          for (let count = random.below(5) + 1; count > 0; count--) cache.set(key(), { step, count })
          cache.delete(key())
        })
        break
      case 2:
        cache.increment('count', random.below(9))
        break
      case 3:
        cache.expire(key(), 1 + random.below(5))
        break
      case 4:
      case 5:
        // What happens at a time is written at that time: all deadlines are at whole seconds.
        for (let seconds = 1 + random.below(3); seconds > 0; seconds--) {
          await loopTurn()
          clock.advance(1)
        }
        await loopTurn()
        break
      case 6:
        await cache.flush()
        break
      case 7:
      case 8:
        await cache.compact()
        break
      case 9:
        await loopTurn()
        process.kill()
        cache.close({ force: true }).catch(() => undefined)
        cache = await open()
        break
      case 10:
        await cache.close()
        cache = await open()
        break
      case 11:
        cache.deleteTag(one('red', 'green'))
        break
      case 12:
        cache.expireTag(one('red', 'green'))
        break
      case 13:
        if (random.below(3) === 0) cache.clear()
        break
      case 14: {
        const path = '/saved'
        await cache.save(path)
        saved = naive.at(naive.last)
        cache.set(key(), 'between')
        if (random.below(2) === 0) await cache.load(path)
        break
      }
      case 16:
        if (random.below(3) === 0) cache.resize({ maxSize: one(6, 1_000) })
        break
      case 15:
        cache.persist(key())
        break
      default:
        cache.set(key(), `${step}`.padEnd(one(3, 40, 200), 'x'), {
          ...one({}, { ttl: 1 + random.below(4) }, { ttl: 2, stale: 3 }),
          ...one({}, { tags: ['red'] }, { tags: ['red', 'green'] }),
        })
    }
    if (random.below(3) === 0) await loopTurn()
  }
  await loopTurn()
  return { cache, disk, clock, naive, random }
}

/** What of a file is loaded: what has not expired, and as much as there is room for. */
function loadable(saved: Map<string, NaiveEntry>, cache: Cache, nowMs: number): [string, NaiveEntry][] {
  return [...saved].filter(([, { expiresAtMs }]) => nowMs < expiresAtMs).slice(-cache.stats().journal.maxSize)
}
