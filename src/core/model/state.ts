/** What `decide` may see of the state. It can read all of it and write none of it: `evolve/` is the only writer. */
import type { StoredValue } from './stored-value.js'

declare const slotBrand: unique symbol
/** The index of an entry in the columns. Valid until the entry is removed. */
export type Slot = number & { readonly [slotBrand]: true }

export interface ReadableState {
  readonly size: number
  readonly maxSize: number
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
  /** The least recently used entry. */
  readonly oldest: Slot | undefined
  /** The entry used just after this one. */
  newerThan(slot: Slot): Slot | undefined
}
