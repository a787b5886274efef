/**
 * Reads, which are neither commands nor turns.
 *
 *   find ─► (expired: one turn removes it; a read-only cache only hides it) ─► value
 *
 * Values are returned in their stored form. Before: `door.ts` and `cache.ts`. After: `core/evolve`, for hits and misses.
 */
import { recordHit, recordMiss, recordUse } from '../../core/evolve/evolve.js'
import { FrozenRows } from '../../core/evolve/frozen-rows.js'
import { reserveStack } from '../../core/evolve/stack.js'
import type { State } from '../../core/evolve/state.js'
import type { Clock } from '../../core/model/clock.js'
import { hasExpired } from '../../core/model/expiry.js'
import type { Slot } from '../../core/model/state.js'
import type { StoredValue } from '../../core/model/stored-value.js'
import { type CacheClosedError, JournalWriteError } from '../../errors.js'
import type { Cleanup } from './cleanup.js'
import type { Turns } from './turns.js'

/** An entry with what is known about it. */
export interface StoredEntry {
  readonly value: StoredValue
  /** Epoch milliseconds; missing if there is no deadline. */
  readonly expiresAtMs?: number
  readonly tags: string[]
}

export interface ReadsParts {
  state: State
  clock: Clock
  turns: Turns
  cleanup: Cleanup
  /** Why a read is refused when the cache is not open. */
  notOpen: () => CacheClosedError
}

/** Every method throws a CacheClosedError unless the cache is open. */
export class Reads {
  readonly #state: State
  readonly #clock: Clock
  readonly #turns: Turns
  readonly #cleanup: Cleanup
  readonly #notOpen: () => CacheClosedError

  constructor(parts: ReadsParts) {
    this.#state = parts.state
    this.#clock = parts.clock
    this.#turns = parts.turns
    this.#cleanup = parts.cleanup
    this.#notOpen = parts.notOpen
  }

  /** Counts a hit, which makes the entry the most recently used, or a miss. */
  get(key: string): StoredValue | undefined {
    return this.#use(this.#live(key))
  }

  /** Each counts as a `get`. */
  getMany(keys: readonly string[]): (StoredValue | undefined)[] {
    return this.#each(keys, (slot) => this.#use(slot))
  }

  hasMany(keys: readonly string[]): boolean[] {
    return this.#each(keys, (slot) => slot !== undefined)
  }

  /** What has expired is removed by one turn. */
  #each<T>(keys: readonly string[], read: (slot: Slot | undefined) => T): T[] {
    this.#admit()
    reserveStack()
    const nowMs = this.#clock.now()
    const find = (key: string) => {
      const slot = this.#state.find(key)
      const isGone = slot !== undefined && hasExpired(this.#state.deadlineAt(slot), nowMs)
      return { slot: isGone ? undefined : slot, isGone }
    }
    const expired = [...new Set(keys)].filter((key) => find(key).isGone)
    if (expired.length > 0) this.#remove(expired, nowMs)
    return keys.map((key) => read(find(key).slot))
  }

  #use(slot: Slot | undefined): StoredValue | undefined {
    if (slot === undefined) {
      recordMiss(this.#state)
      return undefined
    }
    recordHit(this.#state, slot)
    return this.#state.valueAt(slot)
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
    this.#removeExpired()
    const rows = new FrozenRows(this.#state)
    const iterator = readRows(rows, matches, this.#clock.now())
    ABANDONED.register(iterator, rows, rows)
    return iterator
  }

  #admit(): void {
    if (!this.#state.isOpen || !this.#state.isWhole) throw this.#notOpen()
  }

  /** Finds a live entry. The clock is read only if it has a deadline. */
  #live(key: string, nowMs?: number): Slot | undefined {
    this.#admit()
    const state = this.#state
    const slot = state.find(key)
    if (slot === undefined || state.deadlineAt(slot) === Number.POSITIVE_INFINITY) return slot
    return this.#unlessExpired(slot, nowMs ?? this.#clock.now())
  }

  #unlessExpired(slot: Slot, nowMs: number): Slot | undefined {
    if (!hasExpired(this.#state.deadlineAt(slot), nowMs)) return slot
    this.#remove([this.#state.keyAt(slot)], nowMs)
    return undefined
  }

  /** Removes what has expired, if the journal accepts it. */
  #remove(keys: readonly string[], nowMs: number): void {
    if (!this.#turns.isWritable) return
    this.#unlessRefused(() =>
      this.#turns.record(
        keys.map((key) => ({ type: 'expired', key })),
        nowMs,
      ),
    )
  }

  #unlessRefused(remove: () => void): void {
    try {
      remove()
    } catch (error) {
      if (!(error instanceof JournalWriteError)) throw error
      // The journal has just become read-only: what has expired is hidden, and reads continue.
    }
  }

  #removeExpired(): void {
    this.#admit()
    this.#unlessRefused(() => this.#cleanup.run())
  }

  #liveSlots(matches: (key: string) => boolean): Slot[] {
    const state = this.#state
    this.#removeExpired()
    const nowMs = this.#clock.now()
    const slots: Slot[] = []
    const cursor = state.inOrder()
    for (let slot = cursor.next(); slot !== undefined; slot = cursor.next()) {
      if (!hasExpired(state.deadlineAt(slot), nowMs) && matches(state.keyAt(slot))) slots.push(slot)
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
