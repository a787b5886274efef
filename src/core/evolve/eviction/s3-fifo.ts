import type { Slot, SlotCursor } from '../../model/state.js'
import { Ghosts, hashOf } from './ghosts.js'
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
  /** By slot: the hash of the key, so that an eviction need not hash it again; {@link UNKNOWN} if it was not needed yet. */
  #hashes: Uint32Array
  readonly #ghosts: Ghosts
  /** The oldest entry of the main queue; {@link ANCHOR} if there is none. */
  #firstOfMain: number = ANCHOR
  #smallCount = 0
  #count = 0
  readonly #search: Search

  constructor(capacity: number, before?: Order) {
    super(capacity, before)
    this.#marks = new Uint8Array(capacity)
    this.#hashes = new Uint32Array(capacity)
    this.#ghosts = new Ghosts(capacity)
    this.#search = new Search(this)
  }

  override grow(capacity: number): void {
    super.grow(capacity)
    const marks = new Uint8Array(capacity)
    marks.set(this.#marks)
    const hashes = new Uint32Array(capacity)
    hashes.set(this.#hashes)
    this.#ghosts.grow(capacity)
    this.#marks = marks
    this.#hashes = hashes
  }

  /** The first tenth is the small queue. So a cache that is reopened has the queues that it had, without the counts of uses. */
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
    const hash = this.#ghosts.isEmpty ? UNKNOWN : hashOf(key)
    this.#hashes[slot] = hash
    const isGhost = hash !== UNKNOWN && this.#ghosts.take(hash, this.#count - Math.floor(this.#count / 10))
    this.#insert(isGhost ? ANCHOR : this.#firstOfMain, slot, isGhost ? MAIN : SMALL)
  }

  use(slot: Slot): void {
    const mark = this.#marks[slot] as number
    if ((mark & USES) < USES) this.#marks[slot] = mark + 1
  }

  remove(slot: Slot): void {
    if (this.isSmall(slot)) this.#smallCount--
    else if (slot === this.#firstOfMain) this.#firstOfMain = this.successorOf(slot)
    this.#count--
    this.#marks[slot] = 0
    this.unlink(slot)
  }

  evict(slot: Slot, key: string): void {
    if (this.#search.hasPassed) this.#search.settle(slot)
    if (this.isSmall(slot)) {
      const hash = this.#hashes[slot] as number
      this.#ghosts.add(hash === UNKNOWN ? hashOf(key) : hash)
    }
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
    this.#hashes[slot] = UNKNOWN // another key may have had the slot meanwhile
    this.#insert(successor, slot, (isSmall ? SMALL : MAIN) | (standing & USES))
  }

  /** False for a place that is not an entry. */
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
 * The search for entries to evict. It only reads the queues. What moves on the way to an entry is kept aside until that entry is
 * evicted, because the events are appended to the journal in between, which may fail.
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
  /** What was found after others had moved, and how many of them. */
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
    this.#small = small
    this.#smallCount = smallCount
    this.#main = main
    this.#count = count
    if (this.hasPassed) this.#forget()
    return this
  }

  #forget(): void {
    if (this.#movedCount > KEPT_MAX || this.#foundCount > KEPT_MAX) {
      this.#moved = []
      this.#uses = []
      this.#found = []
      this.#foundAfter = []
    }
    this.#movedCount = this.#again = this.#foundCount = this.#movedSettled = this.#foundSettled = 0
  }

  next(): Slot | undefined {
    for (let passed = 0; this.#count > 0; passed++) {
      const isFromSmall = isLarge(this.#smallCount, this.#count)
      const found = isFromSmall ? this.#fromSmall(passed >= PASSED_MAX) : this.#fromMain(passed >= PASSED_MAX)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** The oldest of the small queue; `undefined` if it was passed. */
  #fromSmall(isWanted: boolean): Slot | undefined {
    const slot = this.#small as Slot
    this.#small = this.#policy.successorOf(slot)
    this.#smallCount--
    return isWanted || this.#policy.usesOf(slot) < 2 ? this.#take(slot) : this.#pass(slot, 0)
  }

  /** The same of the main queue, which goes on with what has moved to its end. It is not empty, or the small queue would have its share. */
  #fromMain(isWanted: boolean): Slot | undefined {
    let slot = this.#main as Slot
    let uses: number
    if (this.#main === ANCHOR) {
      slot = this.#moved[this.#again] as Slot
      uses = this.#uses[this.#again] as number
      this.#again++
    } else {
      uses = this.#policy.usesOf(slot)
      this.#main = this.#policy.successorOf(slot)
    }
    return isWanted || uses < 1 ? this.#take(slot) : this.#pass(slot, uses - 1)
  }

  #pass(slot: Slot, uses: number): undefined {
    this.#moved[this.#movedCount] = slot
    this.#uses[this.#movedCount] = uses
    this.#movedCount++
  }

  #take(slot: Slot): Slot {
    this.#count--
    if (!this.hasPassed) return slot
    this.#found[this.#foundCount] = slot
    this.#foundAfter[this.#foundCount] = this.#movedCount
    this.#foundCount++
    return slot
  }

  /** Whether any entry was passed, so that there is something to {@link settle}. */
  get hasPassed(): boolean {
    return this.#movedCount > 0
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

/** No key has this hash. */
const UNKNOWN = 0
const USES = 0b11
const SMALL = 0b100
const MAIN = 0b1000
/** How many entries an eviction passes at most, so that none takes long after everything was used. */
const PASSED_MAX = 32
/** The search keeps its arrays for the next one, unless they are longer than this. */
const KEPT_MAX = 1024
