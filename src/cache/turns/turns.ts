/**
 * A turn: the handling of one command. Every change passes through here. Before: `door.ts` and `cache.ts`. After: `outbox.ts`.
 *
 *   command ─► decide ─► events ─► journal.append ─► evolve each ─► reply ─► streams
 *
 * The journal is written first, then the state changes. Everything that could fail after the append is checked before it: the
 * limits of the cache and of V8's Map (`decide`), room in the columns, room on the stack. So there is nothing to undo.
 *
 * Only a turn of several steps (`transact`, `setMany`, `deleteMany`, `deletePattern`) evolves as it goes, because a step must
 * see the previous one. It keeps the inverse of every change and appends once at the end. If it throws, all of it is undone.
 *
 * Turns never interleave: everything here is synchronous. A call made inside `transact` is a step of that turn; a call made
 * by a subscriber or a loader comes after the turn and is one of its own.
 */
import { decide, isSetAlone, replyTo, sum } from '../../core/decide/decide.js'
import { evolve, evolveSet } from '../../core/evolve/evolve.js'
import type { Replacement } from '../../core/evolve/replacement.js'
import { reserveStack } from '../../core/evolve/stack.js'
import type { State } from '../../core/evolve/state.js'
import type { Command } from '../../core/model/command.js'
import type { CacheEvent } from '../../core/model/event.js'
import type { Slot } from '../../core/model/state.js'
import type { StoredValue } from '../../core/model/stored-value.js'
import type { Journal } from '../../durable/contract.js'
import { CacheError } from '../../errors.js'
import type { ExpiryTimer } from './expiry-timer.js'
import type { Outbox } from './outbox.js'
import { reportLater } from './report.js'

/**
 * Called after a turn, with its events and with the keys whose deletion found no entry. Must not keep the arrays.
 */
export type TurnListener = (events: readonly CacheEvent[], missedDeletions: readonly string[]) => void

export interface TurnsParts {
  state: State
  journal: Journal
  outbox: Outbox
  expiry: ExpiryTimer
}

export class Turns {
  readonly #state: State
  readonly #journal: Journal
  readonly #outbox: Outbox
  readonly #expiry: ExpiryTimer
  #isWritable = false
  #listener: TurnListener | undefined
  /**
   * Whether a `set` may take effect without a full turn: the journal is writable, no turn is open, there is no listener or
   * subscriber, and the state is whole. It is a field, updated whenever one of these changes, because every `set` reads it.
   */
  #isQuiet = false

  /** How many nested turns are open. */
  #depth = 0
  /** The events of the open turn so far. */
  #events: CacheEvent[] = []
  /** The time of its last step. */
  #nowMs = 0
  /** Keys without an entry that the open turn deleted. That is not an event, but it overrules a load of the key. */
  #missedDeletions: string[] = []
  readonly #afterTurn: (() => void)[] = []
  /** Whether a turn of one command is being appended and applied: what the journal reports then has to wait for its end. */
  #isCommitting = false

  constructor({ state, journal, outbox, expiry }: TurnsParts) {
    this.#state = state
    this.#journal = journal
    this.#outbox = outbox
    this.#expiry = expiry
    outbox.onObserved = () => this.#updateQuiet()
  }

