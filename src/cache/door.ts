/**
 * The inner door of a cache: the methods that carry values, with the values as they are stored. `Cache` checks and encodes what
 * its callers give and comes in here; edges (threads, processes) have encoded values already and come in here at once. So a
 * value is encoded once on its way, and a key is checked once.
 */
import { compileGlob } from '../core/decide/glob.js'
import type { Clock } from '../core/model/clock.js'
import type { Command } from '../core/model/command.js'
import type { StoredValue } from '../core/model/stored-value.js'
import type { Journal } from '../durable/contract.js'
import { checkKey, checkKeys, checkOnly, checkOptions, checkPattern, deadlineOf, type SetOptions } from './arguments.js'
import { type Duration, toMilliseconds } from './duration.js'
import type { Loader, Loads } from './loads.js'
import type { Opening } from './opening.js'
import type { Reads } from './turns/reads.js'
import type { Turns } from './turns/turns.js'

export interface DoorParts {
  clock: Clock
  journal: Journal
  opening: Opening
  turns: Turns
  reads: Reads
  loads: Loads
}

export interface DoorOptions {
  /** `Infinity` for none. */
  defaultTtlMs: number
  /** `fsync: 'always'`. */
  isEverythingDurable: boolean
  /** Called with every call, as the message that it is. */
  inspect: ((message: { type: string }) => void) | undefined
}

/** How `getOrSet` loads. */
export interface LoadOptions {
  /** How long the loaded entry lives; the cache's default `ttl` when not given. */
  ttl?: Duration | undefined
  /** How long this call waits, while the load goes on. 0 or not given: as long as the load takes. */
  timeout?: Duration | undefined
  /** How long the load may take. Then its signal is aborted, every call that waits is rejected, and the key is free. */
  hardTimeout?: Duration | undefined
}

/** The deadline of an entry without one. */
const NEVER = Number.POSITIVE_INFINITY
/** The time, while nobody has read the clock. */
const UNKNOWN = Number.POSITIVE_INFINITY

export const NO_OPTIONS: Readonly<SetOptions & LoadOptions> = {}

export class Door {
  readonly clock: Clock
  readonly isEverythingDurable: boolean
  /** Whether an inspector wants to see every call. */
  readonly isInspected: boolean
  readonly inspect: (message: { type: string }) => void
  readonly #journal: Journal
  readonly #opening: Opening
  readonly #turns: Turns
  readonly #reads: Reads
  readonly #loads: Loads
  readonly #defaultTtlMs: number
  /** Entries have no deadline by default: a `set` without options needs no clock. */
  readonly #hasNoTtl: boolean

  constructor(parts: DoorParts, options: DoorOptions) {
    this.clock = parts.clock
    this.#journal = parts.journal
    this.#opening = parts.opening
    this.#turns = parts.turns
    this.#reads = parts.reads
    this.#loads = parts.loads
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

  /** As `Cache.getMany` and its like: several calls, one turn. */
  transact<T>(steps: () => T): T {
    this.#opening.admitRead()
    return this.#turns.transact(steps)
  }

  getStored(key: string): StoredValue | undefined {
    checkKey(key)
    this.#opening.admitRead()
    return this.#reads.get(key)
  }

  peekStored(key: string): StoredValue | undefined {
    checkKey(key)
    this.#opening.admitRead()
    return this.#reads.peek(key)
  }

  getManyStored(keys: Iterable<string>): (StoredValue | undefined)[] {
    const list = checkKeys(keys)
    return this.transact(() => list.map((key) => this.#reads.get(key)))
  }

  entriesStored(pattern: string): [string, StoredValue][] {
    checkPattern(pattern)
    this.#opening.admitRead()
    return this.#reads.entries(compileGlob(pattern))
  }

  /** The commonest `set` of all, and the rest of it in a method of its own: what V8 inlines must be short. */
  setStored(key: string, value: StoredValue, options: SetOptions = NO_OPTIONS): boolean {
    checkKey(key)
    if (options === NO_OPTIONS && this.#hasNoTtl && this.#turns.setAlone(key, value, NEVER, UNKNOWN)) return true
    return this.#set(key, value, options)
  }

  #set(key: string, value: StoredValue, options: SetOptions): boolean {
    this.#opening.admitWrite()
    const { ttl, expiresAt, only } = checkOptions(options)
    checkOnly(only)
    const nowMs = this.clock.now()
    const expiresAtMs = deadlineOf(ttl, expiresAt, this.#defaultTtlMs, nowMs)
    if (only === undefined && this.#turns.setAlone(key, value, expiresAtMs, nowMs)) return true
    return this.#turns.run({ type: 'set', key, value, expiresAtMs, only, nowMs }) as boolean
  }

  setManyStored(rows: readonly (readonly [string, StoredValue])[], options: SetOptions = NO_OPTIONS): number {
    const { ttl, expiresAt, only } = checkOptions(options)
    checkOnly(only)
    for (const [key] of rows) checkKey(key)
    this.#opening.admitWrite()
    const nowMs = this.clock.now()
    const expiresAtMs = deadlineOf(ttl, expiresAt, this.#defaultTtlMs, nowMs)
    return this.runEach(rows.map(([key, value]) => ({ type: 'set', key, value, expiresAtMs, only, nowMs })))
  }

  /** Several commands as one turn. Returns how many of them did something. */
  runEach(commands: Command[]): number {
    return this.#turns.transact(() => {
      let count = 0
      for (const command of commands) if (this.#turns.run(command) === true) count++
      return count
    })
  }

  increment(key: string, by: number, options: { ttl?: Duration | undefined } = NO_OPTIONS): number {
    checkKey(key)
    const value = options === NO_OPTIONS ? this.#turns.incrementAlone(key, by) : undefined
    return value === undefined ? this.#increment(key, by, options) : value
  }

  #increment(key: string, by: number, options: { ttl?: Duration | undefined }): number {
    this.#opening.admitWrite()
    const { ttl } = checkOptions(options)
    const nowMs = this.clock.now()
    const expiresAtMs = deadlineOf(ttl, undefined, this.#defaultTtlMs, nowMs)
    return this.#turns.run({ type: 'increment', key, by, expiresAtMs, nowMs }) as number
  }

  /** `loader` returns the value as it is stored. */
  async getOrSetStored(key: string, loader: Loader, options: LoadOptions = NO_OPTIONS): Promise<StoredValue> {
    checkKey(key)
    const { ttl, timeout, hardTimeout } = checkOptions(options)
    if (ttl !== undefined) toMilliseconds(ttl, 'ttl')
    const timeoutMs = toMilliseconds(timeout ?? Number.POSITIVE_INFINITY, 'timeout') || Number.POSITIVE_INFINITY
    const hardTimeoutMs = toMilliseconds(hardTimeout ?? Number.POSITIVE_INFINITY, 'hardTimeout')
    this.#opening.admitRead()
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

  /** Resolves when all that was changed until now is on disk. */
  flush(): Promise<number> {
    return this.#journal.flush()
  }
}
