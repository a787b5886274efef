/**
 * The inner entrance of a cache: methods and streams with values in their stored form, and what changes keys. `Cache` encodes its callers'
 * values and calls this; edges (threads, processes) receive encoded values and call it directly. So every value is encoded once
 * and every key checked once. Before: `cache.ts` and `edges/`. After: `turns/`, and `loads/` for `getOrSet`.
 */
import type { Observable } from 'rxjs'
import type { KeyMatcher } from '../../core/decide/glob.js'
import type { Clock } from '../../core/model/clock.js'
import type { KeyCommand, TagCommand } from '../../core/model/command.js'
import { hasExpired, NEVER } from '../../core/model/expiry.js'
import type { StoredValue } from '../../core/model/stored-value.js'
import type { Journal } from '../../durable/contract.js'
import {
  checkKey,
  checkKeys,
  checkOnly,
  checkOptions,
  checkPattern,
  checkTags,
  checkWantsStale,
  deadlineIn,
  deadlineOf,
  deadlineToSet,
  type GetOptions,
  type SetOptions,
  type TagOptions,
} from '../arguments/arguments.js'
import { type Duration, toMilliseconds } from '../arguments/duration.js'
import { checkPrefix, keyMatcher, prefixMatcher } from '../arguments/key-pattern.js'
import { METHODS } from '../arguments/methods.js'
import { type Storing, staleOf, storingOf } from '../arguments/storing.js'
import type { Opening } from '../lifecycle/opening.js'
import { GetOrSet, type GetOrSetOptions, type GetOrSetParts } from '../loads/get-or-set.js'
import type { Loads } from '../loads/loads.js'
import type { Change } from '../streams/change.js'
import type { StoredStreams } from '../streams/streams.js'
import { watch } from '../streams/watch.js'
import type { NumberedCommands } from '../turns/numbered.js'
import type { Reads } from '../turns/reads.js'
import type { StoredEntry } from '../turns/stored-entry.js'
import type { Turns } from '../turns/turns.js'
import { checkScan, type ScanOptions, type ScanResult, type Scans } from './scans.js'
import { changeTagged, checkTagged } from './tagged.js'

export interface DoorParts extends GetOrSetParts {
  scans: Scans
  numbered: NumberedCommands
  streams: StoredStreams
}

export interface DoorOptions extends GetOrSetOptions {
  /** Called with every call, in the form of a message. */
  inspect: ((message: { type: string }) => void) | undefined
}

/** An entry that `setMany` stores. */
export type StoredRow = readonly [key: string, value: StoredValue, options?: SetOptions | undefined]

/** The default options of every method. */
export const NO_OPTIONS: Readonly<Record<string, never>> = {}

export class Door {
  readonly clock: Clock
  readonly isEverythingDurable: boolean
  /** Whether an inspector wants to see every call. */
  readonly isInspected: boolean
  readonly inspect: (message: { type: string }) => void
  readonly streams: StoredStreams
  readonly numbered: NumberedCommands
  readonly getOrSet: GetOrSet
  readonly #journal: Journal
  readonly #opening: Opening
  readonly #turns: Turns
  readonly #reads: Reads
  readonly #scans: Scans
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
    this.#scans = parts.scans
    this.#loads = parts.loads
    this.streams = parts.streams
    this.numbered = parts.numbered
    this.getOrSet = new GetOrSet(parts, options)
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

  getStored(key: string, options: GetOptions = NO_OPTIONS): StoredValue | undefined {
    checkKey(key)
    return options === NO_OPTIONS ? this.#reads.get(key) : this.#get(key, options)
  }

