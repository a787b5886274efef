import type { Slot, SlotCursor } from '../../model/state.js'

/**
 * The order of all entries: a doubly linked list of slots. The eviction policy decides what the order means (`policy.ts`). A slot's
 * links to the next and the previous slot lie side by side in one column, because a use of an entry reads both, and separate
 * columns would be two CPU cache misses.
 *
 * Slot 0 is not an entry but the list's anchor: the first entry comes after it, the last one before it. With an anchor no link is
 * missing, so linking and unlinking have no branches. Slot 1 is no entry either: see {@link MARK}.
 */
export class Order {
  #links: Uint32Array
  /** The buffer for the next {@link copy}; `undefined` while it is lent. */
  #room: Uint32Array | undefined
  /** Slots in use so far, including the anchor and the mark. */
  #used: number

  /** @param before An order that is no longer used, which this one continues. */
  constructor(capacity: number, before?: Order) {
    this.#links = before === undefined ? new Uint32Array(2 * capacity) : before.#links
    this.#room = before === undefined ? new Uint32Array(capacity) : before.#room
    this.#used = before === undefined ? FIRST_SLOT : before.#used
  }

  grow(capacity: number): void {
    const links = new Uint32Array(2 * capacity)
    links.set(this.#links)
    this.#links = links
    this.#room = new Uint32Array(capacity)
  }

  /**
   * Called for each new slot, in order. The operating system provides memory at the first write to it; for a million entries at
   * once that took 15 ms, where copying takes 2. So the buffer for a copy is written here bit by bit: where this slot's link will
   * go, and, since the buffer is new after each growth, where the link of a slot from before the growth will go.
   */
  prepareCopy(slot: Slot): void {
    this.#used = slot + 1
    const room = this.#room
    if (room === undefined) return
    room[slot] = ANCHOR
    room[slot % (room.length / 2)] = ANCHOR // a growth doubles the capacity
  }

  /** Inserts an unlinked slot just before `successor`. The place before the anchor is the end. */
  insertBefore(successor: number, slot: Slot): void {
    const links = this.#links
    const predecessor = links[2 * successor + PREVIOUS] as number
    links[2 * predecessor] = slot
    links[2 * slot + PREVIOUS] = predecessor
    links[2 * slot] = successor
    links[2 * successor + PREVIOUS] = slot
  }

  unlink(slot: Slot): void {
    const links = this.#links
    const successor = links[2 * slot] as number
    const predecessor = links[2 * slot + PREVIOUS] as number
    links[2 * predecessor] = successor
    links[2 * successor + PREVIOUS] = predecessor
  }

  moveBefore(successor: number, slot: Slot): void {
    this.unlink(slot)
    this.insertBefore(successor, slot)
  }

  /** Written out, without calls: in an order of use no change is more frequent. */
  moveToEnd(slot: Slot): void {
    const links = this.#links
    const successor = links[2 * slot] as number
    if (successor === ANCHOR) return
    const predecessor = links[2 * slot + PREVIOUS] as number
    links[2 * predecessor] = successor
    links[2 * successor + PREVIOUS] = predecessor
    const last = links[PREVIOUS] as number
    links[2 * last] = slot
    links[2 * slot + PREVIOUS] = last
    links[2 * slot] = ANCHOR
    links[PREVIOUS] = slot
  }

  get first(): Slot | undefined {
    return this.next(ANCHOR as Slot)
  }

  next(slot: Slot): Slot | undefined {
    const successor = this.#links[2 * slot] as number
    return successor === ANCHOR ? undefined : (successor as Slot)
  }

  /** All slots, in order. Valid until the order changes. */
  cursor(): SlotCursor {
    return new OrderCursor().start(this.#links)
  }

  /** The same by a cursor that is used again and again: valid until the next call, too. */
  protected startAgain(cursor: OrderCursor): SlotCursor {
    return cursor.start(this.#links)
  }

  /** The slot after this one; {@link ANCHOR} for the last. */
  successorOf(slot: Slot): number {
    return this.#links[2 * slot] as number
  }

  /**
   * The present order: for each slot the one after it, {@link ANCHOR} at the end. {@link giveBack} returns the buffer.
   */
  copy(): Uint32Array {
    const links = this.#links
    const { capacity } = this
    const next = this.#room ?? new Uint32Array(capacity)
    this.#room = undefined
    for (let slot = 0; slot < this.#used; slot++) next[slot] = links[2 * slot] as number
    return next
  }

  /** Keeps the buffer for the next {@link copy}, unless the columns have grown meanwhile. */
  giveBack(copy: Uint32Array): void {
    if (copy.length === this.capacity) this.#room = copy
  }

  /** In slots. */
  get capacity(): number {
    return this.#links.length / 2
  }
}

export class OrderCursor implements SlotCursor {
  #links: Uint32Array = NO_LINKS
  #slot = ANCHOR

  start(links: Uint32Array): this {
    this.#links = links
    this.#slot = ANCHOR
    return this
  }

  next(): Slot | undefined {
    this.#slot = this.#links[2 * this.#slot] as number
    return this.#slot === ANCHOR ? undefined : (this.#slot as Slot)
  }
}

const NO_LINKS = new Uint32Array(1)

export const ANCHOR = 0
/** A place in the list rather than an entry: during recovery, what was used before and after an order of use was written. */
export const MARK = 1 as Slot
export const FIRST_SLOT = 2
const PREVIOUS = 1
