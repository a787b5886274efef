/** What only some entries have: a time at which they become stale, and tags. */
export interface Extension {
  /** From then until its deadline the entry is stale, epoch milliseconds; `Infinity` for an entry that never is. */
  readonly freshUntilMs: number
  /** Each once. */
  readonly tags: readonly string[]
}

export const NO_TAGS: readonly string[] = []

/** Undefined if there is nothing to keep. */
export function extensionOf(freshUntilMs: number, tags: readonly string[]): Extension | undefined {
  return freshUntilMs === Number.POSITIVE_INFINITY && tags.length === 0 ? undefined : { freshUntilMs, tags }
}

/**
 * How many different tags there can be. V8's Map has at most 2^24 places, and rebuilds them at the same size as long as at least
 * half of them are those of removed keys. So a Map with this many keys never fails, however many are removed and added.
 */
export const TAGS_MAX = 2 ** 23
