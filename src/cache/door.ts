/**
 * The inner entrance of a cache: the methods and streams that carry values, with values in their stored form. `Cache` encodes its callers'
 * values and calls this; edges (threads, processes) receive encoded values and call it directly. So every value is encoded once
 * and every key checked once. Before: `cache.ts` and `edges/`. After: `turns/`, and `loads.ts` for `getOrSet`.
 */
import type { Observable } from 'rxjs'
import type { KeyMatcher } from '../core/decide/glob.js'
import type { Clock } from '../core/model/clock.js'
import type { Command } from '../core/model/command.js'
import { hasExpired } from '../core/model/expiry.js'
import type { StoredValue } from '../core/model/stored-value.js'
import type { Journal } from '../durable/contract.js'
import { refusal } from '../durable/journal/refusal.js'
import { mustBe } from '../errors.js'
import {
  checkJitter,
  checkKey,
  checkKeys,
  checkOnly,
  checkOptions,
  checkPattern,
  deadlineIn,
  deadlineOf,
  deadlineToSet,
  type SetOptions,
} from './arguments.js'
import { type Duration, toMilliseconds } from './duration.js'
import { checkPrefix, keyMatcher, prefixMatcher } from './key-pattern.js'
import type { Loaded, Loader, Loads } from './loads.js'
import { METHODS } from './methods.js'
import type { NumberedCommands } from './numbered.js'
import type { Opening } from './opening.js'
import { checkScan, type ScanOptions, type ScanResult, type Scans } from './scans.js'
import type { Change } from './streams/change.js'
import type { StoredStreams } from './streams/streams.js'
import { watch } from './streams/watch.js'
import type { Reads, StoredEntry } from './turns/reads.js'
import type { Turns } from './turns/turns.js'

export interface DoorParts {
  clock: Clock
  journal: Journal
  opening: Opening
  turns: Turns
  reads: Reads
  scans: Scans
  loads: Loads
  numbered: NumberedCommands
  streams: StoredStreams
}

export interface DoorOptions {
  /** `Infinity` for none. */
  defaultTtlMs: number
  /** Draws the jitter of a ttl, from 0 to 1. */
  random: () => number
  /** `fsync: 'always'`. */
  isEverythingDurable: boolean
  /** Called with every call, in the form of a message. */
  inspect: ((message: { type: string }) => void) | undefined
}

/** The options of `getOrSet`. */
export interface LoadOptions {
  /** The ttl of the loaded entry. Default: the cache's `ttl`. */
  ttl?: Duration | undefined
  /**
   * From 0 to 1: the ttl is drawn at random from `ttl × (1 − jitter)` to `ttl × (1 + jitter)`, so that entries loaded together do not
   * expire together. Default 0.
   */
  jitter?: number | undefined
  /** How long this call waits; the load continues after that. Default, and 0: as long as the load takes. */
  timeout?: Duration | undefined
  /** How long the load may take. After that its signal is aborted, waiting calls reject, and the next call loads again. */
  hardTimeout?: Duration | undefined
}

/** The deadline of an entry without one. */
const NEVER = Number.POSITIVE_INFINITY

/** An entry that `setMany` stores. */
export type StoredRow = readonly [key: string, value: StoredValue, options?: SetOptions | undefined]

interface Storing {
  readonly expiresAtMs: number
  readonly keepsDeadline: boolean
  readonly only: SetOptions['only']
  /** Whether `expiresAt` has passed, so that nothing is stored. */
  readonly isPast: boolean
}

export const NO_OPTIONS: Readonly<SetOptions & LoadOptions> = {}

export class Door {
  readonly clock: Clock
  readonly isEverythingDurable: boolean
  /** Whether an inspector wants to see every call. */
  readonly isInspected: boolean
  readonly inspect: (message: { type: string }) => void
  readonly streams: StoredStreams
  readonly numbered: NumberedCommands
  readonly #journal: Journal
  readonly #opening: Opening
  readonly #turns: Turns
  readonly #reads: Reads
  readonly #scans: Scans
  readonly #loads: Loads
  readonly #random: () => number
  readonly #defaultTtlMs: number
  /** Whether entries have no deadline by default: a `set` without options then does not read the clock. */
  readonly #hasNoTtl: boolean

