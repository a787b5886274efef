/**
 * A turn: the actor's handling of one message.
 *
 *   decide ─► evolve ─► (again, for a turn of several steps) ─► append, once ─► reply ─► streams
 *
 * Turns never interleave: everything here is synchronous. A call made inside a turn (from `transact`) is a step of that
 * turn, with a savepoint of its own; a call made by a subscriber or a loader comes after the turn and is one of its own.
 * A turn that throws, be it in its last step or in the append, is undone whole.
 */

import { decide, decideExpiry, decideRemoval, findLive } from '../../core/decide/decide.js'
import { evolve, recordHit, recordMiss } from '../../core/evolve/evolve.js'
import type { Replacement } from '../../core/evolve/replacement.js'
import type { State } from '../../core/evolve/state.js'
import type { Command } from '../../core/model/command.js'
import type { CacheEvent, LoadedEvent } from '../../core/model/event.js'
import type { StoredValue } from '../../core/model/stored-value.js'
import type { Journal } from '../../durable/contract.js'
import { CacheError } from '../../errors.js'

/** An event as its subscribers need it: with its number, and with what it removed. */
export interface JournaledEvent {
  event: CacheEvent
  sequence: number
  /** What an `expired` or `evicted` event removed. */
  oldValue: StoredValue | undefined
  oldDeadlineMs: number
  /** The time of the command that brought it about, epoch milliseconds. */
  seenAtMs: number
}

/** Where events go when their turn has ended. */
export interface EventOutlet {
  /** Whether anybody is listening. Nothing is built for nobody. */
  readonly isObserved: boolean
  deliver(journaled: JournaledEvent): void
}

/**
 * Called after every turn that changed something, with its events, and with the keys whose deletion found nothing to delete.
 * Must not keep the arrays.
 */
export type CommitListener = (events: readonly CacheEvent[], deletedNothing: readonly string[]) => void

export class Turns {
  readonly #state: State
  readonly #journal: Journal
  readonly #outlet: EventOutlet
  readonly #onCommit: CommitListener
  isWritable = false

  #depth = 0
  #events: CacheEvent[] = []
  /** For those who observe: one for each of `#events` since somebody did. */
  readonly #captured: JournaledEvent[] = []
  /** Keys that were deleted without being there: no event, but whoever is loading one must know. */
  #deletedNothing: string[] = []
  readonly #outbox: JournaledEvent[] = []
  /** How many of the outbox were delivered. */
  #delivered = 0
  #isDelivering = false
  readonly #afterTurn: (() => void)[] = []

  constructor(state: State, journal: Journal, outlet: EventOutlet, onCommit: CommitListener) {
    this.#state = state
    this.#journal = journal
    this.#outlet = outlet
    this.#onCommit = onCommit
  }

  /** Whether a turn is open, or somebody wants to hear of its events. */
  get isBusyOrObserved(): boolean {
    return this.#depth > 0 || this.#outlet.isObserved
  }

  /** Whether a turn is open: the caller is inside `transact`. */
  get isOpen(): boolean {
    return this.#depth > 0
  }

