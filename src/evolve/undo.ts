import { Counters } from '../model/counters.js'
import type { Slot } from '../model/state.js'
import type { StoredValue } from '../model/stored-value.js'
import type { Entries } from './entries.js'
import type { State } from './state.js'

type Step = (state: State) => void

/**
 * The inverse of every change since a turn began. A turn that fails is undone step by step in reverse: entries, deadlines,
 * recency and counters come out exactly as they were.
 */
export class UndoLog {
  readonly #steps: Step[] = []
  readonly #counters: Counters[] = []
  #depth = 0

  /** Remembers the counters; every later change is recorded until {@link release}. */
  save(counters: Readonly<Counters>): number {
    const saved = this.#counters[this.#depth] ?? new Counters()
    saved.copyFrom(counters)
    this.#counters[this.#depth++] = saved
    return this.#steps.length
  }

  /** The changes since the innermost {@link save} stay. Those of the outermost are forgotten. */
  release(): void {
    if (--this.#depth === 0 && this.#steps.length > 0) this.#steps.length = 0
  }

  /** Undoes the changes since the innermost {@link save}, which answered `mark`, and forgets them. */
  rollBack(state: State, mark: number): void {
    while (this.#steps.length > mark) this.#steps.pop()?.(state)
    state.counters.copyFrom(this.#counters[this.#depth - 1] as Counters) // saved by the call that answered `mark`
    this.release()
  }

  get isRecording(): boolean {
    return this.#depth > 0
  }

  added(slot: Slot): void {
    this.#steps.push((state) => state.entries.remove(slot))
  }

  replaced(entries: Entries, slot: Slot): void {
    const value = entries.valueAt(slot)
    const deadlineMs = entries.deadlines.get(slot)
    const weight = entries.weightAt(slot)
    const successor = entries.recency.next[slot] as number
    this.#steps.push((state) => {
      state.entries.replace(slot, value, deadlineMs, weight)
      moveBefore(state.entries, successor, slot)
    })
  }

  removed(entries: Entries, slot: Slot): void {
    const key = entries.keyAt(slot)
    const value: StoredValue = entries.valueAt(slot)
    const deadlineMs = entries.deadlines.get(slot)
    const weight = entries.weightAt(slot)
    const successor = entries.recency.next[slot] as number
    this.#steps.push((state) => void state.entries.add(key, value, deadlineMs, weight, successor))
  }

  rescheduled(entries: Entries, slot: Slot): void {
    const deadlineMs = entries.deadlines.get(slot)
    this.#steps.push((state) => state.entries.reschedule(slot, deadlineMs))
  }

  touched(entries: Entries, slot: Slot): void {
    const successor = entries.recency.next[slot] as number
    this.#steps.push((state) => moveBefore(state.entries, successor, slot))
  }

  replacedAll(entries: Entries): void {
    this.#steps.push((state) => {
      state.entries = entries
    })
  }
}

function moveBefore(entries: Entries, successor: number, slot: Slot): void {
  entries.recency.unlink(slot)
  entries.recency.insertBefore(successor, slot)
}
