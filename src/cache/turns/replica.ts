/**
 * The cache as a journal with other writers sees it: what it appended stays or is taken back, and what others wrote is applied. A
 * follower is a cache that never stops recovering. Before: the journal. After: `core/evolve`, then `outbox.ts`.
 *
 *   follow ─► evolve each ─► streams          a leader's turn: append ─► evolve ─► (commit ─► streams | revert ─► undo)
 */
import { CommittedRows } from '../../core/evolve/committed-rows.js'
import { evolve, evolveLimits } from '../../core/evolve/evolve.js'
import { FrozenRows } from '../../core/evolve/frozen-rows.js'
import { Replacement } from '../../core/evolve/replacement.js'
import { reserveStack } from '../../core/evolve/stack.js'
import type { State } from '../../core/evolve/state.js'
import type { Limits } from '../../core/model/limits.js'
import type { Note } from '../../core/model/note.js'
import type { ForeignFrame, JournalReceiver, Replica, SnapshotSource } from '../../durable/contract.js'
import { CacheError } from '../../errors.js'
import type { FrameTime } from './frame-time.js'
import type { Outbox } from './outbox.js'
import type { Turns } from './turns.js'

export interface FollowingParts {
  state: State
  turns: Turns
  outbox: Outbox
  time: FrameTime
  now: () => number
}

/** A snapshot on its way in. Reads see the state before until it is complete. */
interface Incoming {
  readonly rows: Replacement
  readonly notes: Note[]
  limits: Limits | undefined
}

export class Following implements Replica {
  readonly #parts: FollowingParts
  readonly #state: State
  #incoming: Incoming | undefined

  constructor(parts: FollowingParts) {
    this.#parts = parts
    this.#state = parts.state
  }

  follow(frame: ForeignFrame, seenAtMs: number): void {
    this.#parts.turns.whenIdle(() => this.#follow(frame, seenAtMs))
  }

  commit(sequence: number): void {
    const { turns, outbox, time, now } = this.#parts
    turns.whenIdle(() => {
      this.#state.undo.commit(sequence)
      time.seen(now())
      outbox.commit(sequence)
    })
  }

  revert(): void {
    this.#parts.turns.whenIdle(() => this.#revert())
  }

  freeze(): SnapshotSource {
    return committedRows(this.#state)
  }

  reset(): void {
    this.#parts.turns.whenIdle(() => {
      this.#revert()
      this.#incoming = { rows: new Replacement(this.#state), notes: [], limits: undefined }
    })
  }

  /** The receiver of the session: of the state at first, and after {@link reset} of the snapshot that follows. */
  receiving<R extends JournalReceiver>(receiver: R): R {
    const { counters } = this.#state
    return {
      ...receiver,
      row: (...row) => this.#incoming?.rows.add(...row) ?? receiver.row(...row),
      counters: (counted) => {
        if (this.#incoming !== undefined) this.#incoming.rows.counters.copyFrom(counted)
        else receiver.counters({ ...counted, hits: counters.hits, misses: counters.misses } as typeof counters)
      },
      limits: (limits) => {
        if (this.#incoming !== undefined) this.#incoming.limits = limits
        else receiver.limits(limits)
      },
      noted: (note) => {
        if (this.#incoming !== undefined) this.#incoming.notes.push(note)
        else receiver.noted(note)
      },
    }
  }

  #follow({ events, notes, rows = [], firstSequence, timeMs }: ForeignFrame, seenAtMs: number): void {
    const { turns, outbox, time } = this.#parts
    const state = this.#state
    if (!state.isWhole) return // the cache is about to close
    if (state.undo.hasUncommitted)
      throw new CacheError(
        'INTERNAL',
        'A frame of another writer was applied before what was appended here was taken back',
      )
    state.undo.isRecording = false
    if (this.#incoming !== undefined) this.#receive(this.#incoming, firstSequence - 1, seenAtMs)
    reserveStack()
    time.seen(timeMs)
    const { isObserved } = outbox
    let loaded = 0
    state.isWhole = false
    for (const [place, event] of events.entries()) {
      if (isObserved) outbox.capture(event, place, state, seenAtMs)
      evolve(state, event, event.type === 'loaded' ? (rows[loaded++] as Replacement) : undefined) // what loadedRows() made
    }
    for (const note of notes) state.answers.evolve(note)
    state.isWhole = true
    if (isObserved) outbox.journaled(firstSequence)
    if (events.length > 0) turns.listener?.(events, [])
    outbox.commit(firstSequence + events.length - 1)
  }

  #receive({ rows, notes, limits }: Incoming, sequence: number, seenAtMs: number): void {
    const state = this.#state
    this.#incoming = undefined
    rows.counters.hits = state.counters.hits // each node's own
    rows.counters.misses = state.counters.misses
    state.isWhole = false
    if (limits !== undefined) evolveLimits(state, limits)
    evolve(state, { type: 'loaded', file: '', checksum: 0, entries: rows.entries.size }, rows)
    state.answers.reset()
    for (const note of notes) state.answers.evolve(note)
    state.isWhole = true
    this.#parts.turns.listener?.([{ type: 'cleared' }], [])
    this.#parts.outbox.resynced(sequence, seenAtMs)
  }

  #revert(): void {
    const { undo, isWhole } = this.#state
    if (!isWhole) return // the cache is about to close
    undo.revert(this.#state)
    this.#state.reordered()
    this.#parts.outbox.revert()
  }
}

/** The rows of a snapshot: without what may still be taken back. */
export function committedRows(state: State): FrozenRows | CommittedRows {
  return state.undo.hasUncommitted ? new CommittedRows(state) : new FrozenRows(state, true)
}