  /** Runs `task` when no turn is open: now, or after the one that is. */
  whenIdle(task: () => void): void {
    if (this.#depth === 0) task()
    else this.#afterTurn.push(task)
  }

  /** One command, one turn (or one step of the turn that is open). */
  run(command: Command): unknown {
    return this.runAll(() => this.#step(command))
  }

  /**
   * Several steps as one turn: `steps` calls {@link run}. All of it happens or nothing.
   *
   * The stack may run out in every call here, also on the way into it. So what must never be half done is done between the
   * calls: `#depth` is right again, and what the journal has is no longer in `#events`, before anything else is called.
   */
  runAll<T>(steps: () => T): T {
    const state = this.#state
    const undoMark = state.undo.mark
    const eventMark = this.#events.length
    const deletedMark = this.#deletedNothing.length
    state.undo.isRecording = true
    this.#depth++
    let reply: T
    try {
      reply = steps()
      if (this.#depth === 1) this.#append()
    } catch (error) {
      this.#depth--
      const { isWhole } = state
      state.isWhole = false // until it is undone
      this.#abandon(undoMark, eventMark, deletedMark, isWhole)
      throw error
    }
    if (--this.#depth > 0) return reply
    const events = this.#events
    const deletedNothing = this.#deletedNothing
    if (events.length > 0) this.#events = []
    if (deletedNothing.length > 0) this.#deletedNothing = []
    this.#settle(events, deletedNothing)
    return reply
  }

  #step(command: Command): unknown {
    const state = this.#state
    if (this.isWritable) {
      for (let event = decideRemoval(state, command); event !== undefined; event = decideRemoval(state, command)) {
        this.#apply(event, command.nowMs)
      }
    }
    switch (command.type) {
      case 'get': {
        const slot = findLive(state, command.key, command.nowMs)
        if (slot === undefined) {
          recordMiss(state)
          return undefined
        }
        recordHit(state, slot)
        return state.valueAt(slot)
      }
      case 'peek': {
        const slot = findLive(state, command.key, command.nowMs)
        return slot === undefined ? undefined : state.valueAt(slot)
      }
      case 'has':
        return findLive(state, command.key, command.nowMs) !== undefined
      case 'ttl': {
        const slot = findLive(state, command.key, command.nowMs)
        return slot === undefined ? undefined : (state.deadlineAt(slot) - command.nowMs) / 1_000
      }
      default: {
        const event = decide(state, command)
        if (event === undefined) {
          if (command.type === 'delete') this.#deletedNothing.push(command.key)
          return false
        }
        this.#apply(event, command.nowMs)
        return command.type === 'increment' && event.type === 'set' ? event.value : true
      }
    }
  }

  /**
   * Up to `limit` entries that have expired, as one turn; fewer when so many do not fit into one frame (long keys). Answers
   * how many, and whether that was all.
   */
  removeExpired(nowMs: number, limit: number): { removed: number; isAll: boolean } {
    try {
      return this.runAll(() => {
        for (let removed = 0; removed < limit; removed++) {
          const event = decideExpiry(this.#state, nowMs)
          if (event === undefined) return { removed, isAll: true }
          this.#apply(event, nowMs)
        }
        return { removed: limit, isAll: false }
      })
    } catch (error) {
      if (!(error instanceof RangeError) || limit === 1) throw error
      return this.removeExpired(nowMs, Math.ceil(limit / 2))
    }
  }

  /** Makes a recovered state fit its limits: what has expired goes first, then the least recently used. In slices. */
  trim(nowMs: number, limit: number): { expired: number; evicted: number } {
    const state = this.#state
    return this.runAll(() => {
      const removed = { expired: 0, evicted: 0 }
      while (
        (state.size > state.maxSize || state.bytes > state.maxBytes) &&
        removed.expired + removed.evicted < limit
      ) {
        const expired = decideExpiry(state, nowMs)
        const oldest = state.oldest
        if (expired === undefined && oldest === undefined) break
        this.#apply(expired ?? { type: 'evicted', key: state.keyAt(oldest as NonNullable<typeof oldest>) }, nowMs)
        removed[expired === undefined ? 'evicted' : 'expired']++
      }
      return removed
    })
  }

  /** Puts other entries in place of all that there are. */
  replaceAll(event: LoadedEvent, replacement: Replacement, nowMs: number): void {
    this.runAll(() => this.#apply(event, nowMs, replacement))
  }

  #apply(event: CacheEvent, nowMs: number, replacement?: Replacement): void {
    if (this.#outlet.isObserved) this.#capture(event, nowMs)
    evolve(this.#state, event, replacement)
    this.#events.push(event)
  }

  #capture(event: CacheEvent, seenAtMs: number): void {
    const removes = event.type === 'expired' || event.type === 'evicted'
    const slot = removes ? this.#state.find(event.key) : undefined
    // Subscribers who came in the middle of a turn hear of what happens from then on.
    while (this.#captured.length < this.#events.length) this.#captured.push(UNSEEN)
    this.#captured.push({
      event,
      sequence: 0, // known when the turn is appended
      oldValue: slot === undefined ? undefined : this.#state.valueAt(slot),
      oldDeadlineMs: slot === undefined ? Number.POSITIVE_INFINITY : this.#state.deadlineAt(slot),
      seenAtMs,
    })
  }

  /** The last step of a turn that may fail: once the journal has its events, it has happened. */
  #append(): void {
    const events = this.#events
    if (!this.#state.isWhole) throw new CacheError('INTERNAL', 'A step of this turn was cut short: it cannot be kept.')
    if (events.length === 0) return
    const first = this.#journal.append(events)
    for (let index = 0; index < this.#captured.length; index++) {
      const captured = this.#captured[index] as JournaledEvent
      if (captured === UNSEEN) continue
      captured.sequence = first + index
      this.#outbox.push(captured)
    }
    truncate(this.#captured, 0)
  }

  /** What follows a turn. Nothing of it can undo the turn, so what fails here is reported and not thrown to the caller. */
  #settle(events: readonly CacheEvent[], deletedNothing: readonly string[]): void {
    this.#state.undo.forget()
    if (events.length > 0 || deletedNothing.length > 0) {
      try {
        this.#onCommit(events, deletedNothing)
      } catch (error) {
        report(error)
      }
    }
    if (this.#outbox.length > 0 && !this.#isDelivering) this.#deliver()
    this.#runWaiting()
  }

  /** Undoes a turn, or a step, that failed. If the stack ends here too, the state is not whole, and the cache says so. */
  #abandon(undoMark: number, eventMark: number, deletedMark: number, wasWhole: boolean): void {
    const state = this.#state
    truncate(this.#events, eventMark)
    truncate(this.#captured, eventMark)
    truncate(this.#deletedNothing, deletedMark)
    if (wasWhole) state.undo.rollBack(state, undoMark) // the state is whole again when that ends
    if (this.#depth > 0) return
    state.undo.forget()
    this.#runWaiting()
  }

  #runWaiting(): void {
    while (this.#afterTurn.length > 0 && this.#depth === 0) this.#afterTurn.shift()?.()
  }

  /**
   * Every event to every subscriber before the next event to any. What subscribers do in their callbacks are turns of their
   * own; the events of those wait here for theirs.
   */
  #deliver(isRetry = false): void {
    this.#isDelivering = true
    const outbox = this.#outbox
    try {
      // Not a for-of over a copy: callbacks add to it. Not shift(): that moves the rest, each time.
      while (this.#delivered < outbox.length) this.#outlet.deliver(outbox[this.#delivered++] as JournaledEvent)
      outbox.length = this.#delivered = 0
    } catch (error) {
      // RxJS reports what subscribers throw, so the stack has run out, or a value cannot be decoded: told on a later tick, or
      // reported there when that fails as well.
      if (!isRetry) this.#delivered--
      setImmediate(() => {
        if (isRetry) report(error)
        if (!this.#isDelivering) this.#deliver(!isRetry)
      })
    } finally {
      this.#isDelivering = false
    }
  }

  /** @throws CacheError inside a turn: what takes longer than a turn cannot be part of one. */
  refuseInside(method: string): void {
    if (!this.isOpen) return
    throw new CacheError(
      'INSIDE_TRANSACTION',
      `${method}() cannot be called inside transact(): it takes longer than a turn. Nothing was changed by it; call it before or after.`,
    )
  }
}

const UNSEEN: JournaledEvent = {
  event: { type: 'cleared' },
  sequence: 0,
  oldValue: undefined,
  oldDeadlineMs: 0,
  seenAtMs: 0,
}

/** On a later tick, as RxJS does with what subscribers throw. */
function report(error: unknown): void {
  setImmediate(() => {
    throw error
  })
}

/** `list.length = length`, without a call into the runtime for the few that a turn mostly has. */
function truncate(list: unknown[], length: number): void {
  if (list.length > length + 8) list.length = length
  else while (list.length > length) list.pop()
}
