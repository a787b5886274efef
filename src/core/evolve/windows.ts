import { NEVER } from '../model/expiry.js'
import type { Slot } from '../model/state.js'

/**
 * When entries become stale: a column of times. A cache in which no entry ever becomes stale allocates none of it, and readers
 * look at {@link count} first.
 */
export class Windows {
  /** How many entries become stale before they expire. */
  count = 0
  #capacity: number
  #freshUntil = new Float64Array(0)

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  grow(capacity: number): void {
    this.#capacity = capacity
    if (this.#freshUntil.length > 0) this.#allocate()
  }

  /** Of the column. */
  get bytes(): number {
    return this.#freshUntil.byteLength
  }

  /** Allocates the column, so that {@link set} does not have to. */
  reserve(): void {
    if (this.#freshUntil.length === 0) this.#allocate()
  }

  #allocate(): void {
    const column = new Float64Array(this.#capacity)
    column.set(this.#freshUntil)
    this.#freshUntil = column.fill(NEVER, this.#freshUntil.length)
  }

  /** Epoch milliseconds; `Infinity` for an entry that never becomes stale. */
  get(slot: Slot): number {
    return this.count === 0 ? NEVER : (this.#freshUntil[slot] as number)
  }

  set(slot: Slot, freshUntilMs: number): void {
    const before = this.get(slot)
    if (before === freshUntilMs) return
    this.reserve()
    if (before === NEVER) this.count++
    else if (freshUntilMs === NEVER) this.count--
    this.#freshUntil[slot] = freshUntilMs
  }
}
