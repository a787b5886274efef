import { Counters } from '../model/counters.js'
import type { Extension } from '../model/extension.js'
import { fits } from '../model/limits.js'
import type { StoredValue } from '../model/stored-value.js'
import type { Entries } from './entries.js'
import type { State } from './state.js'

/**
 * Entries that will replace all others: collected row by row, in slices, and put in place at once by a `loaded` event, live
 * and in recovery.
 */
export class Replacement {
  readonly entries: Entries
  readonly counters = new Counters()
  readonly #state: State
  /** How many rows were dropped to stay within the cache's limits. */
  evicted = 0

  constructor(state: State) {
    this.#state = state
    this.entries = state.emptyEntries()
  }

  /** Rows must come least recently used first. Returns whether the key is new. */
  add(key: string, value: StoredValue, expiresAtMs: number, extension?: Extension): boolean {
    const { entries } = this
    const weight = entries.isWeighed ? this.#state.measure(key, value, extension?.tags) : 0 // the cache's limits may have changed since
    const slot = entries.find(key)
    if (slot === undefined) {
      this.#state.refuseBeyondMap(entries)
      entries.add(key, value, expiresAtMs, weight, extension)
    } else {
      entries.replace(slot, value, expiresAtMs, weight, extension)
      entries.order.moveToEnd(slot)
    }
    return slot === undefined
  }

  /** Drops the least recently used rows until the cache has room for the rest and for `others` more entries. */
  trim(others = 0): void {
    const { entries } = this
    while (!fits(this.#state, entries.size + others, entries.bytes)) {
      const { first } = entries.order
      if (first === undefined) return
      entries.remove(first)
      this.evicted++
    }
  }
}
