/**
 * The inner entrance of a cache: the methods and streams that carry values, with values in their stored form. `Cache` encodes its callers'
 * values and calls this; edges (threads, processes) receive encoded values and call it directly. So every value is encoded once
 * and every key checked once. Before: `cache.ts` and `edges/`. After: `turns/`, and `loads.ts` for `getOrSet`.
 */
import type { Observable } from 'rxjs'
import { compileGlob } from '../core/decide/glob.js'
import type { Clock } from '../core/model/clock.js'
import type { Command } from '../core/model/command.js'
import type { StoredValue } from '../core/model/stored-value.js'
import type { Journal } from '../durable/contract.js'
import { checkKey, checkKeys, checkOnly, checkOptions, checkPattern, deadlineOf, type SetOptions } from './arguments.js'
import { type Duration, toMilliseconds } from './duration.js'
import type { Loader, Loads } from './loads.js'
import { METHODS } from './methods.js'
import type { Opening } from './opening.js'
import type { Change } from './streams/change.js'
import type { StoredStreams } from './streams/streams.js'
import { watch } from './streams/watch.js'
import type { Reads } from './turns/reads.js'
import type { Turns } from './turns/turns.js'

export interface DoorParts {
  clock: Clock
  journal: Journal
  opening: Opening
  turns: Turns
  reads: Reads
  loads: Loads
  streams: StoredStreams
}

export interface DoorOptions {
  /** `Infinity` for none. */
  defaultTtlMs: number
  /** `fsync: 'always'`. */
  isEverythingDurable: boolean
  /** Called with every call, in the form of a message. */
  inspect: ((message: { type: string }) => void) | undefined
}

/** The options of `getOrSet`. */
export interface LoadOptions {
  /** The ttl of the loaded entry. Default: the cache's `ttl`. */
  ttl?: Duration | undefined
  /** How long this call waits; the load continues after that. Default, and 0: as long as the load takes. */
  timeout?: Duration | undefined
  /** How long the load may take. After that its signal is aborted, waiting calls reject, and the next call loads again. */
  hardTimeout?: Duration | undefined
}

/** The deadline of an entry without one. */
const NEVER = Number.POSITIVE_INFINITY

export const NO_OPTIONS: Readonly<SetOptions & LoadOptions> = {}

export class Door {
  readonly clock: Clock
  readonly isEverythingDurable: boolean
  /** Whether an inspector wants to see every call. */
  readonly isInspected: boolean
  readonly inspect: (message: { type: string }) => void
  readonly streams: StoredStreams
  readonly #journal: Journal
  readonly #opening: Opening
  readonly #turns: Turns
  readonly #reads: Reads
  readonly #loads: Loads
  readonly #defaultTtlMs: number
  /** Whether entries have no deadline by default: a `set` without options then does not read the clock. */
  readonly #hasNoTtl: boolean

  constructor(parts: DoorParts, options: DoorOptions) {
    this.clock = parts.clock
    this.#journal = parts.journal
    this.#opening = parts.opening
    this.#turns = parts.turns
    this.#reads = parts.reads
    this.#loads = parts.loads
    this.streams = parts.streams
    this.#defaultTtlMs = options.defaultTtlMs
    this.#hasNoTtl = options.defaultTtlMs === NEVER
    this.isEverythingDurable = options.isEverythingDurable
    this.isInspected = options.inspect !== undefined
    this.inspect = options.inspect ?? (() => undefined)
  }

  /** @throws CacheClosedError unless the cache is open. */
  admit(): void {
    this.#opening.admitRead()
  }

  /** Runs several calls as one turn. */
  transact<T>(steps: () => T): T {
    this.#opening.admitRead()
    return this.#turns.transact(steps)
  }

  getStored(key: string): StoredValue | undefined {
    checkKey(key)
    return this.#reads.get(key)
  }

  peekStored(key: string): StoredValue | undefined {
    checkKey(key)
    return this.#reads.peek(key)
  }

