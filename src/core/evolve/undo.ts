/**
 * The inverse of changes. Before: `evolve.ts`, which records; `turns.ts`, which rolls back a turn, and `turns/replica.ts`, which takes
 * back turns that were not committed. After: `entries.ts`.
 */
import { Counters } from '../model/counters.js'
import type { Extension } from '../model/extension.js'
import { type Limits, NEW_LIMITS } from '../model/limits.js'
import type { Note } from '../model/note.js'
import type { Slot } from '../model/state.js'
import type { StoredValue } from '../model/stored-value.js'
import type { Answers, AnswersBefore } from './answers.js'
import type { Entries } from './entries.js'
import { ANCHOR } from './eviction/order.js'
import { reserveStack } from './stack.js'

/** The counter that a change incremented. */
type Counter = keyof Omit<Counters, 'copyFrom' | 'reset'>

type Change =
  | 'added'
  | 'replaced'
  | 'removed'
  | 'rescheduled'
  | 'touched'
  | 'counted'
  | 'replaced all'
  | 'limited'
  | 'noted'

/** The part of a state that changes are made to. */
interface Undoable extends Limits {
  entries: Entries
  readonly counters: Counters
  readonly answers: Answers
  isWhole: boolean
  limit(limits: Limits): void
  reordered(): void
}

/** What one change overwrote. */
export class Step {
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
  /** What else the eviction policy kept about the entry. */
  standing = 0
  entries: Entries | undefined
  /** Hits and misses: by how much the change lowered them. The others: as they were. */
  counters: Counters | undefined
  limits: Limits = NEW_LIMITS
  note: Note | undefined
  answers: AnswersBefore | undefined

  /** Keeps nothing alive until the step is used again. */
  clear(): void {
    this.value = null
    this.extension = undefined
    this.entries = undefined
    this.note = undefined
    this.answers = undefined
  }
}

/** A turn that the journal may still take back. */
interface UncommittedTurn {
  /** Of its last event. */
  readonly sequence: number
  /** The number of its first step, counted from the first step ever kept. */
  readonly from: number
}

/** How many steps are kept for reuse. */
const POOL_SIZE = 32

/**
 * The inverse of every change since a turn of several steps began. If the turn fails, the steps are undone in reverse:
 * entries, deadlines, the order of use and counters are exactly as they were. (What S3-FIFO has moved on its way to an eviction
 * stays where it is: its queues are not part of the state.)
 *
 * While the journal is speculative, the inverse of every turn is kept until the turn is committed. Reads are not taken back then:
 * hits and misses stay, and the order of use is approximate, since uses outside a turn of several steps leave no step. That is safe:
 * when a step is undone, the same entries are there in the same slots as when it was made, so its successor is linked.
 *
 * Steps are reused, because every change makes one and hardly any is needed.
 */
export class UndoLog {
  isRecording = false
  /** Whether turns are kept until {@link commit}. */
  isSpeculative = false
  /** The first `#count` are in use. */
  readonly #steps: Step[] = []
  #count = 0
  /** Steps that were committed, in all: the number of the first one in use. */
  #committed = 0
  readonly #turns: UncommittedTurn[] = []
  /** The mark at which the open turn of several steps began, if one is open. */
  #open: number | undefined

  /** The point to roll back to. */
  get mark(): number {
    return this.#count
  }

  /** A turn of several steps, or such a turn inside another, begins. Returns the point to roll back to. */
  begin(): number {
    this.isRecording = true
    this.#open ??= this.#count
    return this.#count
  }

  /** The turn has ended, and will not be rolled back. */
  end(): void {
    this.isRecording = false
    if (this.isSpeculative) this.#dropUses(this.#open ?? this.#count)
    else this.#count = this.#release(this.#count, 0)
    this.#open = undefined
  }

