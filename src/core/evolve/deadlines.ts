import type { Slot, SlotCursor } from '../model/state.js'

/**
 * Which entry expires next: a binary min-heap of slots ordered by deadline, with a column that holds each slot's place in the
 * heap. So a deadline can be changed or removed in O(log n), and the heap holds no stale ones.
 * (Indexed priority queue: Sedgewick & Wayne, Algorithms, 4th ed., 2.4.)
 *
 * A cache without deadlines allocates none of it.
 */
export class Deadlines {
  /** How many entries have a deadline. */
  count = 0
  #capacity: number
  #at = new Float64Array(0)
  #heap = new Uint32Array(0)
  /** 1 + the slot's index in the heap; 0 if it is not in the heap. */
  #place = new Uint32Array(0)

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  grow(capacity: number): void {
    this.#capacity = capacity
    if (this.#at.length > 0) this.#allocate()
  }

  #allocate(): void {
    const at = new Float64Array(this.#capacity)
    const heap = new Uint32Array(this.#capacity)
    const place = new Uint32Array(this.#capacity)
    at.set(this.#at)
    heap.set(this.#heap)
    place.set(this.#place)
    this.#at = at
    this.#heap = heap
    this.#place = place
  }

  /** Epoch milliseconds, `Infinity` for none. */
  get(slot: Slot): number {
    if (this.count === 0 || this.#place[slot] === 0) return Number.POSITIVE_INFINITY
    return this.#at[slot] as number
  }

  get first(): Slot | undefined {
    return this.count === 0 ? undefined : (this.#heap[0] as Slot)
  }

  /** Allocates the columns, so that {@link set} does not have to. */
  reserve(): void {
    if (this.#at.length === 0) this.#allocate()
  }

  /** All slots in the order of their deadlines. Leaves the heap as it is; valid until a deadline changes. */
  cursor(): SlotCursor {
    return new DeadlineCursor(this.#heap.subarray(0, this.count), this.#at)
  }

  set(slot: Slot, deadlineMs: number): void {
    if (deadlineMs === Number.POSITIVE_INFINITY) {
      if (this.count > 0) this.#remove(slot)
      return
    }
    this.reserve()
    this.#at[slot] = deadlineMs
    const place = this.#place[slot] as number
    if (place === 0) this.#up(this.count++, slot)
    else this.#settle(place - 1, slot)
  }

  #remove(slot: Slot): void {
    const place = this.#place[slot] as number
    if (place === 0) return
    this.#place[slot] = 0
    const last = this.#heap[--this.count] as Slot
    if (last !== slot) this.#settle(place - 1, last)
  }

  #settle(index: number, slot: Slot): void {
    const parent = (index - 1) >> 1
    if (index > 0 && (this.#at[this.#heap[parent] as number] as number) > (this.#at[slot] as number))
      this.#up(index, slot)
    else this.#down(index, slot)
  }

  #up(from: number, slot: Slot): void {
    const at = this.#at
    const heap = this.#heap
    const deadlineMs = at[slot] as number
    let index = from
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = heap[parentIndex] as number
      if ((at[parent] as number) <= deadlineMs) break
      heap[index] = parent
      this.#place[parent] = index + 1
      index = parentIndex
    }
    heap[index] = slot
    this.#place[slot] = index + 1
  }

  #down(from: number, slot: Slot): void {
    const at = this.#at
    const heap = this.#heap
    const { count } = this
    const deadlineMs = at[slot] as number
    let index = from
    for (;;) {
      let childIndex = 2 * index + 1
      if (childIndex >= count) break
      if (
        childIndex + 1 < count &&
        (at[heap[childIndex + 1] as number] as number) < (at[heap[childIndex] as number] as number)
      )
        childIndex++
      const child = heap[childIndex] as number
      if ((at[child] as number) >= deadlineMs) break
      heap[index] = child
      this.#place[child] = index + 1
      index = childIndex
    }
    heap[index] = slot
    this.#place[slot] = index + 1
  }
}

/** Traverses the heap, earliest deadline first, with a second heap: of places whose parents have been returned. */
class DeadlineCursor implements SlotCursor {
  readonly #heap: Uint32Array
  readonly #at: Float64Array
  readonly #open: number[] = []

  constructor(heap: Uint32Array, at: Float64Array) {
    this.#heap = heap
    this.#at = at
    this.#push(0)
  }

  next(): Slot | undefined {
    const place = this.#pop()
    if (place === undefined) return undefined
    this.#push(2 * place + 1)
    this.#push(2 * place + 2)
    return this.#heap[place] as Slot
  }

  #push(place: number): void {
    if (place >= this.#heap.length) return
    const open = this.#open
    let index = open.length
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = open[parentIndex] as number
      if (this.#deadlineOf(parent) <= this.#deadlineOf(place)) break
      open[index] = parent
      index = parentIndex
    }
    open[index] = place
  }

  #pop(): number | undefined {
    const open = this.#open
    const first = open[0]
    const last = open.pop()
    if (last === undefined || open.length === 0) return last
    let index = 0
    for (;;) {
      let childIndex = 2 * index + 1
      if (childIndex >= open.length) break
      const right = open[childIndex + 1]
      if (right !== undefined && this.#deadlineOf(right) < this.#deadlineOf(open[childIndex] as number)) childIndex++
      const child = open[childIndex] as number
      if (this.#deadlineOf(child) >= this.#deadlineOf(last)) break
      open[index] = child
      index = childIndex
    }
    open[index] = last
    return first
  }

  #deadlineOf(place: number): number {
    return this.#at[this.#heap[place] as number] as number
  }
}
