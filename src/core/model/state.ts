/** What `decide` may see of the state. It can read all of it and write none of it: `evolve/` is the only writer. */
import type { StoredValue } from './stored-value.js'

declare const slotBrand: unique symbol
/** The index of an entry in the columns. Valid until the entry is removed. */
export type Slot = number & { readonly [slotBrand]: true }

/** Entries in some order, one after the other. Valid until the state changes. */
export interface SlotCursor {
  next(): Slot | undefined
}

export interface ReadableState {
  readonly size: number
  /** Entries that the cache was given as its limit. */
  readonly maxSize: number
  /** Entries that one `Map` can hold. */
  readonly entriesMax: number
  readonly maxBytes: number
  /** Encoded bytes of all keys and values; kept only when `maxBytes` is finite, else 0. */
  readonly bytes: number
  /** What an entry would weigh, in encoded bytes; 0 when `maxBytes` is Infinity. */
  weigh(key: string, value: StoredValue): number
  weightAt(slot: Slot): number
  find(key: string): Slot | undefined
  keyAt(slot: Slot): string
  valueAt(slot: Slot): StoredValue
  /** Epoch milliseconds; `Infinity` without a deadline. */
  deadlineAt(slot: Slot): number
  /** The entry whose deadline comes first, if any entry has one. */
  readonly nextToExpire: Slot | undefined
  /** All entries with a deadline, in the order of their deadlines. */
  byDeadline(): SlotCursor
  /** All entries, in the order in which they are to be evicted. */
  byEviction(): SlotCursor
}
