/**
 * A turn: the handling of one command. Every change passes through here. Before: `door/` and `cache.ts`. After: `outbox.ts`.
 *
 *   command ─► decide ─► events ─► journal.append ─► evolve each ─► reply ─► streams
 *
 * The journal is written first, then the state changes. What could fail after the append is checked before it: the limits of the cache
 * and of V8's Map (`decide`), room in the columns and on the stack. So there is nothing to undo. Only a turn of several steps
 * (`transact`, `setMany`, `deleteMany`, `deletePattern`) evolves as it goes, because a step must see the previous one. It keeps the inverse
 * of every change and appends once at the end. If it throws, all of it is undone. Turns never interleave: everything here is synchronous. A
 * call inside `transact` is a step of that turn; one by a subscriber or a loader comes after the turn and is one of its own.
 */
import { decide, isSetAlone, replyTo, sum, victimOf } from '../../core/decide/decide.js'
import { evolve, evolveEviction, evolveNote, evolveSet } from '../../core/evolve/evolve.js'
import type { Replacement } from '../../core/evolve/replacement.js'
import { reserveStack } from '../../core/evolve/stack.js'
import { GATE, type State } from '../../core/evolve/state.js'
import type { Command } from '../../core/model/command.js'
import { type CacheEvent, setEvents } from '../../core/model/event.js'
import { NEVER } from '../../core/model/expiry.js'
import type { Answer, AnsweredNote, Note } from '../../core/model/note.js'
import type { Slot } from '../../core/model/state.js'
import type { StoredValue } from '../../core/model/stored-value.js'
import { CacheError } from '../../errors.js'
import type { ExpiryTimer } from './expiry-timer.js'
import type { Outbox } from './outbox.js'
import { orLater } from './report.js'
import type { Appends } from './speculative-appends.js'

/** Called after a turn, with its events and with the keys whose deletion found no entry. Must not keep the arrays. */
export type TurnListener = (events: readonly CacheEvent[], missedDeletions: readonly string[]) => void

export interface TurnsParts {
  state: State
  journal: Appends
  outbox: Outbox
  expiry: ExpiryTimer
}

