import type { ExecutionContext } from 'ava'
import { type Cache, type CacheOptions, type Journal, memoryJournal, openCache } from '../../src/index.js'
import { CountingClock } from './counting-clock.js'

export interface Opened<V> {
  cache: Cache<V>
  clock: CountingClock
  journal: Journal
}

/** A cache on a journal in memory, with a clock moved by hand; closed at the end of the test. */
export async function openMemory<V = unknown>(
  t: ExecutionContext,
  options: Omit<CacheOptions, 'clock'> & { clock?: CountingClock } = {},
): Promise<Opened<V>> {
  const { clock = new CountingClock(), journal = memoryJournal() } = options
  const cache = await openCache<V>({ ...options, clock, journal })
  t.teardown(() => cache.close().catch(() => undefined))
  return { cache, clock, journal }
}

/** Closes a cache and opens its journal again. */
export async function reopen<V>(
  t: ExecutionContext,
  opened: Opened<V>,
  options: CacheOptions = {},
): Promise<Opened<V>> {
  await opened.cache.close()
  const { clock, journal } = opened
  return openMemory<V>(t, { ...options, clock, journal })
}
