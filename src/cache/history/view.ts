/** The cache as it was at some sequence, in memory. Before: `looking-back.ts`. */
import type { State } from '../../core/evolve/state.js'
import type { Slot } from '../../core/model/state.js'
import type { StoredValue } from '../../core/model/stored-value.js'
import type { Place } from '../../durable/history/locate.js'
import { CacheClosedError } from '../../errors.js'
import { type Isolation, restoreValue } from '../../values/encode.js'
import { checkKey } from '../arguments/arguments.js'
import { type KeyPattern, keyMatcher } from '../arguments/key-pattern.js'
import { findLive } from './past-state.js'

/** What `at()` resolves with. Entries that had expired at {@link timeMs} are hidden, and stale ones, too. */
export class View<V = unknown> {
  /** The number of the last event before this state. */
  readonly sequence: number
  /** The time that was asked for, epoch milliseconds; for a sequence: when it was written. */
  readonly timeMs: number
  readonly #isolation: Isolation
  readonly #prefix: string
  #state: State | undefined

  /** @internal Use `at()`. @param prefix All keys begin with it; callers neither pass nor get it. */
  constructor(state: State, { sequence, timeMs }: Place, isolation: Isolation, prefix: string) {
    this.#state = state
    this.sequence = sequence
    this.timeMs = timeMs
    this.#isolation = isolation
    this.#prefix = prefix
  }

  get #open(): State {
    if (this.#state !== undefined) return this.#state
    throw new CacheClosedError('This view is closed', { advice: 'Call at() for another one.' })
  }

  #find(key: unknown): Slot | undefined {
    checkKey(key)
    return findLive(this.#open, this.#prefix + key, this.timeMs)
  }

  get(key: string): V | undefined {
    const slot = this.#find(key)
    return slot === undefined ? undefined : (restoreValue(this.#open.valueAt(slot), this.#isolation) as V)
  }

  has(key: string): boolean {
    return this.#find(key) !== undefined
  }

  /** Seconds left at that time; `Infinity` without a deadline; `undefined` for a missing entry. */
  ttl(key: string): number | undefined {
    const slot = this.#find(key)
    return slot === undefined ? undefined : (this.#open.liveUntilAt(slot) - this.timeMs) / 1_000
  }

  /** If `at()` had no pattern: least recently used first, as far as the journal tells. Otherwise in the order of the last writes. */
  keys(pattern: KeyPattern = '*'): string[] {
    return [...this.#slots(pattern)].map((slot) => this.#keyAt(slot))
  }

  entries(pattern: KeyPattern = '*'): IterableIterator<[string, V]> {
    return this.#iterate(this.#slots(pattern))
  }

  [Symbol.iterator](): IterableIterator<[string, V]> {
    return this.entries()
  }

  /** @internal Values in their stored form, for edges. */
  *storedEntries(pattern: KeyPattern): Generator<[string, StoredValue], void, undefined> {
    for (const slot of this.#slots(pattern)) yield [this.#keyAt(slot), this.#open.valueAt(slot)]
  }

  /** @internal */
  getStored(key: string): StoredValue | undefined {
    const slot = this.#find(key)
    return slot === undefined ? undefined : this.#open.valueAt(slot)
  }

  /** Entries stored then, including expired and stale ones. */
  get size(): number {
    return this.#open.size
  }

  /** Frees it. */
  close(): void {
    this.#state = undefined
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #keyAt(slot: Slot): string {
    return this.#open.keyAt(slot).slice(this.#prefix.length)
  }

  #slots(pattern: unknown): Slot[] {
    const state = this.#open
    const matches = keyMatcher(pattern)
    const slots: Slot[] = []
    const cursor = state.inOrder()
    for (let slot = cursor.next(); slot !== undefined; slot = cursor.next())
      if (this.timeMs < state.liveUntilAt(slot) && matches(this.#keyAt(slot))) slots.push(slot)
    return slots
  }

  *#iterate(slots: readonly Slot[]): Generator<[string, V], void, undefined> {
    for (const slot of slots) yield [this.#keyAt(slot), restoreValue(this.#open.valueAt(slot), this.#isolation) as V]
  }
}
