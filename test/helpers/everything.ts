import type { Cache } from '../../src/index.js'

/** Everything that can be read of a cache without changing it, to show that a refused call changed nothing. */
export function everything(cache: Cache<never> | Cache<unknown>) {
  const { journal, atMs: _, ...counters } = cache.stats()
  return {
    counters,
    sequence: journal.sequence,
    entries: [...(cache as Cache).entries()], // in order of use
    ttls: (cache as Cache).keys().map((key) => cache.ttl(key)),
  }
}
