import type { Slot, SlotCursor } from '../../model/state.js'
import { Ghosts } from './ghosts.js'
import { ANCHOR, type Order } from './order.js'
import { Policy } from './policy.js'

/**
 * S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023). A new entry waits in a small queue, which has a
 * tenth of all entries. At its end an entry that was used more than once moves to the main queue, and any other is evicted, and its
 * key remembered as a ghost. A ghost that is set again goes straight to the main queue. At the end of the main queue an entry that was
 * used goes round once more for each use, at most three times; one that was not is evicted. So entries that are used once, as by a
 * scan, push out only each other, and a use costs one counter: nothing moves.
 *
 *   first ► small, oldest … newest ► main, oldest … newest ► last         the order of the list
 *
 * Unlike the paper: the queue that has more than its share is looked at again after every move, so an eviction never removes
 * two entries. A new value is a use like a read. A search that has passed {@link PASSED_MAX} entries takes the next one.
 */
export class S3Fifo extends Policy {
  /** By slot: the queue, and how often the entry was used; 0 if there is no entry. */
  #marks: Uint8Array
  readonly #ghosts: Ghosts
  /** The oldest entry of the main queue; {@link ANCHOR} if there is none. */
  #firstOfMain: number = ANCHOR
  #smallCount = 0
  #count = 0
  readonly #search: Search

  constructor(capacity: number, before?: Order) {
    super(capacity, before)
    this.#marks = new Uint8Array(capacity)
    this.#ghosts = new Ghosts(capacity)
    this.#search = new Search(this)
  }