  rollBack(state: Undoable, mark: number): void {
    this.isRecording = false // undoing is not a change to be undone
    state.isWhole = false
    while (this.#count > mark) undo(state, this.#steps[--this.#count] as Step)
    state.isWhole = true
    this.isRecording = true
  }

  // ── until it is committed ──

  get hasUncommitted(): boolean {
    return this.#turns.length > 0
  }

  /** A turn was appended, and this is the sequence of its last event. Its steps follow, unless they have been made already. */
  appended(sequence: number): void {
    this.#turns.push({ sequence, from: this.#committed + (this.#open ?? this.#count) })
    this.isRecording = true
  }

  /** The turns up to this sequence will not be taken back. */
  commit(sequence: number): void {
    const turns = this.#turns
    let count = 0
    while (count < turns.length && (turns[count] as UncommittedTurn).sequence <= sequence) count++
    if (count === 0) return
    turns.splice(0, count)
    const steps = turns[0] === undefined ? this.#count : turns[0].from - this.#committed
    this.#committed += steps
    this.#count = this.#release(steps, this.#count - steps)
  }

  /** Takes back every turn that was not committed. */
  revert(state: Undoable): void {
    this.rollBack(state, 0)
    this.#turns.length = 0
    this.isRecording = false
  }

  /** The steps of the turns that were not committed, latest first. */
  *uncommitted(): Generator<Step> {
    for (let index = this.#count - 1; index >= 0; index--) yield this.#steps[index] as Step
  }

  /** Removes the first `count` steps, and returns how many stay: `rest`. */
  #release(count: number, rest: number): number {
    const steps = this.#steps
    for (let index = 0; index < count; index++) (steps[index] as Step).clear()
    if (rest > 0) for (const step of steps.splice(0, count)) steps.push(step)
    if (steps.length > rest + POOL_SIZE) steps.length = rest + POOL_SIZE
    return rest
  }

  /** Reads that belong to a turn are not taken back with it. */
  #dropUses(from: number): void {
    const steps = this.#steps
    let to = from
    for (let index = from; index < this.#count; index++) {
      const step = steps[index] as Step
      if (step.change === 'touched' || step.change === 'counted') continue
      steps[index] = steps[to] as Step
      steps[to++] = step
    }
    this.#count = to
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

  added(slot: Slot, key: string): void {
    this.#next('added', 'sets', slot).key = key
  }

  replaced(entries: Entries, slot: Slot): void {
    const step = this.#next('replaced', 'sets', slot)
    step.key = entries.keyAt(slot)
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
    step.key = entries.keyAt(slot)
    step.deadlineMs = entries.deadlines.get(slot)
    step.freshUntilMs = entries.windows.get(slot)
  }

  /** Whether reads leave a step: only those that belong to a turn can be undone. */
  get #recordsUses(): boolean {
    return this.#open !== undefined || !this.isSpeculative
  }

  touched(entries: Entries, slot: Slot, counter: 'hits' | undefined): void {
    if (!this.#recordsUses) return
    reserveStack()
    const step = this.#next('touched', counter, slot)
    step.successor = entries.order.successorOf(slot)
    step.standing = entries.order.standingOf(slot)
  }

  missed(): void {
    if (!this.#recordsUses) return
    reserveStack()
    this.#next('counted', 'misses', ANCHOR as Slot)
  }

  /** `after`: the counters that replace those of the state. */
  replacedAll(state: Undoable, after: Readonly<Counters>): void {
    const step = this.#next('replaced all', undefined, ANCHOR as Slot)
    step.entries = state.entries
    step.counters = new Counters()
    step.counters.copyFrom(state.counters)
    step.counters.hits -= after.hits
    step.counters.misses -= after.misses
  }

  limited({ maxSize, maxBytes }: Undoable): void {
    this.#next('limited', undefined, ANCHOR as Slot).limits = { maxSize, maxBytes }
  }

  noted(answers: Answers, note: Note): void {
    const step = this.#next('noted', undefined, ANCHOR as Slot)
    step.note = note
    step.answers = answers.before(note)
  }
}

/** Counters as they were before a `replaced all` step. Those of reads include what was read since. */
export function recounted(step: Step, now: Readonly<Counters>): Counters {
  const counters = new Counters()
  counters.copyFrom(step.counters as Counters) // replacedAll() has set them
  counters.hits += now.hits
  counters.misses += now.misses
  return counters
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
      state.entries = step.entries as Entries // replacedAll() has set them
      state.counters.copyFrom(recounted(step, state.counters))
      state.reordered() // perhaps not, but that is no longer known
      return
    case 'limited':
      state.limit(step.limits)
      return
    case 'noted':
      state.answers.restore(step.answers as AnswersBefore) // noted() has set them
      return
    case 'counted':
      return
  }
}
