import type { Slot, SlotCursor } from '../../model/state.js'
import { Order } from './order.js'

/** Which entry is evicted when room is needed. */
export type EvictionPolicy = 'lru' | 's3-fifo'

/**
 * Keeps the order of the entries, and says which one to evict. `decide` asks it ({@link victims}), `evolve` tells it what happens.
 *
 * Evictions are events, and the journal knows no policy: recovery, and whoever else only applies events, keeps the order of
 * writes. A policy continues that order when a cache begins to decide. So any journal can be opened with any policy.
 *
 * What a policy knows beside the order (queues, frequencies) is no state: it is neither journaled nor exactly undone.
 */
export abstract class Policy extends Order {
  /** Begins with the present order, of `count` entries. */
  abstract begin(count: number): void
  abstract add(slot: Slot, key: string): void
  /** A read, a touch, or a new value under the same key. */
  abstract use(slot: Slot): void
  /** An entry goes, for another reason than to make room. */
  abstract remove(slot: Slot): void
  /** An entry goes to make room. */
  abstract evict(slot: Slot, key: string): void
  /** The entries to evict, one after the other. Valid until the next call, or until the order changes. Changes nothing. */
  abstract victims(): SlotCursor
  /** What is known of an entry beside its place in the order, for the two methods below. */
  abstract standingOf(slot: Slot): number
  abstract undoUse(slot: Slot, successor: number, standing: number): void
  /** Undoes a removal. */
  abstract putBack(slot: Slot, successor: number, standing: number): void
}
