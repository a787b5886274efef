import type { Slot } from '../model/state.js'

/**
 * The order of last use: a doubly linked list held in two columns of slot numbers.
 *
 * Slot 0 is never an entry but the list's anchor: `next[0]` is the least recently used entry, `previous[0]` the most
 * recently used one. With an anchor no link is ever missing, so linking and unlinking have no branches.
 */
export class Recency {
  next: Uint32Array
  previous: Uint32Array

  constructor(capacity: number) {
    this.next = new Uint32Array(capacity)
    this.previous = new Uint32Array(capacity)
  }

  grow(capacity: number): void {
    const { next, previous } = this
    this.next = new Uint32Array(capacity)
    this.previous = new Uint32Array(capacity)
    this.next.set(next)
    this.previous.set(previous)
  }

  /** Puts an unlinked slot just before `successor`; before the anchor is the place of the most recently used. */
  insertBefore(successor: number, slot: Slot): void {
    const { next, previous } = this
    const predecessor = previous[successor] as number
    next[predecessor] = slot
    previous[slot] = predecessor
    next[slot] = successor
    previous[successor] = slot
  }

  unlink(slot: Slot): void {
    const { next, previous } = this
    const successor = next[slot] as number
    const predecessor = previous[slot] as number
    next[predecessor] = successor
    previous[successor] = predecessor
  }

  /** Puts a linked slot elsewhere. */
  moveBefore(successor: number, slot: Slot): void {
    this.unlink(slot)
    this.insertBefore(successor, slot)
  }

  /** Makes a linked slot the most recently used. In one piece, without a call: the commonest of all changes. */
  touch(slot: Slot): void {
    const { next, previous } = this
    const successor = next[slot] as number
    if (successor === ANCHOR) return
    const predecessor = previous[slot] as number
    next[predecessor] = successor
    previous[successor] = predecessor
    const newest = previous[ANCHOR] as number
    next[newest] = slot
    previous[slot] = newest
    next[slot] = ANCHOR
    previous[ANCHOR] = slot
  }

  get oldest(): Slot | undefined {
    return this.newerThan(ANCHOR as Slot)
  }

  newerThan(slot: Slot): Slot | undefined {
    const successor = this.next[slot] as number
    return successor === ANCHOR ? undefined : (successor as Slot)
  }
}

export const ANCHOR = 0
