import { Counters } from '../model/counters.js'
import type { StoredValue } from '../model/stored-value.js'
import type { Entries } from './entries.js'
import type { State } from './state.js'

/**
 * Entries that are going to take the place of all others: built aside, row by row and in as many slices as it takes, and
 * put in place at once by a `loaded` event. Live and in recovery.
 */
export class Replacement {
  readonly entries: Entries
  readonly counters = new Counters()
  readonly #state: State
  /** Rows that were dropped to keep within the cache's limits: the least recently used ones. */
  evicted = 0

  constructor(state: State) {
    this.#state = state
    this.entries = state.emptyEntries()
  }

  /** Rows come least recently used first. Returns whether the key is new. */
  add(key: string, value: StoredValue, expiresAtMs: number): boolean {
    const { entries } = this
    const weight = this.#state.weigh(key, value)
    const slot = entries.find(key)
    if (slot === undefined) entries.add(key, value, expiresAtMs, weight)
    else {
      entries.replace(slot, value, expiresAtMs, weight)
      entries.recency.touch(slot)
    }
    return slot === undefined
  }

  /** Keeps the most recently used rows that the cache has room for. */
  trim(): void {
    const { entries } = this
    const { maxSize, maxBytes } = this.#state
    while (entries.size > maxSize || entries.bytes > maxBytes) {
      const oldest = entries.recency.oldest
      if (oldest === undefined) return
      entries.remove(oldest)
      this.evicted++
    }
  }
}