  constructor(parts: DoorParts, options: DoorOptions) {
    this.clock = parts.clock
    this.#journal = parts.journal
    this.#opening = parts.opening
    this.#turns = parts.turns
    this.#reads = parts.reads
    this.#scans = parts.scans
    this.#loads = parts.loads
    this.streams = parts.streams
    this.numbered = parts.numbered
    this.#random = options.random
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

  entryStored(key: string): StoredEntry | undefined {
    checkKey(key)
    return this.#reads.entry(key)
  }

  /** Reads and deletes in one turn. The deletion overrules a load of the key, like any other. */
  /** `read` makes the result of the stored value. If it throws, the entry stays. */
  takeStored<T>(key: string, read: (stored: StoredValue | undefined) => T): T {
    checkKey(key)
    this.#opening.admitWrite()
    return this.#turns.transact(() => {
      const value = read(this.#reads.get(key))
      this.#turns.run({ type: 'delete', key, nowMs: this.clock.now() })
      return value
    })
  }

  touch(key: string, ttl: Duration | undefined): boolean {
    checkKey(key)
    if (ttl === undefined) return this.#reads.touch(key)
    const ttlMs = toMilliseconds(ttl, 'ttl')
    this.#opening.admitWrite()
    const nowMs = this.clock.now()
    const expiresAtMs = deadlineIn(ttlMs, nowMs)
    return this.#turns.transact(
      () => this.#reads.touch(key) && (this.#turns.run({ type: 'expire', key, expiresAtMs, nowMs }) as boolean),
    )
  }

  hasMany(keys: Iterable<string>): boolean[] {
    return this.#reads.hasMany(checkKeys(keys))
  }

  getManyStored(keys: Iterable<string>): (StoredValue | undefined)[] {
    return this.#reads.getMany(checkKeys(keys))
  }

  scan(options: ScanOptions): ScanResult {
    const checked = checkScan(options)
    this.admit()
    return this.#scans.scan(checked)
  }

  /** How many entries are stored under keys that begin with a prefix. */
  count(prefix: string): number {
    checkPrefix(prefix)
    this.admit()
    return this.#scans.count(prefixMatcher(prefix))
  }

  /** Removes every entry whose key matches, as one turn. Returns how many. */
  deleteMatching(matches: KeyMatcher): number {
    this.#opening.admitWrite()
    const nowMs = this.clock.now()
    // Also keys that are being loaded: a value that a loader returns after this must not be stored.
    const keys = [...this.#reads.keys(matches), ...this.#loads.keys().filter(matches)]
    return this.runEach(keys.map((key) => ({ type: 'delete', key, nowMs })))
  }

  /** The entries are those at the time when the returned function is called. */
  entriesStored(pattern: unknown): () => Iterable<[string, StoredValue]> {
    const matches = keyMatcher(pattern)
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
    const keepsDeadline = ttl === 'keep'
    const expiresAtMs = keepsDeadline
      ? deadlineToSet({ ttl, expiresAt }, this.#defaultTtlMs, nowMs)
      : deadlineOf(ttl, expiresAt, this.#defaultTtlMs, nowMs)
    if (expiresAt !== undefined && hasExpired(expiresAtMs, nowMs)) return this.#deleteInstead(key, only, nowMs)
    if (only === undefined && !keepsDeadline && this.#turns.set(key, value, expiresAtMs, nowMs)) return true
    return this.#turns.run({ type: 'set', key, value, expiresAtMs, keepsDeadline, only, nowMs }) as boolean
  }

  /** What a `set` does whose deadline has passed. Returns `false`: nothing is stored. */
  #deleteInstead(key: string, only: SetOptions['only'], nowMs: number): false {
    // What `only` refuses must not overrule a load of the key either, as deleting an absent one would.
    const isRefused = only === 'absent' || (only === 'present' && !this.#reads.has(key))
    if (!isRefused) this.#turns.run({ type: 'delete', key, nowMs })
    return false
  }

  /** Rows with options of their own do not get the shared ones. */
  setManyStored(rows: readonly StoredRow[], options: SetOptions = NO_OPTIONS): number {
    for (const [key] of rows) checkKey(key)
    this.#opening.admitWrite()
    const nowMs = this.clock.now()
    const shared = this.#storing(options, nowMs)
    const storings = rows.map(([, , own]) => (own === undefined ? shared : this.#storing(own, nowMs)))
    return this.#turns.transact(() => {
      let stored = 0
      for (const [index, [key, value]] of rows.entries()) {
        const { isPast, ...how } = storings[index] as Storing // one for each row
        if (isPast) this.#deleteInstead(key, how.only, nowMs)
        else if (this.#turns.run({ type: 'set', key, value, ...how, nowMs }) === true) stored++
      }
      return stored
    })
  }

  /** What checked options ask for. */
  #storing(options: SetOptions, nowMs: number): Storing {
    const { ttl, expiresAt, only } = checkOptions(options, METHODS.setMany.options)
    checkOnly(only)
    const expiresAtMs = deadlineToSet({ ttl, expiresAt }, this.#defaultTtlMs, nowMs)
    const isPast = expiresAt !== undefined && hasExpired(expiresAtMs, nowMs)
    return { expiresAtMs, keepsDeadline: ttl === 'keep', only, isPast }
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
  getOrSetStored(key: string, loader: Loader, options: LoadOptions = NO_OPTIONS): Loaded | Promise<Loaded> {
    checkKey(key)
    const { ttl, jitter, timeout, hardTimeout } = checkOptions(options, METHODS.getOrSet.options)
    const ttlMs = ttl === undefined ? this.#defaultTtlMs : toMilliseconds(ttl, 'ttl')
    checkJitter(jitter)
    const timeoutMs = toMilliseconds(timeout ?? Number.POSITIVE_INFINITY, 'timeout') || Number.POSITIVE_INFINITY
    const hardTimeoutMs = toMilliseconds(hardTimeout ?? Number.POSITIVE_INFINITY, 'hardTimeout')
    const found = this.#reads.get(key)
    if (found !== undefined) return found
    const store = (value: StoredValue) => this.#storeLoaded(key, value, this.#jittered(ttlMs, jitter))
    return this.#loads.get({ key, loader, store, timeoutMs, hardTimeoutMs })
  }

  #jittered(ttlMs: number, jitter = 0): number {
    if (jitter === 0 || ttlMs === NEVER) return ttlMs
    const drawn = this.#random()
    if (!(drawn >= 0 && drawn <= 1)) throw new RangeError(mustBe('What random() returns', 'from 0 to 1', drawn))
    return ttlMs * (1 + jitter * (2 * drawn - 1))
  }

  async #storeLoaded(key: string, value: StoredValue, ttlMs: number): Promise<void> {
    this.#opening.admitWrite()
    const nowMs = this.clock.now()
    const expiresAtMs = deadlineIn(ttlMs, nowMs)
    this.#turns.run({ type: 'set', key, value, expiresAtMs, only: undefined, nowMs })
    if (this.isEverythingDurable) await this.#journal.flush()
  }

  /** Those of the changes whose keys match, and those of all keys. */
  watch<T>(changes$: Observable<Change<T>>, pattern: string): Observable<Change<T>> {
    checkPattern(pattern)
    this.#opening.admitRead()
    return watch(changes$, pattern)
  }

  /** The sequence of the last event; 0 while the cache is not open. */
  get sequence(): number {
    return this.#opening.isOpen ? this.#journal.figures().sequence : 0
  }

  /** Why the journal cannot be written now, if it cannot. */
  get writeFailure(): Error | undefined {
    const { health } = this.#journal
    return health.status === 'writable' ? undefined : refusal(health)
  }

  /** Resolves when every change made so far is on disk. */
  flush(): Promise<number> {
    return this.#journal.flush()
  }
}
