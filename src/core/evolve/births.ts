import type { Slot } from '../model/state.js'

/**
 * The order in which entries were added: one that recovery finds again, whatever was read meanwhile. An order of use is written
 * as ranks in it (`use-order.ts`). Only an entry that is added costs anything here; updates and reads do not.
 *
 * After a compaction recovery adds the rows of the snapshot first, in their order. So from then on that is the order of the
 * entries that were there at its moment.
 */
export class Births {
  /** By slot: 1, 2, 3, … */
  #numbers: Float64Array
  count = 0
  /** By slot, for entries born up to `#since`: their row in the snapshot. */
  #rows: Uint32Array | undefined
  #since = 0
  #rowCount = 0

  constructor(capacity: number) {
    this.#numbers = new Float64Array(capacity)
  }

  grow(capacity: number): void {
    const numbers = new Float64Array(capacity)
    numbers.set(this.#numbers)
    this.#numbers = numbers
  }

  add(slot: Slot): void {
    this.#numbers[slot] = ++this.count
  }

  get(slot: Slot): number {
    return this.#numbers[slot] as number
  }

  /** Undoes a removal: the entry was born when it was born. */
  restore(slot: Slot, number: number): void {
    this.#numbers[slot] = number
  }

  /** A number that is larger the later recovery adds the entry. */
  placeOf(slot: Slot): number {
    const number = this.get(slot)
    return this.#rows !== undefined && number <= this.#since
      ? (this.#rows[slot] as number)
      : this.#rowCount + number - this.#since
  }

  /** A snapshot has replaced the journal through the birth `since`. `rows`: by slot, the row of each of its `count` entries. */
  compacted(rows: Uint32Array, count: number, since: number): void {
    this.#rows = rows
    this.#rowCount = count
    this.#since = since
  }
}