export class Turns {
  readonly #state: State
  readonly #journal: Appends
  readonly #outbox: Outbox
  readonly #expiry: ExpiryTimer
  #listener: TurnListener | undefined
  /** How many nested turns are open. */
  #depth = 0
  /** The events of the open turn so far. */
  #events: CacheEvent[] = []
  /** The answer that the frame of the open turn, or of the next one, keeps. If that is a turn of one command, its reply is the answer. */
  note: AnsweredNote | undefined
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
  }

  /** Whether the journal accepts events. While it does not, expired entries are only hidden. */
  get isWritable(): boolean {
    return (this.#state.gate & GATE.readOnly) === 0
  }

  set isWritable(isWritable: boolean) {
    this.#state.close(GATE.readOnly, !isWritable)
  }

  /** Called after every turn, whether or not the streams have subscribers. */
  set listener(listener: TurnListener | undefined) {
    this.#listener = listener
    this.#state.close(GATE.isHeard, listener !== undefined)
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

  /** One command, one turn; inside `transact`, one step of the open turn. */
  run(command: Command): unknown {
    const events = decide(this.#state, command)
    const reply = replyTo(command, events)
    if (this.note !== undefined) this.note.answer = reply as Answer // of one command
    if (events.length > 0) this.record(events, command.nowMs)
    if (command.type === 'delete' && events.at(-1)?.type !== 'deleted') this.overrule(command.key)
    return reply
  }

  /** Journals and applies events that are already decided. `replacement`: the rows that a `loaded` event switches to. */
  record(events: readonly CacheEvent[], nowMs: number, replacement?: Replacement): void {
    if (this.#depth > 0) for (const event of events) this.#step(event, nowMs)
    else {
      this.#state.reserveFor(events[events.length - 1] as CacheEvent, events.length > 1) // there is at least one
      this.#commit(events, nowMs, replacement)
    }
  }

  /**
   * The gate in front of `decide`, for a `set` that removes nothing or evicts one entry while nobody listens: committed without command,
   * event or list. `nowMs`: undefined if the clock was not read. Returns false, having done nothing, if the `set` must be decided.
   */
  set(key: string, value: StoredValue, expiresAtMs: number, nowMs: number | undefined): boolean {
    const state = this.#state
    if (state.gate !== 0) return false
    const slot = state.entries.find(key)
    // Otherwise it replaces an entry without a deadline, and so removes nothing.
    if (slot === undefined || state.entries.hasBeenTimed || expiresAtMs !== NEVER) {
      if (!isSetAlone(state, slot, nowMs))
        return slot === undefined && this.#replaceVictim(key, value, expiresAtMs, nowMs)
      state.reserve(slot === undefined, expiresAtMs)
    }
    this.#commitSet(slot, key, value, expiresAtMs, nowMs)
    return true
  }

  /** The same for a new key in a full cache, if all that it needs is one eviction. */
  #replaceVictim(key: string, value: StoredValue, expiresAtMs: number, nowMs: number | undefined): boolean {
    const victim = victimOf(this.#state, nowMs)
    if (victim === undefined) return false
    this.#state.reserve(false, expiresAtMs)
    this.#commitSet(undefined, key, value, expiresAtMs, nowMs, victim)
    return true
  }

  /** The same gate for adding to a number that has neither a deadline nor tags. Returns undefined if the increment must be decided. */
  increment(key: string, by: number): number | undefined {
    if (this.#state.gate !== 0) return undefined
    const slot = this.#state.find(key)
    if (slot === undefined || !isSetAlone(this.#state, slot, undefined) || this.#state.isExtendedAt(slot))
      return undefined
    const value = sum(this.#state, key, by, slot)
    if (this.note !== undefined) this.note.answer = value
    this.#commitSet(slot, key, value, NEVER, undefined)
    return value
  }

  /** A turn of one command: append, then evolve. Room in the columns has been reserved. */
  #commit(events: readonly CacheEvent[], nowMs: number, replacement?: Replacement): void {
    reserveStack()
    const first = this.#append(events)
    this.#state.gate |= GATE.notWhole
    this.#evolveEach(events, first, nowMs, replacement)
    this.#end(events, nowMs)
  }

  #append(events: readonly CacheEvent[]): number {
    this.#isCommitting = true
    try {
      return this.#journal.append(events, this.note)
    } catch (error) {
      this.#abandon()
      throw error
    }
  }

  /** The same for the `set` event of the gate, which is given by its fields; before it `victim` is evicted, if any. */
  #commitSet(
    slot: Slot | undefined,
    key: string,
    value: StoredValue,
    expiresAtMs: number,
    nowMs: number | undefined,
    victim?: Slot,
  ): void {
    const state = this.#state
    reserveStack()
    this.#appendSet(key, value, expiresAtMs, victim === undefined ? undefined : state.keyAt(victim))
    state.gate |= GATE.notWhole
    if (victim !== undefined) evolveEviction(state, victim)
    evolveSet(state, slot, key, value, expiresAtMs)
    this.#end(NONE, nowMs)
  }

  #appendSet(key: string, value: StoredValue, expiresAtMs: number, evicted: string | undefined): void {
    const journal = this.#journal
    this.#isCommitting = true
    try {
      if (journal.appendSet !== undefined) journal.appendSet(key, value, expiresAtMs, evicted, this.note)
      else journal.append(setEvents(key, value, expiresAtMs, evicted), this.note)
    } catch (error) {
      this.#abandon()
      throw error
    }
  }

  /** Nothing was appended. */
  #abandon(): void {
    this.#isCommitting = false
    this.#runWaiting()
  }

  /** Ends a commit. */
  #end(events: readonly CacheEvent[], nowMs: number | undefined): void {
    if (this.note !== undefined) {
      evolveNote(this.#state, this.note)
      this.note = undefined // before anything that may begin another turn
    }
    this.#state.gate &= ~GATE.notWhole
    this.#isCommitting = false
    if (nowMs !== undefined || this.#afterTurn.length > 0) this.#settle(events, NONE, nowMs)
  }

  #evolveEach(events: readonly CacheEvent[], first: number, nowMs: number, replacement: Replacement | undefined): void {
    const { isObserved } = this.#outbox
    for (let place = 0; place < events.length; place++) {
      const event = events[place] as CacheEvent
      if (isObserved) this.#outbox.capture(event, place, this.#state, nowMs)
      evolve(this.#state, event, replacement)
    }
    if (isObserved) this.#outbox.journaled(first)
  }

  /** Journals and applies a note that belongs to no change. */
  noted(note: Note): void {
    this.#journal.append(NONE, note)
    evolveNote(this.#state, note)
  }

  /** Overrules a load of the key, although no event of the turn is about the key. */
  overrule(key: string): void {
    if (this.#depth > 0) this.#missedDeletions.push(key)
    else this.#settle(NONE, [key], undefined)
  }

  // ── several steps ──

  /** Runs `steps`; the calls that it makes on this object are the steps of one turn. All of them take effect, or none. */
  transact<T>(steps: () => T): T {
    reserveStack() // also for undoing
    const { undo } = this.#state
    const undoMark = undo.begin()
    const eventMark = this.#events.length
    const missedMark = this.#missedDeletions.length
    this.#depth++
    this.#state.close(GATE.inTurn, true)
    let reply: T
    try {
      reply = steps()
      if (this.#depth === 1) this.#appendAll()
    } catch (error) {
      this.#state.close(GATE.inTurn, --this.#depth > 0)
      const { isWhole } = this.#state
      this.#state.isWhole = false // until the undo is complete
      this.#undo(undoMark, eventMark, missedMark, isWhole)
      throw error
    }
    this.#state.close(GATE.inTurn, --this.#depth > 0)
    if (this.#depth > 0) return reply
    const events = this.#events
    const missed = this.#missedDeletions
    if (events.length > 0) this.#events = []
    this.note = undefined
    if (missed.length > 0) this.#missedDeletions = []
    undo.end()
    this.#settle(events, missed, events.length > 0 ? this.#nowMs : undefined)
    return reply
  }

  #step(event: CacheEvent, nowMs: number): void {
    const state = this.#state
    reserveStack()
    state.reserveFor(event, false)
    state.isWhole = false
    if (this.#outbox.isObserved) this.#outbox.capture(event, this.#events.length, state, nowMs)
    evolve(state, event)
    this.#events.push(event)
    this.#nowMs = nowMs
    state.isWhole = true
  }

  /** The last thing that can fail in a turn of several steps. */
  #appendAll(): void {
    if (!this.#state.isWhole)
      throw new CacheError('INTERNAL', 'A step of this turn was interrupted by an error', {
        consequence: 'None of its changes have taken effect.',
      })
    if (this.#events.length === 0) return
    this.#outbox.journaled(this.#journal.append(this.#events, this.note))
    if (this.note !== undefined) evolveNote(this.#state, this.note)
  }

  #undo(undoMark: number, eventMark: number, missedMark: number, wasWhole: boolean): void {
    const state = this.#state
    this.#events.length = eventMark
    if (this.#depth === 0) this.note = undefined
    this.#missedDeletions.length = missedMark
    this.#outbox.undo(eventMark)
    if (wasWhole) state.undo.rollBack(state, undoMark) // makes the state whole again
    if (this.#depth > 0) return
    state.undo.end()
    this.#runWaiting()
  }

  // ── after a turn ──

  /** What follows a turn. It cannot fail the turn, so nothing is thrown to the caller. */
  #settle(events: readonly CacheEvent[], missedDeletions: readonly string[], nowMs: number | undefined): void {
    let isHeard = false
    try {
      this.#listener?.(events, missedDeletions)
      isHeard = true
      if (nowMs !== undefined) this.#expiry.arm(nowMs)
      this.#outbox.deliver()
    } catch (error) {
      this.#settleLater(error, isHeard ? NONE : events, isHeard ? NONE : missedDeletions, nowMs)
    }
    if (this.#afterTurn.length > 0) this.#runWaiting()
  }

  /** A method of its own, because a function that contains a closure creates an object at every call. */
  #settleLater(error: unknown, events: readonly CacheEvent[], missed: readonly string[], nowMs?: number): void {
    orLater(error, () => this.#settle(events, missed, nowMs))
  }

  #runWaiting(): void {
    while (this.#afterTurn.length > 0 && this.#depth === 0) {
      const task = this.#afterTurn.shift() as () => void // there is one
      try {
        task()
      } catch (error) {
        orLater(error, task)
      }
    }
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
