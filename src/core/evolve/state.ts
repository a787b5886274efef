import { Counters } from '../model/counters.js'
import type { ReadableState, Slot } from '../model/state.js'
import type { StoredValue } from '../model/stored-value.js'
import { Entries } from './entries.js'
import { UndoLog } from './undo.js'

export interface StateOptions {
  /** Entries; a positive integer or Infinity. */
  maxSize: number
  /** Encoded bytes of keys and values; Infinity for no limit. */
  maxBytes: number
  /** What an entry weighs in encoded bytes. Asked only when `maxBytes` is finite. */
  weigh: (key: string, value: StoredValue) => number
}

/** Everything that the cache knows. Only the functions of this folder write it. */
export class State implements ReadableState {
  entries: Entries
  readonly counters = new Counters()
  readonly undo = new UndoLog()
  /**
   * False while a change is being made; found false later, an error (the caller's stack ran out) has cut a change short, and
   * nothing that is in memory can be trusted any more.
   */
  isWhole = true
  /** Whether replaying the journal would give the present order of use: until a read changes it. */
  isOrderJournaled = true
  readonly maxSize: number
  readonly maxBytes: number
  readonly #weigh: StateOptions['weigh']

  constructor(options: StateOptions) {
    this.maxSize = options.maxSize
    this.maxBytes = options.maxBytes
    this.#weigh = options.weigh
    this.entries = this.emptyEntries()
  }

  emptyEntries(): Entries {
    return new Entries(this.maxBytes !== Number.POSITIVE_INFINITY)
  }

  get size(): number {
    return this.entries.size
  }

  get bytes(): number {
    return this.entries.bytes
  }

  weigh(key: string, value: StoredValue): number {
    return this.maxBytes === Number.POSITIVE_INFINITY ? 0 : this.#weigh(key, value)
  }

  weightAt(slot: Slot): number {
    return this.entries.weightAt(slot)
  }

  find(key: string): Slot | undefined {
    return this.entries.find(key)
  }

  keyAt(slot: Slot): string {
    return this.entries.keyAt(slot)
  }

  valueAt(slot: Slot): StoredValue {
    return this.entries.valueAt(slot)
  }

  deadlineAt(slot: Slot): number {
    return this.entries.deadlines.get(slot)
  }

  get nextToExpire(): Slot | undefined {
    return this.entries.deadlines.first
  }

  get oldest(): Slot | undefined {
    return this.entries.recency.oldest
  }

  /** All keys, least recently used first. */
  *keysByUse(): Generator<string> {
    for (let slot = this.oldest; slot !== undefined; slot = this.newerThan(slot)) yield this.keyAt(slot)
  }

  newerThan(slot: Slot): Slot | undefined {
    return this.entries.recency.newerThan(slot)
  }
}
