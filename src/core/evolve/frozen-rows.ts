import { Counters } from '../model/counters.js'
import type { Extension } from '../model/extension.js'
import type { Limits } from '../model/limits.js'
import type { Note } from '../model/note.js'
import type { Slot } from '../model/state.js'
import type { StoredValue } from '../model/stored-value.js'
import type { Answers } from './answers.js'
import type { Entries } from './entries.js'
import { ANCHOR } from './eviction/order.js'

const NO_ROWS = Uint32Array.of(ANCHOR)

/** One entry as a snapshot keeps it. */
export interface Row {
  key: string
  value: StoredValue
  /** Epoch milliseconds; `Infinity` without a deadline. */
  expiresAtMs: number
  /** Missing for an entry that never becomes stale and has no tags. */
  extension?: Extension
}

/**
 * The state at one moment, read row by row while turns go on (copy on write).
 *
 * Creating one copies the links, which fix the set and the order of the rows, and the counters. From then on, before a slot
 * changes, its old row is kept here unless it has been read already. So a snapshot takes memory only for what changes while
 * it is written, and no turn waits for it.
 */
export class FrozenRows {
  readonly count: number
  readonly counters = new Counters()
  readonly limits: Limits | undefined
  /** Only if the rows become a snapshot: nothing else keeps answers. */
  readonly notes: readonly Note[]
  readonly #entries: Entries
  /** For each slot the next one in order. Lent by `entries.order`, returned by {@link release}. */
  #next: Uint32Array
  /** 1 for a slot whose row has been read or kept. */
  readonly #settled: Uint8Array
  readonly #kept = new Map<Slot, Row>()
  readonly #unwatch: () => void
  #cursor: number = ANCHOR
  /** By slot: its row. Only if the rows become a snapshot. */
  readonly #rows: Uint32Array | undefined
  #read = 0
  readonly #born: number

  constructor(
    {
      entries,
      counters,
      journaledLimits,
      answers,
    }: { entries: Entries; counters: Readonly<Counters>; journaledLimits?: Limits | undefined; answers?: Answers },
    becomesSnapshot = false,
  ) {
    this.#entries = entries
    this.count = entries.size
    this.counters.copyFrom(counters)
    this.limits = journaledLimits
    this.notes = (becomesSnapshot ? answers?.notes() : undefined) ?? []
    this.#next = entries.order.copy()
    this.#settled = new Uint8Array(this.#next.length)
    this.#unwatch = entries.watch((slot) => this.#keep(slot))
    this.#rows = becomesSnapshot ? new Uint32Array(this.#next.length) : undefined
    this.#born = entries.births.count
  }

  /** The next row, least recently used first; `undefined` after the last. */
  read(): Row | undefined {
    const slot = this.#next[this.#cursor] as Slot
    if (slot === ANCHOR) return undefined
    this.#cursor = slot
    if (this.#rows !== undefined) this.#rows[slot] = this.#read++
    const row = this.#kept.get(slot)
    if (row !== undefined) {
      this.#kept.delete(slot)
      return row
    }
    this.#settled[slot] = 1
    return this.#rowAt(slot)
  }

  /** The rows are the snapshot from which recovery begins: the order of births is now that of the rows. */
  becameSnapshot(): void {
    if (this.#rows !== undefined) this.#entries.births.compacted(this.#rows, this.count, this.#born)
  }

  /** Stops watching the state. Must be called, also after a failure. */
  release(): void {
    this.#unwatch()
    this.#kept.clear()
    this.#entries.order.giveBack(this.#next)
    this.#next = NO_ROWS
  }

  #keep(slot: Slot): void {
    // A slot beyond the columns of that moment will not be read. (Nor will one that was free then; tracking that does not pay.)
    if (slot >= this.#settled.length || this.#settled[slot] === 1) return
    this.#settled[slot] = 1
    this.#kept.set(slot, this.#rowAt(slot))
  }

  #rowAt(slot: Slot): Row {
    const entries = this.#entries
    const row = { key: entries.keyAt(slot), value: entries.valueAt(slot), expiresAtMs: entries.deadlines.get(slot) }
    const extension = entries.extensionAt(slot)
    return extension === undefined ? row : { ...row, extension }
  }
}