  getManyStored(keys: Iterable<string>): (StoredValue | undefined)[] {
    const list = checkKeys(keys)
    return this.transact(() => list.map((key) => this.#reads.get(key)))
  }

  /** The entries are collected when the returned function is called. */
  entriesStored(pattern: string): () => [string, StoredValue][] {
    checkPattern(pattern)
    const matches = compileGlob(pattern)
    this.admit()
    return () => this.#reads.entries(matches)
  }

  /** The most common `set`. The rest is a separate method, because V8 only inlines short functions. */
  setStored(key: string, value: StoredValue, options: SetOptions = NO_OPTIONS): boolean {
    checkKey(key)
    if (options === NO_OPTIONS && this.#hasNoTtl && this.#turns.set(key, value, NEVER, undefined)) return true
    return this.#set(key, value, options)
  }

  #set(key: string, value: StoredValue, options: SetOptions): boolean {
    this.#opening.admitWrite()
    const { ttl, expiresAt, only } = checkOptions(options, METHODS.set.options)
    checkOnly(only)
    const nowMs = this.clock.now()
    const expiresAtMs = deadlineOf(ttl, expiresAt, this.#defaultTtlMs, nowMs)
    if (expiresAt !== undefined && expiresAtMs <= nowMs) return this.#deleteInstead([key], only, nowMs)
    if (only === undefined && this.#turns.set(key, value, expiresAtMs, nowMs)) return true
    return this.#turns.run({ type: 'set', key, value, expiresAtMs, only, nowMs }) as boolean
  }

  /** What a `set` does whose deadline has passed. Returns `false`: nothing is stored. */
  #deleteInstead(keys: readonly string[], only: SetOptions['only'], nowMs: number): false {
    if (only !== 'absent') this.runEach(keys.map((key) => ({ type: 'delete', key, nowMs })))
    return false
  }

  setManyStored(rows: readonly (readonly [string, StoredValue])[], options: SetOptions = NO_OPTIONS): number {
    const { ttl, expiresAt, only } = checkOptions(options, METHODS.setMany.options)
    checkOnly(only)
    for (const [key] of rows) checkKey(key)
    this.#opening.admitWrite()
    const nowMs = this.clock.now()
    const expiresAtMs = deadlineOf(ttl, expiresAt, this.#defaultTtlMs, nowMs)
    if (expiresAt !== undefined && expiresAtMs <= nowMs) {
      const keys = rows.map(([key]) => key)
      this.#deleteInstead(keys, only, nowMs)
      return 0
    }
    return this.runEach(rows.map(([key, value]) => ({ type: 'set', key, value, expiresAtMs, only, nowMs })))
  }

  /** Several commands as one turn. Returns how many of them changed something. */
  runEach(commands: Command[]): number {
    return this.#turns.transact(() => {
      let count = 0
      for (const command of commands) if (this.#turns.run(command) === true) count++
      return count
    })
  }

  increment(key: string, by: number, options: { ttl?: Duration | undefined } = NO_OPTIONS): number {
    checkKey(key)
    const value = options === NO_OPTIONS ? this.#turns.increment(key, by) : undefined
    return value === undefined ? this.#increment(key, by, options) : value
  }

  #increment(key: string, by: number, options: { ttl?: Duration | undefined }): number {
    this.#opening.admitWrite()
    const { ttl } = checkOptions(options, METHODS.increment.options)
    const nowMs = this.clock.now()
    const expiresAtMs = deadlineOf(ttl, undefined, this.#defaultTtlMs, nowMs)
    return this.#turns.run({ type: 'increment', key, by, expiresAtMs, nowMs }) as number
  }

  /** `loader` returns the value in its stored form. A value that is in the cache is returned at once, not as a promise. */
  getOrSetStored(key: string, loader: Loader, options: LoadOptions = NO_OPTIONS): StoredValue | Promise<StoredValue> {
    checkKey(key)
    const { ttl, timeout, hardTimeout } = checkOptions(options, METHODS.getOrSet.options)
    if (ttl !== undefined) toMilliseconds(ttl, 'ttl')
    const timeoutMs = toMilliseconds(timeout ?? Number.POSITIVE_INFINITY, 'timeout') || Number.POSITIVE_INFINITY
    const hardTimeoutMs = toMilliseconds(hardTimeout ?? Number.POSITIVE_INFINITY, 'hardTimeout')
    const found = this.#reads.get(key)
    if (found !== undefined) return found
    const store = (value: StoredValue) => this.#storeLoaded(key, value, ttl)
    return this.#loads.get({ key, loader, store, timeoutMs, hardTimeoutMs })
  }

  async #storeLoaded(key: string, value: StoredValue, ttl: Duration | undefined): Promise<void> {
    this.#opening.admitWrite()
    const nowMs = this.clock.now()
    const expiresAtMs = deadlineOf(ttl, undefined, this.#defaultTtlMs, nowMs)
    this.#turns.run({ type: 'set', key, value, expiresAtMs, only: undefined, nowMs })
    if (this.isEverythingDurable) await this.#journal.flush()
  }

  /** Those of the changes whose keys match, and those of all keys. */
  watch<T>(changes$: Observable<Change<T>>, pattern: string): Observable<Change<T>> {
    checkPattern(pattern)
    this.#opening.admitRead()
    return watch(changes$, pattern)
  }

  /** Resolves when every change made so far is on disk. */
  flush(): Promise<number> {
    return this.#journal.flush()
  }
}