  override grow(capacity: number): void {
    super.grow(capacity)
    const marks = new Uint8Array(capacity)
    marks.set(this.#marks)
    this.#ghosts.grow(capacity)
    this.#marks = marks
  }

  /** The first tenth is the small queue. So a cache that is opened again has its queues as they were, but no counts of uses. */
  begin(count: number): void {
    this.#count = count
    this.#smallCount = 0
    this.#firstOfMain = ANCHOR
    for (let slot = this.first; slot !== undefined; slot = this.next(slot)) {
      if (isLarge(this.#smallCount, count)) {
        if (this.#firstOfMain === ANCHOR) this.#firstOfMain = slot
        this.#marks[slot] = MAIN
      } else {
        this.#smallCount++
        this.#marks[slot] = SMALL
      }
    }
  }

  add(slot: Slot, key: string): void {
    const isGhost = this.#ghosts.take(key, this.#count - Math.floor(this.#count / 10))
    this.#insert(isGhost ? ANCHOR : this.#firstOfMain, slot, isGhost ? MAIN : SMALL)
  }

  use(slot: Slot): void {
    const mark = this.#marks[slot] as number
    if ((mark & USES) < USES) this.#marks[slot] = mark + 1
  }

  remove(slot: Slot): void {
    if (slot === this.#firstOfMain) this.#firstOfMain = this.successorOf(slot)
    if (this.isSmall(slot)) this.#smallCount--
    this.#count--
    this.#marks[slot] = 0
    this.unlink(slot)
  }

  evict(slot: Slot, key: string): void {
    this.#search.settle(slot)
    if (this.isSmall(slot)) this.#ghosts.add(key)
    this.remove(slot)
  }

  victims(): SlotCursor {
    const small = this.next(ANCHOR as Slot) ?? ANCHOR
    return this.#search.start(small, this.#smallCount, this.#firstOfMain, this.#count)
  }

  standingOf(slot: Slot): number {
    return this.#marks[slot] as number
  }

  undoUse(slot: Slot, _successor: number, standing: number): void {
    this.#marks[slot] = ((this.#marks[slot] as number) & ~USES) | (standing & USES)
  }

  putBack(slot: Slot, successor: number, standing: number): void {
    // Between the queues it is in the one that it was in. Elsewhere its neighbor may have moved to the other queue meanwhile.
    const isSmall = successor === this.#firstOfMain ? (standing & SMALL) > 0 : this.isSmall(successor)
    this.#insert(successor, slot, (isSmall ? SMALL : MAIN) | (standing & USES))
  }

  /** Of a place that is no entry: false. */
  isSmall(slot: number): boolean {
    return ((this.#marks[slot] as number) & SMALL) > 0
  }

  usesOf(slot: number): number {
    return (this.#marks[slot] as number) & USES
  }

  #insert(successor: number, slot: Slot, mark: number): void {
    this.#marks[slot] = mark
    this.#count++
    if ((mark & SMALL) > 0) this.#smallCount++
    else if (successor === this.#firstOfMain) this.#firstOfMain = slot
    this.insertBefore(successor, slot)
  }

  /** Moves an entry to the end of the main queue. */
  toMain(slot: Slot, uses: number): void {
    const mark = this.#marks[slot] as number
    if (mark === 0) return // it has expired
    if ((mark & SMALL) > 0) this.#smallCount--
    if (slot === this.#firstOfMain) this.#firstOfMain = this.successorOf(slot)
    this.moveToEnd(slot)
    if (this.#firstOfMain === ANCHOR) this.#firstOfMain = slot
    this.#marks[slot] = MAIN | uses
  }
}

/** Whether a small queue has its share of the entries, so that it is the one to be evicted from. */
function isLarge(smallCount: number, count: number): boolean {
  return 10 * smallCount >= count
}

/**
 * The search for entries to evict. It only reads the queues, and keeps aside what moves on the way to each of them, until that one is
 * evicted: the events are appended to the journal in between, which may fail.
 */
class Search implements SlotCursor {
  readonly #policy: S3Fifo
  /** The next entries of the queues. */
  #small: number = ANCHOR
  #smallCount = 0
  #main: number = ANCHOR
  #count = 0
  /** What moves to the end of the main queue, with the uses that it then has. */
  #moved: Slot[] = []
  #uses: number[] = []
  #movedCount = 0
  /** After the present main queue: the next one of those that have moved. */
  #again = 0
  /** What was found, and how many have moved on the way to it. */
  #found: Slot[] = []
  #foundAfter: number[] = []
  #foundCount = 0
  /** How much of it has been done. */
  #movedSettled = 0
  #foundSettled = 0

  constructor(policy: S3Fifo) {
    this.#policy = policy
  }

  start(small: number, smallCount: number, main: number, count: number): this {
    if (this.#foundCount > KEPT_MAX) {
      this.#moved = []
      this.#uses = []
      this.#found = []
      this.#foundAfter = []
    }
    this.#small = small
    this.#smallCount = smallCount
    this.#main = main
    this.#count = count
    this.#movedCount = this.#again = this.#foundCount = this.#movedSettled = this.#foundSettled = 0
    return this
  }

  next(): Slot | undefined {
    const policy = this.#policy
    for (let passed = 0; this.#count > 0; passed++) {
      const isFromSmall = isLarge(this.#smallCount, this.#count)
      let slot: number
      let uses: number
      if (isFromSmall) {
        slot = this.#small
        uses = policy.usesOf(slot)
        this.#small = policy.successorOf(slot as Slot)
        this.#smallCount--
      } else if (this.#main !== ANCHOR) {
        slot = this.#main
        uses = policy.usesOf(slot)
        this.#main = policy.successorOf(slot as Slot)
      } else {
        slot = this.#moved[this.#again] as Slot // the main queue is not empty, or the small one would have its share
        uses = this.#uses[this.#again] as number
        this.#again++
      }
      if (passed >= PASSED_MAX || uses < (isFromSmall ? 2 : 1)) return this.#take(slot as Slot)
      this.#moved[this.#movedCount] = slot as Slot
      this.#uses[this.#movedCount] = isFromSmall ? 0 : uses - 1
      this.#movedCount++
    }
    return undefined
  }

  #take(slot: Slot): Slot {
    this.#count--
    this.#found[this.#foundCount] = slot
    this.#foundAfter[this.#foundCount] = this.#movedCount
    this.#foundCount++
    return slot
  }

  /** Moves what was passed on the way to this entry. */
  settle(slot: Slot): void {
    for (let at = this.#foundSettled; at < this.#foundCount; at++) {
      if (this.#found[at] !== slot) continue // it has expired, or is being replaced
      this.#foundSettled = at + 1
      const end = this.#foundAfter[at] as number
      while (this.#movedSettled < end) {
        this.#policy.toMain(this.#moved[this.#movedSettled] as Slot, this.#uses[this.#movedSettled] as number)
        this.#movedSettled++
      }
      return
    }
  }
}

const USES = 0b11
const SMALL = 0b100
const MAIN = 0b1000
/** How many entries an eviction passes at most, so that none takes long after everything was used. */
const PASSED_MAX = 32
/** The search keeps its arrays for the next one, unless they are longer than this. */
const KEPT_MAX = 1024
