import type { Slot, SlotCursor } from '../model/state.js'

/**
 * Which entry expires next: a binary min-heap of slots, with a column that holds each slot's place in the heap, so that a slot
 * can be moved or removed in O(log n) (indexed priority queue: Sedgewick & Wayne, Algorithms, 4th ed., 2.4).
 *
 * Most deadlines move later, whenever their entry is set again, and few are ever reached. So a later deadline is only stored: the
 * slot stays in its place, and the heap is ordered by bounds, a bound being the slot's deadline or an earlier one. A place
 * is settled when a search for expired entries reaches it: if its slot's deadline has moved, the slot sinks to
 * where it belongs. Each such move is paid for once, and the order in which entries are found expired is exact.
 *
 * A cache without deadlines allocates none of it.
 */
export class Deadlines {
  /** How many entries have a deadline. */
  count = 0
  #capacity: number
  /** By slot; `Infinity` for none, and 0 for a slot that was never used since its part of the column was added. */
  #at = new Float64Array(0)
  /** By slot: 1 + its place in the heap; 0 if it is not in the heap. */
  #place = new Uint32Array(0)
  /** By place. */
  #heap = new Uint32Array(0)
  #bounds = new Float64Array(0)

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  grow(capacity: number): void {
    this.#capacity = capacity
    if (this.#at.length > 0) this.#allocate()
  }

  #allocate(): void {
    const at = new Float64Array(this.#capacity)
    const place = new Uint32Array(this.#capacity)
    const heap = new Uint32Array(this.#capacity)
    const bounds = new Float64Array(this.#capacity)
    // The rest of it is not filled: to touch all of the new memory at once takes milliseconds at a million entries.
    if (this.#at.length === 0) at.fill(Number.POSITIVE_INFINITY)
    else at.set(this.#at)
    place.set(this.#place)
    heap.set(this.#heap)
    bounds.set(this.#bounds)
    this.#at = at
    this.#place = place
    this.#heap = heap
    this.#bounds = bounds
  }

  /** Epoch milliseconds, `Infinity` for none. */
  get(slot: Slot): number {
    return this.count === 0 ? Number.POSITIVE_INFINITY : (this.#at[slot] as number)
  }

  /** No entry expires before this; `Infinity` if none has a deadline. The earliest deadline may be later. */
  get boundMs(): number {
    return this.count === 0 ? Number.POSITIVE_INFINITY : (this.#bounds[0] as number)
  }

  /** Allocates the columns, so that {@link set} does not have to. */
  reserve(): void {
    if (this.#at.length === 0) this.#allocate()
  }

  /**
   * The slots whose deadlines have passed at `nowMs`, earliest first. Looks at no more than `looksMax` places, in some of which it
   * finds that a deadline has moved. Valid until a deadline changes.
   */
  expired(nowMs: number, looksMax = Number.POSITIVE_INFINITY): SlotCursor {
    return new ExpiredSlots(this, this.#heap.subarray(0, this.count), this.#bounds, nowMs, looksMax)
  }

  set(slot: Slot, deadlineMs: number): void {
    if (deadlineMs === Number.POSITIVE_INFINITY) {
      if (this.#at.length > 0) this.#remove(slot)
      return
    }
    this.reserve()
    const before = this.#at[slot] as number
    this.#at[slot] = deadlineMs
    if (before > deadlineMs || before === 0) this.#sooner(slot, deadlineMs)
  }

  /** A new deadline, or one that moves back, though perhaps not before its bound. Any other changes nothing. */
  #sooner(slot: Slot, deadlineMs: number): void {
    const place = this.#place[slot] as number
    if (place === 0) this.#up(this.count++, slot, deadlineMs)
    else if (deadlineMs < (this.#bounds[place - 1] as number)) this.#up(place - 1, slot, deadlineMs)
  }

  #remove(slot: Slot): void {
    const place = this.#place[slot] as number
    this.#at[slot] = Number.POSITIVE_INFINITY
    if (place === 0) return
    this.#place[slot] = 0
    const last = this.#heap[--this.count] as Slot
    if (last === slot) return
    const boundMs = this.#bounds[this.count] as number
    if (boundMs < (this.#bounds[place - 1] as number)) this.#up(place - 1, last, boundMs)
    else this.#down(place - 1, last, boundMs)
  }

  /** Whether the slot at a place had to sink, because its deadline has moved. Then another slot is there now. */
  settle(place: number): boolean {
    const slot = this.#heap[place] as Slot
    const deadlineMs = this.#at[slot] as number
    if (deadlineMs === this.#bounds[place]) return false
    this.#down(place, slot, deadlineMs)
    return true
  }

  /** Without a call, like {@link #down}: a stack overflow must not leave the heap half changed, and a search is made on any stack. */
  #up(from: number, slot: Slot, boundMs: number): void {
    const heap = this.#heap
    const bounds = this.#bounds
    let place = from
    while (place > 0) {
      const parent = (place - 1) >> 1
      const parentMs = bounds[parent] as number
      if (parentMs <= boundMs) break
      const moved = heap[parent] as number
      heap[place] = moved
      bounds[place] = parentMs
      this.#place[moved] = place + 1
      place = parent
    }
    heap[place] = slot
    bounds[place] = boundMs
    this.#place[slot] = place + 1
  }

  #down(from: number, slot: Slot, boundMs: number): void {
    const heap = this.#heap
    const bounds = this.#bounds
    const { count } = this
    let place = from
    for (;;) {
      let child = 2 * place + 1
      if (child >= count) break
      if (child + 1 < count && (bounds[child + 1] as number) < (bounds[child] as number)) child++
      const childMs = bounds[child] as number
      if (childMs >= boundMs) break
      const moved = heap[child] as number
      heap[place] = moved
      bounds[place] = childMs
      this.#place[moved] = place + 1
      place = child
    }
    heap[place] = slot
    bounds[place] = boundMs
    this.#place[slot] = place + 1
  }
}

/**
 * Traverses the heap, earliest bound first, with a second heap: of places whose parents have been returned. Settling a place
 * moves only slots below it, none of which has been returned.
 */
class ExpiredSlots implements SlotCursor {
  readonly #deadlines: Deadlines
  readonly #heap: Uint32Array
  readonly #bounds: Float64Array
  readonly #nowMs: number
  #looksLeft: number
  readonly #open: number[] = []

  constructor(deadlines: Deadlines, heap: Uint32Array, bounds: Float64Array, nowMs: number, looksMax: number) {
    this.#deadlines = deadlines
    this.#heap = heap
    this.#bounds = bounds
    this.#nowMs = nowMs
    this.#looksLeft = looksMax
    this.#push(0)
  }

  next(): Slot | undefined {
    while (this.#looksLeft-- > 0) {
      const place = this.#open[0]
      if (place === undefined || this.#boundOf(place) > this.#nowMs) return undefined
      this.#pop()
      if (this.#deadlines.settle(place)) this.#push(place)
      else {
        this.#push(2 * place + 1)
        this.#push(2 * place + 2)
        return this.#heap[place] as Slot
      }
    }
    return undefined
  }

  #push(place: number): void {
    if (place >= this.#heap.length) return
    const open = this.#open
    let index = open.length
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = open[parentIndex] as number
      if (this.#boundOf(parent) <= this.#boundOf(place)) break
      open[index] = parent
      index = parentIndex
    }
    open[index] = place
  }

  #pop(): void {
    const open = this.#open
    const last = open.pop()
    if (last === undefined || open.length === 0) return
    let index = 0
    for (;;) {
      let childIndex = 2 * index + 1
      if (childIndex >= open.length) break
      const right = open[childIndex + 1]
      if (right !== undefined && this.#boundOf(right) < this.#boundOf(open[childIndex] as number)) childIndex++
      const child = open[childIndex] as number
      if (this.#boundOf(child) >= this.#boundOf(last)) break
      open[index] = child
      index = childIndex
    }
    open[index] = last
  }

  #boundOf(place: number): number {
    return this.#bounds[place] as number
  }
}
