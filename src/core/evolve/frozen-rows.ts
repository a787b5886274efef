import { Counters } from '../model/counters.js'
import type { Slot } from '../model/state.js'
import type { StoredValue } from '../model/stored-value.js'
import type { Entries } from './entries.js'
import { ANCHOR } from './recency.js'

const NO_ROWS = Uint32Array.of(ANCHOR)

/** One entry as a snapshot keeps it. */
export interface Row {
  key: string
  value: StoredValue
  /** Epoch milliseconds; `Infinity` without a deadline. */
  expiresAtMs: number
}

/**
 * The state of one moment, read row by row while turns go on (copy on write).
 *
 * Making one copies the column of links, which fixes the set and the order of the rows, and the counters. From then on a
 * slot that is about to change hands over its old row first, unless that row was read already. So a snapshot costs the
 * memory of what changes while it is written, and no turn waits for it.
 */
export class FrozenRows {
  readonly count: number
  readonly counters = new Counters()
  readonly #entries: Entries
  /** For each slot the one after it in the order of use; lent by `entries.recency`, given back by {@link release}. */
  #next: Uint32Array
  /** 1 once a slot's row was read or handed over. */
  readonly #settled: Uint8Array
  readonly #handedOver = new Map<Slot, Row>()
  readonly #unwatch: () => void
  #cursor: number = ANCHOR

  constructor({ entries, counters }: { entries: Entries; counters: Readonly<Counters> }) {
    this.#entries = entries
    this.count = entries.size
    this.counters.copyFrom(counters)
    this.#next = entries.recency.copy()
    this.#settled = new Uint8Array(this.#next.length)
    this.#unwatch = entries.watch((slot) => this.#handOver(slot))
  }

  /** The next row, least recently used first; `undefined` after the last. */
  read(): Row | undefined {
    const slot = this.#next[this.#cursor] as Slot
    if (slot === ANCHOR) return undefined
    this.#cursor = slot
    const row = this.#handedOver.get(slot)
    if (row !== undefined) {
      this.#handedOver.delete(slot)
      return row
    }
    this.#settled[slot] = 1
    return this.#rowAt(slot)
  }

  /** Lets go of the state. Must be called, also after a failure. */
  release(): void {
    this.#unwatch()
    this.#handedOver.clear()
    this.#entries.recency.giveBack(this.#next)
    this.#next = NO_ROWS
  }

  #handOver(slot: Slot): void {
    // Nobody will ask for a slot beyond the columns of that moment. (Nor for one that was free then, which is not worth knowing.)
    if (slot >= this.#settled.length || this.#settled[slot] === 1) return
    this.#settled[slot] = 1
    this.#handedOver.set(slot, this.#rowAt(slot))
  }

  #rowAt(slot: Slot): Row {
    const entries = this.#entries
    return { key: entries.keyAt(slot), value: entries.valueAt(slot), expiresAtMs: entries.deadlines.get(slot) }
  }
}
