/**
 * Events on their way to the streams. Before: `turns.ts`. After: `cache/streams`.
 *
 * Every event goes to every subscriber before the next event goes to any. Changes that subscribers make in their callbacks are
 * turns of their own, and their events wait here. Nothing is kept while there are no subscribers.
 */
import type { Entries } from '../../core/evolve/entries.js'
import type { State } from '../../core/evolve/state.js'
import type { CacheEvent } from '../../core/model/event.js'
import type { Slot } from '../../core/model/state.js'
import type { StoredValue } from '../../core/model/stored-value.js'
import { queueTask } from '../../durable/storage/event-loop.js'
import { reportLater } from './report.js'

/** A snapshot of other writers has replaced the state. Not in the journal: only this cache's subscribers need to know. */
export interface ResyncedEvent {
  readonly type: 'resynced'
}

/** An event as subscribers need it: with its sequence and the entry that it removed. */
export interface JournaledEvent {
  event: CacheEvent | ResyncedEvent
  sequence: number
  /** Whether the event removed an entry. Of `set` and `deleted` this is known only while somebody observes removals. */
  removes: boolean
  /** The value that it removed, if it can be read. */
  oldValue: StoredValue | undefined
  oldDeadlineMs: number
  /** The entries that a `cleared` or `loaded` event removed, while somebody observes removals. Nothing changes them any more. */
  removed: Entries | undefined
  /** The time of the command that caused it, epoch milliseconds. */
  seenAtMs: number
}

/** Receives the events of a completed turn. */
export interface EventOutlet {
  readonly isObserved: boolean
  /** Whether it needs what every event removed, not only `expired` and `evicted`. */
  readonly observesRemovals: boolean
  deliver(journaled: JournaledEvent): void
}

export class Outbox {
  readonly #outlet: EventOutlet
  readonly #outside: (task: () => void) => void
  /** Events of the open turn. Until they are journaled, `sequence` is the event's index in the turn. */
  readonly #captured: JournaledEvent[] = []
  readonly #journaled: JournaledEvent[] = []
  /** Of the last event that may be delivered: the journal will not take it back. */
  #committed = Number.POSITIVE_INFINITY
  /** How many of `#journaled` have been delivered. */
  #delivered = 0
  #isDelivering = false
  #hasWarned = false

  /** `outside` runs a task outside the async context of the call that caused the events. */
  constructor(outlet: EventOutlet, outside: (task: () => void) => void) {
    this.#outlet = outlet
    this.#outside = outside
  }

  get isObserved(): boolean {
    return this.#outlet.isObserved
  }

  /** Keeps an event, with the entry that it is about to remove. `place`: its index in the turn. */
  capture(event: CacheEvent, place: number, state: State, nowMs: number | undefined): void {
    let slot: Slot | undefined
    let removed: Entries | undefined
    if (event.type === 'expired' || event.type === 'evicted') slot = state.find(event.key)
    else if (this.#outlet.observesRemovals) {
      if (event.type === 'cleared' || event.type === 'loaded') removed = state.entries
      else if (event.type !== 'rescheduled' && event.type !== 'limited') slot = state.find(event.key)
    }
    this.#captured.push({
      event,
      sequence: place,
      removes: slot !== undefined,
      oldValue: slot === undefined ? undefined : state.valueAt(slot),
      oldDeadlineMs: slot === undefined ? Number.POSITIVE_INFINITY : state.deadlineAt(slot),
      removed,
      seenAtMs: nowMs as number, // who removes an entry has read the clock
    })
  }

  /** Drops the events of a turn from this index on, because they were undone. */
  undo(place: number): void {
    while ((this.#captured.at(-1)?.sequence ?? -1) >= place) this.#captured.pop()
  }

  /** The turn's first event has this sequence. */
  journaled(first: number): void {
    for (const captured of this.#captured) {
      captured.sequence += first
      this.#journaled.push(captured)
    }
    this.#captured.length = 0
  }

  deliver(): void {
    if (this.#isNextDue && !this.#isDelivering) this.#outside(() => this.#deliver(false))
  }

  get #isNextDue(): boolean {
    const journaled = this.#journaled
    const next = this.#delivered
    return next < journaled.length && (journaled[next] as JournaledEvent).sequence <= this.#committed
  }

  // ── a journal that may take back what was appended ──

  /** From now on, delivers nothing before it is committed. */
  awaitCommits(): void {
    this.#committed = 0
  }

  /** What was appended up to this sequence may be delivered. */
  commit(sequence: number): void {
    if (sequence > this.#committed) this.#committed = sequence
    this.deliver()
  }

  /** Drops what was not committed and so has not been delivered. */
  revert(): void {
    while ((this.#journaled.at(-1)?.sequence ?? 0) > this.#committed) this.#journaled.pop()
  }

  /** The state is now that of a snapshot, as of this sequence. */
  resynced(sequence: number, seenAtMs: number): void {
    const event: ResyncedEvent = { type: 'resynced' }
    const [removes, oldValue, oldDeadlineMs, removed] = [false, undefined, Number.POSITIVE_INFINITY, undefined]
    if (this.isObserved) this.#journaled.push({ event, sequence, removes, oldValue, oldDeadlineMs, removed, seenAtMs })
    this.commit(sequence)
  }

  #deliver(isRetry: boolean): void {
    this.#isDelivering = true
    const journaled = this.#journaled
    try {
      // Subscribers add to the list while it is read.
      while (this.#isNextDue) this.#outlet.deliver(journaled[this.#delivered++] as JournaledEvent)
      if (this.#delivered < journaled.length) journaled.splice(0, this.#delivered)
      else journaled.length = 0
      this.#delivered = 0
    } catch (error) {
      // RxJS reports errors of subscribers, so this is a stack overflow, or an old value that cannot be decoded. The event is
      // delivered again on a later tick; if that fails too, without its value.
      const failed = journaled[this.#delivered - 1] as JournaledEvent
      const isHopeless = isRetry && failed.oldValue === undefined
      if (!isHopeless) this.#delivered--
      queueTask(() => {
        if (isHopeless) reportLater(error)
        else if (isRetry) this.#dropValue(failed, error as Error)
        if (!this.#isDelivering) this.#deliver(!isHopeless)
      })
    } finally {
      this.#isDelivering = false
    }
  }
  /** Entries leave a cache without being asked for: a value that cannot be read must not end the process. */
  #dropValue(journaled: JournaledEvent, { message }: Error): void {
    journaled.oldValue = undefined
    if (this.#hasWarned) return
    this.#hasWarned = true
    process.emitWarning(`Events tell a value as undefined, because it cannot be read. ${message}`, 'DaybookWarning')
  }
}
