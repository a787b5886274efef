import type { Slot, SlotCursor } from '../../model/state.js'
import { ANCHOR, OrderCursor } from './order.js'
import { Policy } from './policy.js'

/** Exact LRU: the order is that of the last use, and the first entry is the next to be evicted. */
export class Lru extends Policy {
  readonly #victims = new OrderCursor()

  begin(): void {}

  add(slot: Slot): void {
    this.insertBefore(ANCHOR, slot)
  }

  use(slot: Slot): void {
    this.moveToEnd(slot)
  }

  remove(slot: Slot): void {
    this.unlink(slot)
  }

  evict(slot: Slot): void {
    this.unlink(slot)
  }

  victims(): SlotCursor {
    return this.startAgain(this.#victims)
  }

  standingOf(): number {
    return 0
  }

  undoUse(slot: Slot, successor: number): void {
    this.moveBefore(successor, slot)
  }

  putBack(slot: Slot, successor: number): void {
    this.insertBefore(successor, slot)
  }
}
