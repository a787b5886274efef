/** The inverse of changes. Before: `evolve.ts`, which records; `turns.ts`, which rolls back. After: `entries.ts`. */
import { Counters } from '../model/counters.js'
import type { Extension } from '../model/extension.js'
import { type Limits, NEW_LIMITS } from '../model/limits.js'
import type { Slot } from '../model/state.js'
import type { StoredValue } from '../model/stored-value.js'
import type { Entries } from './entries.js'
import { ANCHOR } from './eviction/order.js'
import { reserveStack } from './stack.js'

/** The counter that a change incremented. */
type Counter = keyof Omit<Counters, 'copyFrom' | 'reset'>

type Change = 'added' | 'replaced' | 'removed' | 'rescheduled' | 'touched' | 'counted' | 'replaced all' | 'limited'

/** The part of a state that changes are made to. */
interface Undoable extends Limits {
  entries: Entries
  readonly counters: Counters
  isWhole: boolean
  limit(limits: Limits): void
  reordered(): void
}

/** What one change overwrote. */
class Step {
  change: Change = 'counted'
  counter: Counter | undefined
  slot = ANCHOR as Slot
  key = ''
  value: StoredValue = null
  deadlineMs = 0
  extension: Extension | undefined
  freshUntilMs = 0
  weight = 0
  birth = 0
  /** The next entry in the order. Steps are undone in reverse, so it is linked again by then. */
  successor = ANCHOR
  /** What else the policy of eviction knew of the entry. */
  standing = 0
  entries: Entries | undefined
  counters: Counters | undefined
  limits: Limits = NEW_LIMITS
}

/** How many steps are kept for reuse. */
const POOL_SIZE = 32

/**
 * The inverse of every change since a turn of several steps began. If the turn fails, the steps are undone in reverse:
 * entries, deadlines, the order of use and counters are exactly as they were. (What S3-FIFO has moved on its way to an eviction
 * stays where it is: its queues are no state.)
 *
 * Steps are reused, because every change makes one and hardly any is needed.
 */
export class UndoLog {
  isRecording = false
  readonly #steps: Step[] = []
  #count = 0

  /** The point to roll back to. */
  get mark(): number {
    return this.#count
  }

  /** The turn has succeeded and will not be undone. */
  forget(): void {
    this.isRecording = false
    for (let index = 0; index < this.#count; index++) {
      const step = this.#steps[index] as Step // index < count
      step.value = null
      step.extension = undefined
      step.entries = undefined
    }
    this.#count = 0
    if (this.#steps.length > POOL_SIZE) this.#steps.length = POOL_SIZE
  }

  rollBack(state: Undoable, mark: number): void {
    this.isRecording = false // undoing is not a change to be undone
    state.isWhole = false
    while (this.#count > mark) undo(state, this.#steps[--this.#count] as Step)
    state.isWhole = true
    this.isRecording = true
  }

  #next(change: Change, counter: Counter | undefined, slot: Slot): Step {
    const index = this.#count++
    let step = this.#steps[index]
    if (step === undefined) {
      step = new Step()
      this.#steps.push(step)
    }
    step.change = change
    step.counter = counter
    step.slot = slot
    return step
  }

  added(slot: Slot): void {
    this.#next('added', 'sets', slot)
  }

  replaced(entries: Entries, slot: Slot): void {
    const step = this.#next('replaced', 'sets', slot)
    step.value = entries.valueAt(slot)
    step.deadlineMs = entries.deadlines.get(slot)
    step.extension = entries.extensionAt(slot)
    step.weight = entries.weightAt(slot)
    step.successor = entries.order.successorOf(slot)
    step.standing = entries.order.standingOf(slot)
  }

  removed(entries: Entries, slot: Slot, counter: Counter): void {
    const step = this.#next('removed', counter, slot)
    step.key = entries.keyAt(slot)
    step.value = entries.valueAt(slot)
    step.deadlineMs = entries.deadlines.get(slot)
    step.extension = entries.extensionAt(slot)
    step.weight = entries.weightAt(slot)
    step.birth = entries.births.get(slot)
    step.successor = entries.order.successorOf(slot)
    step.standing = entries.order.standingOf(slot)
  }

  rescheduled(entries: Entries, slot: Slot): void {
    const step = this.#next('rescheduled', undefined, slot)
    step.deadlineMs = entries.deadlines.get(slot)
    step.freshUntilMs = entries.windows.get(slot)
  }

  touched(entries: Entries, slot: Slot, counter: 'hits' | undefined): void {
    reserveStack()
    const step = this.#next('touched', counter, slot)
    step.successor = entries.order.successorOf(slot)
    step.standing = entries.order.standingOf(slot)
  }

  missed(): void {
    reserveStack()
    this.#next('counted', 'misses', ANCHOR as Slot)
  }

  replacedAll(state: Undoable): void {
    const step = this.#next('replaced all', undefined, ANCHOR as Slot)
    step.entries = state.entries
    step.counters = new Counters()
    step.counters.copyFrom(state.counters)
  }

  limited({ maxSize, maxBytes }: Undoable): void {
    this.#next('limited', undefined, ANCHOR as Slot).limits = { maxSize, maxBytes }
  }
}

function undo(state: Undoable, step: Step): void {
  const { entries } = state
  const { slot, key, value, deadlineMs, extension, weight, successor, standing } = step
  if (step.counter !== undefined) state.counters[step.counter]--
  switch (step.change) {
    case 'added':
      entries.remove(slot)
      return
    case 'replaced':
      entries.replace(slot, value, deadlineMs, weight, extension)
      entries.order.undoUse(slot, successor, standing)
      return
    case 'removed':
      entries.births.restore(entries.add(key, value, deadlineMs, weight, extension, successor, standing), step.birth)
      return
    case 'rescheduled':
      entries.reschedule(slot, deadlineMs, step.freshUntilMs)
      return
    case 'touched':
      entries.order.undoUse(slot, successor, standing)
      return
    case 'replaced all':
      state.entries = step.entries as Entries // replacedAll() has set both
      state.counters.copyFrom(step.counters as Counters)
      state.reordered() // or not: it is not known any more
      return
    case 'limited':
      state.limit(step.limits)
      return
    case 'counted':
      return
  }
}
