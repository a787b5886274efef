/**
 * Reads, which are neither commands nor turns.
 *
 *   find ─► (expired: one turn removes it; a read-only cache only hides it) ─► value
 *
 * Values are returned in their stored form. Before: `door.ts` and `cache.ts`. After: `core/evolve`, for hits and misses.
 */
import { isExpired } from '../../core/decide/decide.js'
import { recordHit, recordMiss, recordUse } from '../../core/evolve/evolve.js'
import { FrozenRows } from '../../core/evolve/frozen-rows.js'
import { reserveStack } from '../../core/evolve/stack.js'
import type { State } from '../../core/evolve/state.js'
import type { Clock } from '../../core/model/clock.js'
import type { Slot } from '../../core/model/state.js'
import type { StoredValue } from '../../core/model/stored-value.js'
import { JournalWriteError } from '../../errors.js'
import type { Cleanup } from './cleanup.js'
import type { Turns } from './turns.js'

/** An entry with what is known about it. */
export interface StoredEntry {
  readonly value: StoredValue
  /** Epoch milliseconds; missing if there is no deadline. */
  readonly expiresAtMs?: number
  readonly tags: string[]
}

export class Reads {
  readonly #state: State
  readonly #clock: Clock
  readonly #turns: Turns
  readonly #cleanup: Cleanup

  constructor(parts: { state: State; clock: Clock; turns: Turns; cleanup: Cleanup }) {
    this.#state = parts.state
    this.#clock = parts.clock
    this.#turns = parts.turns
    this.#cleanup = parts.cleanup
  }

  /** Counts a hit, which makes the entry the most recently used, or a miss. */
  get(key: string): StoredValue | undefined {
    const slot = this.#live(key)
    const state = this.#state
    if (state.undo.isRecording) reserveStack()
    if (slot === undefined) {
      recordMiss(state)
      return undefined
    }
    recordHit(state, slot)
    return state.valueAt(slot)
  }

  peek(key: string): StoredValue | undefined {
    const slot = this.#live(key)
    return slot === undefined ? undefined : this.#state.valueAt(slot)
  }

  entry(key: string): StoredEntry | undefined {
    const slot = this.#live(key)
    if (slot === undefined) return undefined
    const value = this.#state.valueAt(slot)
    const expiresAtMs = this.#state.deadlineAt(slot)
    return expiresAtMs === Number.POSITIVE_INFINITY ? { value, tags: [] } : { value, expiresAtMs, tags: [] }
  }

  /** Makes an entry the most recently used. Counts neither a hit nor a miss. */
  touch(key: string): boolean {
    const slot = this.#live(key)
    if (slot === undefined) return false
    if (this.#state.undo.isRecording) reserveStack()
    recordUse(this.#state, slot)
    return true
  }

  has(key: string): boolean {
    return this.#live(key) !== undefined
  }

  /** Seconds left; `Infinity` without a deadline. */
  ttl(key: string): number | undefined {
    const nowMs = this.#clock.now()
    const slot = this.#live(key, nowMs)
    return slot === undefined ? undefined : (this.#state.deadlineAt(slot) - nowMs) / 1_000
  }

  /** Keys of live entries, least recently used first. Expired entries are removed before. */
  keys(matches: (key: string) => boolean): string[] {
    return this.#liveSlots(matches).map((slot) => this.#state.keyAt(slot))
  }

  /** The same with values, as they are now: rows that change while they are read are kept, the others are not copied. */
  entries(matches: (key: string) => boolean): IterableIterator<[string, StoredValue]> {
    this.#unlessRefused(() => this.#cleanup.run())
    const rows = new FrozenRows(this.#state)
    const iterator = readRows(rows, matches, this.#clock.now())
    ABANDONED.register(iterator, rows, rows)
    return iterator
  }

  /** Finds a live entry. The clock is read only if it has a deadline. */
  #live(key: string, nowMs?: number): Slot | undefined {
    const slot = this.#state.find(key)
    if (slot === undefined) return undefined
    const deadlineMs = this.#state.deadlineAt(slot)
    if (deadlineMs === Number.POSITIVE_INFINITY) return slot
    const seenAtMs = nowMs ?? this.#clock.now()
    if (seenAtMs < deadlineMs) return slot
    if (this.#turns.isWritable) this.#report(key, seenAtMs)
    return undefined
  }

  #report(key: string, nowMs: number): void {
    this.#unlessRefused(() => this.#turns.record([{ type: 'expired', key }], nowMs))
  }

  #unlessRefused(remove: () => void): void {
    try {
      remove()
    } catch (error) {
      if (!(error instanceof JournalWriteError)) throw error
      // The journal has just become read-only: what has expired is hidden, and reads continue.
    }
  }

  #liveSlots(matches: (key: string) => boolean): Slot[] {
    const state = this.#state
    this.#unlessRefused(() => this.#cleanup.run())
    const nowMs = this.#clock.now()
    const slots: Slot[] = []
    const cursor = state.byEviction()
    for (let slot = cursor.next(); slot !== undefined; slot = cursor.next()) {
      if (!isExpired(state, slot, nowMs) && matches(state.keyAt(slot))) slots.push(slot)
    }
    return slots
  }
}

function* readRows(
  rows: FrozenRows,
  matches: (key: string) => boolean,
  nowMs: number,
): Generator<[string, StoredValue], void, undefined> {
  try {
    for (let row = rows.read(); row !== undefined; row = rows.read()) {
      if (nowMs < row.expiresAtMs && matches(row.key)) yield [row.key, row.value]
    }
  } finally {
    ABANDONED.unregister(rows)
    rows.release()
  }
}

/** Releases the rows of iterators that were neither read to the end nor closed, once they are garbage. */
const ABANDONED = new FinalizationRegistry((rows: FrozenRows) => rows.release())