  #get(key: string, options: GetOptions): StoredValue | undefined {
    const { stale } = checkOptions(options, METHODS.get.options)
    checkWantsStale(stale)
    return stale === true ? this.#reads.getEvenStale(key) : this.#reads.get(key)
  }

  peekStored(key: string): StoredValue | undefined {
    checkKey(key)
    return this.#reads.peek(key)
  }

  entryStored(key: string): StoredEntry | undefined {
    checkKey(key)
    return this.#reads.entry(key)
  }

  /**
   * Reads and deletes in one turn. The deletion overrules a load of the key, like any other. A stale entry stays.
   * @param read Turns the stored value into the result. If it throws, the entry stays.
   */
  takeStored<T>(key: string, read: (stored: StoredValue | undefined) => T): T {
    checkKey(key)
    this.#opening.admitWrite()
    return this.#turns.transact(() => {
      const stored = this.#reads.get(key)
      const result = read(stored)
      if (stored === undefined) this.#turns.overrule(key)
      else this.#turns.run({ type: 'delete', key, nowMs: this.clock.now() })
      return result
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

  expire(key: string, ttl: Duration): boolean {
    checkKey(key)
    const ttlMs = toMilliseconds(ttl, 'ttl')
    this.#opening.admitWrite()
    const nowMs = this.clock.now()
    return this.#turns.run({ type: 'expire', key, expiresAtMs: deadlineIn(ttlMs, nowMs), nowMs }) as boolean
  }

  /** A command that needs only a key. Returns whether it changed something. */
  change(type: KeyCommand['type'], key: string): boolean {
    checkKey(key)
    this.#opening.admitWrite()
    return this.#turns.run({ type, key, nowMs: this.clock.now() }) as boolean
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
    // Also keys that are being loaded: a value that a loader returns after this must not be stored.
    return this.#deleteEach([...this.#reads.keysEvenStale(matches), ...this.#loads.keys().filter(matches)])
  }

  /** Removes several entries as one turn. Returns how many there were. */
  deleteMany(keys: Iterable<string>): number {
    const list = checkKeys(keys)
    this.#opening.admitWrite()
    return this.#deleteEach(list)
  }

  #deleteEach(keys: readonly string[]): number {
    const nowMs = this.clock.now()
    return this.#turns.transact(() => {
      let count = 0
      for (const key of keys) if (this.#turns.run({ type: 'delete', key, nowMs }) === true) count++
      return count
    })
  }

  /** `deleteTag` and `expireTag`, as one turn. Returns how many entries were removed or became stale. */
  changeTagged(type: TagCommand['type'], tags: readonly unknown[], options: TagOptions = {}): number {
    const selected = checkTagged(tags, options)
    this.#opening.admitWrite()
    return changeTagged(
      { turns: this.#turns, reads: this.#reads, loads: this.#loads },
      type,
      selected,
      this.clock.now(),
    )
  }

  /** The entries are those at the time when the returned function is called. */
  entriesStored(pattern: unknown): () => Iterable<[string, StoredValue]> {
    const matches = keyMatcher(pattern)
    this.admit()
    return () => this.#reads.entries(matches)
  }

  setStored(key: string, value: StoredValue, options: SetOptions = NO_OPTIONS): boolean {
    checkKey(key)
    return options === NO_OPTIONS ? this.setPlain(key, value) : this.#set(key, value, options)
  }

  /** The most common `set`: without options, and of a key that has been checked. */
  setPlain(key: string, value: StoredValue): boolean {
    return (this.#hasNoTtl && this.#turns.set(key, value, NEVER, undefined)) || this.#set(key, value, NO_OPTIONS)
  }

  #set(key: string, value: StoredValue, options: SetOptions): boolean {
    this.#opening.admitWrite()
    const { ttl, expiresAt, only, tags: given, stale } = checkOptions(options, METHODS.set.options)
    if (
      typeof ttl === 'number' &&
      expiresAt === undefined &&
      only === undefined &&
      given === undefined &&
      stale === undefined
    )
      return this.#setFor(key, value, toMilliseconds(ttl, 'ttl'))
    checkOnly(only)
    const tags = given === undefined ? undefined : checkTags(given) // not called: V8 would inline it, and less of what follows
    const nowMs = this.clock.now()
    const keepsDeadline = ttl === 'keep'
    const expiresAtMs = deadlineToSet(ttl, expiresAt, this.#defaultTtlMs, nowMs)
    const staleMs = stale === undefined ? undefined : staleOf(stale, ttl, expiresAtMs, nowMs)
    if (expiresAt !== undefined && hasExpired(expiresAtMs, nowMs)) return this.#deleteInstead(key, only, nowMs)
    const isBare = only === undefined && !keepsDeadline && tags === undefined && staleMs === undefined
    if (isBare && this.#turns.set(key, value, expiresAtMs, nowMs)) return true
    const how = { expiresAtMs, keepsDeadline, staleMs, tags, only }
    return this.#turns.run({ type: 'set', key, value, ...how, nowMs }) as boolean
  }

  /** The most common `set` with options. */
  #setFor(key: string, value: StoredValue, ttlMs: number): boolean {
    const nowMs = this.clock.now()
    const expiresAtMs = deadlineIn(ttlMs, nowMs)
    if (this.#turns.set(key, value, expiresAtMs, nowMs)) return true
    return this.#turns.run({ type: 'set', key, value, expiresAtMs, only: undefined, nowMs }) as boolean
  }

  /** What a `set` does whose deadline has passed. Returns `false`: nothing is stored. */
  #deleteInstead(key: string, only: SetOptions['only'], nowMs: number): false {
    // What `only` refuses must not overrule a load of the key either, as deleting an absent one would. Nor does `'absent'` if there is
    // nothing to delete: but a stale entry, which is absent for `only`, is there.
    const isRefused =
      (only === 'absent' && this.#reads.staleValue(key) === undefined) || (only === 'present' && !this.#reads.has(key))
    if (!isRefused) this.#turns.run({ type: 'delete', key, nowMs })
    return false
  }

  /** Rows with options of their own do not get the shared ones. */
  setManyStored(rows: readonly StoredRow[], options: SetOptions = NO_OPTIONS): number {
    for (const [key] of rows) checkKey(key)
    this.#opening.admitWrite()
    const nowMs = this.clock.now()
    const shared = storingOf(options, this.#defaultTtlMs, nowMs)
    const storings = rows.map(([, , own]) => (own === undefined ? shared : storingOf(own, this.#defaultTtlMs, nowMs)))
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
    return health.status === 'writable' ? undefined : health.error
  }

  /** Resolves when every change made so far is on disk. */
  flush(): Promise<number> {
    return this.#journal.flush()
  }
}
