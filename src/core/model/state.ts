/** The state as `decide` sees it: read-only. `evolve/` is the only writer. */
import type { Limits } from './limits.js'
import type { StoredValue } from './stored-value.js'

declare const slotBrand: unique symbol
/** The index of an entry in the columns. Valid until the entry is removed. */
export type Slot = number & { readonly [slotBrand]: true }

/** Iterates over entries in some order. Valid until the state changes. */
export interface SlotCursor {
  next(): Slot | undefined
}

export interface ReadableState extends Limits {
  readonly size: number
  /** Entries that one `Map` can hold. */
  readonly entriesMax: number
  /** Encoded bytes of all keys, values and tags; 0 if `maxBytes` is Infinity. */
  readonly bytes: number
  /** The size of an entry in encoded bytes; 0 if `maxBytes` is Infinity. */
  weigh(key: string, value: StoredValue, tags?: readonly string[]): number
  /** The same, whatever `maxBytes` is. */
  measure(key: string, value: StoredValue, tags?: readonly string[]): number
  weightAt(slot: Slot): number
  find(key: string): Slot | undefined
  keyAt(slot: Slot): string
  valueAt(slot: Slot): StoredValue
  /** Epoch milliseconds; `Infinity` without a deadline. */
  deadlineAt(slot: Slot): number
  /** From then until its deadline the entry is stale, epoch milliseconds; `Infinity` if it never is. */
  freshUntilAt(slot: Slot): number
  tagsAt(slot: Slot): readonly string[]
  /** Whether the entry can become stale, or has tags. */
  isExtendedAt(slot: Slot): boolean
  /** The entries with a tag, in no particular order. */
  slotsTagged(tag: string): Slot[]
  /** How many different tags the entries have. */
  readonly tagCount: number
  /** No entry expires before this; `Infinity` if none has a deadline. The earliest deadline may be later. */
  readonly expiryBoundMs: number
  /** The entries that have expired, in the order of their deadlines. Fewer, if `looksMax` looks do not suffice to find all. */
  expired(nowMs: number, looksMax?: number): SlotCursor
  /** All entries, in the order that the policy of eviction keeps. */
  inOrder(): SlotCursor
  /** The entries to evict, one after the other. What the policy moves on its way to them is kept aside until they are evicted. */
  byEviction(): SlotCursor
}
