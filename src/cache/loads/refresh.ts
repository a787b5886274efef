/** When a hit starts a reload before its entry has expired. Before: `get-or-set.ts` and clients. */

/**
 * Whether this share of the ttl has passed, so that a hit is to start a reload. `leftMs`: until the entry is no longer fresh.
 * An entry without a deadline, or with a ttl that never ends, never becomes due.
 */
export function isDue(leftMs: number, ttlMs: number, refresh: number): boolean {
  return ttlMs !== Number.POSITIVE_INFINITY && ttlMs - leftMs >= ttlMs * refresh
}
