/**
 * Reads, which are neither commands nor turns.
 *
 *   find ─► (stale: absent) ─► value
 *       └─► (expired: one turn removes it; a read-only cache only hides it)
 *
 * Values are returned in their stored form. Before: `door/` and `cache.ts`. After: `core/evolve`, for hits and misses.
 */

import { isStale } from '../../core/decide/stale.js'
import { recordHit, recordMiss, recordUse } from '../../core/evolve/evolve.js'
import { FrozenRows } from '../../core/evolve/frozen-rows.js'
import { reserveStack } from '../../core/evolve/stack.js'
import type { State } from '../../core/evolve/state.js'
import type { Clock } from '../../core/model/clock.js'
import { hasExpired } from '../../core/model/expiry.js'
import { NO_TAGS } from '../../core/model/extension.js'
import type { Slot } from '../../core/model/state.js'
import type { StoredValue } from '../../core/model/stored-value.js'
import { isRefusal } from '../../durable/journal/refusal.js'
import type { CacheClosedError } from '../../errors.js'
import type { Cleanup } from './cleanup.js'
import { type StoredEntry, storedEntryIn } from './stored-entry.js'
import type { Turns } from './turns.js'

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

  /** The same, where a stale entry is a hit, too. */
  getEvenStale(key: string): StoredValue | undefined {
    return this.#use(this.#stored(key))
  }

  /** The value of a live entry, as a hit. A miss is not counted: `missed` or `getEvenStale` may follow. */
  hit(key: string): StoredValue | undefined {
    const slot = this.#live(key)
    return slot === undefined ? undefined : this.#use(slot)
  }

  /** The same for several keys. */
  hits(keys: readonly string[]): (StoredValue | undefined)[] {
    return this.#each(keys, (slot) => (slot === undefined ? undefined : this.#use(slot)))
  }

  missed(): void {
    recordMiss(this.#state)
  }

  /** The value of an entry that is stale now; `undefined` for any other. Counts neither as a hit nor as a miss. */
  staleValue(key: string): StoredValue | undefined {
    const nowMs = this.#clock.now()
    const slot = this.#stored(key, nowMs)
    return slot === undefined || !isStale(this.#state, slot, nowMs) ? undefined : this.#state.valueAt(slot)
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
      const isAbsent = slot === undefined || isGone || isStale(this.#state, slot, nowMs)
      return { slot: isAbsent ? undefined : slot, isGone }
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
    return slot === undefined ? undefined : storedEntryIn(this.#state.entries, slot)
  }

  /** The tags of an entry, even of one that is stale or has expired. */
  tagsOf(key: string): readonly string[] {
    const slot = this.#state.find(key)
    return slot === undefined ? NO_TAGS : this.#state.tagsAt(slot)
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

  /** Seconds until the entry expires or becomes stale; `Infinity` if it does neither. */
  ttl(key: string): number | undefined {
    const left = this.left(key)
    return left === undefined ? undefined : left.leftMs / 1_000
  }

  /** When the entry stops being fresh, and how long that is from now; `Infinity` without a deadline. */
  left(key: string): { untilMs: number; leftMs: number } | undefined {
    const nowMs = this.#clock.now()
    const slot = this.#live(key, nowMs)
    if (slot === undefined) return undefined
    const untilMs = this.#state.liveUntilAt(slot)
    return { untilMs, leftMs: untilMs - nowMs }
  }

  /** Keys of live entries, least recently used first. Expired entries are removed before. */
  keys(matches: (key: string) => boolean): string[] {
    return this.#keys(matches, (slot) => this.#state.liveUntilAt(slot))
  }

  /** The same, with the keys of stale entries. */
  keysEvenStale(matches: (key: string) => boolean): string[] {
    return this.#keys(matches, (slot) => this.#state.deadlineAt(slot))
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

  /** Finds a live entry. The clock is read only if it has a deadline or becomes stale. */
  #live(key: string, nowMs?: number): Slot | undefined {
    this.#admit()
    const state = this.#state
    const slot = state.find(key)
    if (slot === undefined || state.liveUntilAt(slot) === Number.POSITIVE_INFINITY) return slot
    return this.#unlessGone(slot, nowMs ?? this.#clock.now())
  }

  #unlessGone(slot: Slot, nowMs: number): Slot | undefined {
    const found = this.#unlessExpired(slot, nowMs)
    return found !== undefined && isStale(this.#state, found, nowMs) ? undefined : found
  }

  /** Finds an entry that is live or stale. */
  #stored(key: string, nowMs = this.#clock.now()): Slot | undefined {
    this.#admit()
    const slot = this.#state.find(key)
    return slot === undefined ? undefined : this.#unlessExpired(slot, nowMs)
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
      if (!isRefusal(error)) throw error
      // The journal has just become read-only: what has expired is hidden, and reads continue.
    }
  }

  #removeExpired(): void {
    this.#admit()
    this.#unlessRefused(() => this.#cleanup.run())
  }

  #keys(matches: (key: string) => boolean, endOf: (slot: Slot) => number): string[] {
    const state = this.#state
    this.#removeExpired()
    const nowMs = this.#clock.now()
    const keys: string[] = []
    const cursor = state.inOrder()
    for (let slot = cursor.next(); slot !== undefined; slot = cursor.next()) {
      const key = state.keyAt(slot)
      if (!hasExpired(endOf(slot), nowMs) && matches(key)) keys.push(key)
    }
    return keys
  }
}

function* readRows(
  rows: FrozenRows,
  matches: (key: string) => boolean,
  nowMs: number,
): Generator<[string, StoredValue], void, undefined> {
  try {
    for (let row = rows.read(); row !== undefined; row = rows.read()) {
      const { key, value, expiresAtMs, extension } = row
      const isLive = nowMs < expiresAtMs && (extension === undefined || nowMs < extension.freshUntilMs)
      if (isLive && matches(key)) yield [key, value]
    }
  } finally {
    ABANDONED.unregister(rows)
    rows.release()
  }
}

/** Releases the rows of iterators that were neither read to the end nor closed, once they are garbage. */
const ABANDONED = new FinalizationRegistry((rows: FrozenRows) => rows.release())