  #updateQuiet(): void {
    const isUnheard = this.#listener === undefined && !this.#outbox.isObserved
    this.#isQuiet = this.#isWritable && this.#depth === 0 && isUnheard && this.#state.isWhole
  }

  /** Whether the journal accepts events. While it does not, expired entries are only hidden. */
  get isWritable(): boolean {
    return this.#isWritable
  }

  set isWritable(isWritable: boolean) {
    this.#isWritable = isWritable
    this.#updateQuiet()
  }

  /** Called after every turn, whether or not the streams have subscribers. */
  set listener(listener: TurnListener | undefined) {
    this.#listener = listener
    this.#updateQuiet()
  }

  /** Whether a turn is open: the caller is inside `transact`. */
  get isOpen(): boolean {
    return this.#depth > 0
  }

  /** Runs `task` when no turn is open: now, or after the open turn. */
  whenIdle(task: () => void): void {
    if (this.#depth === 0 && !this.#isCommitting) task()
    else this.#afterTurn.push(task)
  }

  // ── one command ──

  /** One command, one turn; inside `transact`, one step of the open turn. */
  run(command: Command): unknown {
    const events = decide(this.#state, command)
    if (events.length > 0) this.record(events, command.nowMs)
    if (command.type === 'delete' && events.at(-1)?.type !== 'deleted') this.#missDeletion(command.key)
    return replyTo(command, events)
  }

  /** Journals and applies events that are already decided. `replacement`: the rows that a `loaded` event switches to. */
  record(events: readonly CacheEvent[], nowMs: number, replacement?: Replacement): void {
    if (this.#depth === 0) this.#commit(events, nowMs, replacement)
    else for (const event of events) this.#step(event, nowMs)
  }

  #commit(events: readonly CacheEvent[], nowMs: number, replacement: Replacement | undefined): void {
    const state = this.#state
    reserveStack()
    const last = events[events.length - 1] as CacheEvent // there is at least one
    const adds = last.type === 'set' && events.length === 1 && state.find(last.key) === undefined
    if (last.type === 'set' || last.type === 'rescheduled') state.reserve(adds, last.expiresAtMs)
    const first = this.#write(events)
    const isQuiet = this.#isQuiet
    state.isWhole = this.#isQuiet = false
    const { isObserved } = this.#outbox
    for (let place = 0; place < events.length; place++) {
      const event = events[place] as CacheEvent
      if (isObserved) this.#outbox.capture(event, place, state, nowMs)
      evolve(state, event, replacement)
    }
    if (isObserved) this.#outbox.journaled(first)
    state.isWhole = true
    this.#isQuiet = isQuiet
    this.#isCommitting = false
    this.#settle(events, NONE, nowMs)
  }

  /**
   * Applies a `set` that removes nothing and has no observers, without creating a command, an event or a list. `nowMs`:
   * Infinity if the clock was not read. Returns false, having done nothing, if the `set` needs a full turn.
   */
  setAlone(key: string, value: StoredValue, expiresAtMs: number, nowMs: number): boolean {
    if (!this.#isQuiet) return false
    const slot = this.#state.find(key)
    if (!isSetAlone(this.#state, slot, nowMs)) return false
    this.#commitSet(slot, key, value, expiresAtMs, nowMs)
    return true
  }

  /** The same for adding to an existing number without a deadline. Returns `undefined` if that needs a full turn. */
  incrementAlone(key: string, by: number): number | undefined {
    if (!this.#isQuiet) return undefined
    const state = this.#state
    const slot = state.find(key)
    if (slot === undefined || !isSetAlone(state, slot, Number.POSITIVE_INFINITY)) return undefined
    const value = sum(state, key, by, slot)
    this.#commitSet(slot, key, value, Number.POSITIVE_INFINITY, 0)
    return value
  }

  /** {@link #commit} of one `set` event. */
  #commitSet(slot: Slot | undefined, key: string, value: StoredValue, expiresAtMs: number, nowMs: number): void {
    const state = this.#state
    reserveStack()
    if (slot === undefined || expiresAtMs !== Number.POSITIVE_INFINITY) state.reserve(slot === undefined, expiresAtMs)
    this.#isCommitting = true
    try {
      if (this.#journal.appendSet === undefined) this.#journal.append([{ type: 'set', key, value, expiresAtMs }])
      else this.#journal.appendSet(key, value, expiresAtMs)
    } catch (error) {
      this.#endRefused()
      throw error
    }
    const isQuiet = this.#isQuiet // the journal may have stopped meanwhile
    state.isWhole = this.#isQuiet = false
    evolveSet(state, slot, key, value, expiresAtMs)
    state.isWhole = true
    this.#isQuiet = isQuiet
    this.#isCommitting = false
    if (expiresAtMs !== Number.POSITIVE_INFINITY || this.#afterTurn.length > 0) this.#settle(NONE, NONE, nowMs)
  }

  #write(events: readonly CacheEvent[]): number {
    this.#isCommitting = true
    try {
      return this.#journal.append(events)
    } catch (error) {
      this.#endRefused()
      throw error
    }
  }

  /** The journal has refused a turn of one command: nothing has changed. */
  #endRefused(): void {
    this.#isCommitting = false
    this.#runWaiting()
  }

  #missDeletion(key: string): void {
    if (this.#depth > 0) this.#missedDeletions.push(key)
    else this.#settle(NONE, [key], undefined)
  }

  // ── several steps ──

  /** Runs `steps`; the calls that it makes on this object are the steps of one turn. All of them take effect, or none. */
  transact<T>(steps: () => T): T {
    reserveStack() // also for undoing
    const { undo } = this.#state
    const undoMark = undo.mark
    const eventMark = this.#events.length
    const missedMark = this.#missedDeletions.length
    undo.isRecording = true
    this.#depth++
    this.#isQuiet = false
    let reply: T
    try {
      reply = steps()
      if (this.#depth === 1) this.#append()
    } catch (error) {
      this.#depth--
      const { isWhole } = this.#state
      this.#state.isWhole = false // until the undo is complete
      this.#undo(undoMark, eventMark, missedMark, isWhole)
      throw error
    }
    if (--this.#depth > 0) return reply
    this.#updateQuiet()
    const events = this.#events
    const missed = this.#missedDeletions
    if (events.length > 0) this.#events = []
    if (missed.length > 0) this.#missedDeletions = []
    undo.forget()
    this.#settle(events, missed, events.length > 0 ? this.#nowMs : undefined)
    return reply
  }

  #step(event: CacheEvent, nowMs: number): void {
    const state = this.#state
    reserveStack()
    state.isWhole = false
    if (this.#outbox.isObserved) this.#outbox.capture(event, this.#events.length, state, nowMs)
    evolve(state, event)
    this.#events.push(event)
    this.#nowMs = nowMs
    state.isWhole = true
  }

  /** The last thing that can fail in a turn of several steps. */
  #append(): void {
    if (!this.#state.isWhole)
      throw new CacheError('INTERNAL', 'A step of this turn was interrupted by an error', {
        consequence: 'None of its changes have taken effect.',
      })
    if (this.#events.length > 0) this.#outbox.journaled(this.#journal.append(this.#events))
  }

  #undo(undoMark: number, eventMark: number, missedMark: number, wasWhole: boolean): void {
    const state = this.#state
    this.#events.length = eventMark
    this.#missedDeletions.length = missedMark
    this.#outbox.undo(eventMark)
    if (wasWhole) state.undo.rollBack(state, undoMark) // makes the state whole again
    if (this.#depth > 0) return
    this.#updateQuiet()
    state.undo.forget()
    this.#runWaiting()
  }

  // ── after a turn ──

  /** An error after a turn cannot undo it, so it is reported instead of being thrown to the caller. */
  #settle(events: readonly CacheEvent[], missedDeletions: readonly string[], nowMs: number | undefined): void {
    try {
      if (nowMs !== undefined) this.#expiry.arm(nowMs)
      this.#listener?.(events, missedDeletions)
    } catch (error) {
      reportLater(error)
    }
    this.#outbox.deliver()
    this.#runWaiting()
  }

  #runWaiting(): void {
    while (this.#afterTurn.length > 0 && this.#depth === 0) this.#afterTurn.shift()?.()
  }

  /** @throws CacheError inside a turn, for a method that takes longer than a turn. */
  refuseInside(method: string): void {
    if (!this.isOpen) return
    throw new CacheError(
      'INSIDE_TRANSACTION',
      `${method}() cannot be called inside transact(): it takes longer than a turn`,
    )
  }
}

const NONE: readonly never[] = []
