/**
 * The public API. The path of a change begins here: arguments are checked, values encoded. After: `door/`, then `turns/`.
 *
 *   cache.set(key, value) ─► command ─► turns/turns ─► decide ─► journal ─► evolve ─► reply ─► streams
 *
 * Everything runs in the caller's own stack: when a call returns, it has taken effect (it is durable only after `flush()`).
 */

import type { MessagePort } from 'node:worker_threads'
import type { Observable } from 'rxjs'
import { compileGlob } from '../core/decide/glob.js'
import { readPlain } from '../core/evolve/evolve.js'
import { GATE, type State } from '../core/evolve/state.js'
import type { StoredValue } from '../core/model/stored-value.js'
import type { CompactionReport, RecoveryReport } from '../durable/contract.js'
import type { Fork } from '../durable/recovery/fork-journal.js'
import { type Isolation, restoreValue, storeValue } from '../values/encode.js'
import type { ActorRef, EmptySnapshot } from './actor/actor-shapes.js'
import type { LifecycleState } from './actor/lifecycle.js'
import type { CacheSnapshot, Refused } from './actor/logic.js'
import { type MessageTo, messageOf, splitItems } from './actor/messages.js'
import {
  type CloseOptions,
  checkBy,
  checkForce,
  checkKey,
  checkPattern,
  type EntryToSet,
  type GetOptions,
  listOf,
  type SetOptions,
  type TagOptions,
} from './arguments/arguments.js'
import type { Duration } from './arguments/duration.js'
import { checkPrefix, type KeyPattern, keyMatcher, prefixMatcher } from './arguments/key-pattern.js'
import { checkResize, type ResizeOptions } from './arguments/limit-options.js'
import type { MethodName } from './arguments/methods.js'
import { callSynchronously, checkSynchronous } from './arguments/synchronous.js'
import type { CacheParts } from './cache-parts.js'
import { type Door, NO_OPTIONS } from './door/door.js'
import type { ScanOptions, ScanResult } from './door/scans.js'
import type {
  AtOptions,
  Difference,
  DiffOptions,
  KeyHistoryOptions,
  LookingBack,
  RestoreOptions,
} from './history/looking-back.js'
import type { PastChange } from './history/past-change.js'
import type { RestoreResult } from './history/restore.js'
import type { View } from './history/view.js'
import type { When } from './history/when.js'
import { consoleText, factsOf, INSPECT, type Inspect } from './lifecycle/console-text.js'
import { CallerLoads } from './loads/caller-loads.js'
import type { LoadContext, LoadManyContext, LoadOptions, ManyLoaded } from './loads/load-options.js'
import { createNamespace, type NamespaceMember } from './namespace.js'
import type { LoadResult, SaveOptions, SaveResult } from './saved-files/save-options.js'
import type { SavedFiles } from './saved-files/saved-files.js'
import type { Change } from './streams/change.js'
import type { Eviction } from './streams/evictions.js'
import type { Expiration } from './streams/expirations.js'
import { LifecycleStream } from './streams/lifecycle.js'
import type { Removal } from './streams/removals.js'
import { createStats$, readStats, type Stats } from './streams/stats.js'
import { applyLimits } from './turns/limiting.js'
import type { Reads } from './turns/reads.js'
import type { StoredEntry } from './turns/stored-entry.js'

/** The messages that `cache.actor` accepts. */
export type CacheMessage = MessageTo<Cache>

/** What `entry()` returns. */
export interface Entry<V = unknown> extends Omit<StoredEntry, 'value'> {
  readonly value: V
}

/** Tags, one by one. In a namespace, the prefix is added to them. */
type Tags = string[] | [...tags: string[], options: TagOptions]

/** What `namespace()` returns: the methods that take keys, with the keys without the prefix. */
export interface Namespace<V = unknown> extends Pick<Cache<V>, NamespaceMember | typeof Symbol.iterator> {
  namespace<W extends V = V>(prefix: string): Namespace<W>
}

/** @internal For edges: the methods that carry values, with values in their stored form. */
export let innerOf: <V>(cache: Cache<V>) => Door

/** @internal For edges: the methods that look back, with values in their stored form. */
export let pastOf: <V>(cache: Cache<V>) => LookingBack

/** @internal For edges: loading a file in two steps, of which each may be another node's. */
export let savedFilesOf: <V>(cache: Cache<V>) => SavedFiles

/**
 * A cache that keeps a journal. Made by `openCache()`.
 *
 * Every method throws (or rejects with) a `CacheClosedError` once the cache is closing and a `TypeError` for arguments of the
 * wrong type, and changes nothing when it throws. Methods that change something throw a `JournalWriteError` while the
 * journal cannot be written. A change is not durable yet when its call returns: `flush()` makes it durable.
 */
export class Cache<V = unknown> {
  /**
   * Every journaled event in order of sequence, each exactly once. It runs ahead of durability: after a crash, sequences
   * above the recovered one are used again for other events.
   */
  readonly changes$: Observable<Change<V>>
  /** Entries that have expired, with their values: within 50 ms of the deadline if the event loop is free. */
  readonly expirations$: Observable<Expiration<V>>
  /** Entries that were removed to make room, with their values. */
  readonly evictions$: Observable<Eviction<V>>
  /**
   * Every entry that is no longer there, with its last value and the reason. A `clear()` or `load()` removes the least recently
   * used entries first.
   */
  readonly removals$: Observable<Removal<V>>
  /**
   * The current stats at once, then at most one per `statsInterval`: when a counter or the size has changed, and once more an
   * interval after the last change, so that a rate computed from two of them falls to 0.
   */
  readonly stats$: Observable<Stats>
  /** The current state at once, then every change, with progress while recovering and compacting. */
  readonly lifecycle$: Observable<LifecycleState>
  /** The cache as an XState actor: inspect it, subscribe to it, send it commands with a `replyTo`. */
  readonly actor!: ActorRef<CacheSnapshot & EmptySnapshot, CacheMessage, Refused>

  readonly #parts: CacheParts<V>
  readonly #state: State
  readonly #door: Door
  readonly #reads: Reads
  readonly #isInspected: boolean
  readonly #isolation: Isolation
  readonly #loads: CallerLoads<V>
  readonly #directory: string | undefined
  /** Completes the open subscriptions of `stats$`. */
  readonly #atEnd = new Set<() => void>()

  static {
    innerOf = (cache) => cache.#door
    pastOf = (cache) => cache.#parts.lookingBack
    savedFilesOf = (cache) => cache.#parts.savedFiles
  }

  /** @internal Use `openCache()`. */
  constructor(
    parts: CacheParts<V>,
    options: { isolation: Isolation; statsIntervalMs: number; directory: string | undefined },
  ) {
    const { streams, lifecycle, door } = parts
    this.#parts = parts
    this.#state = parts.state
    this.#door = door
    this.#reads = parts.reads
    this.#isInspected = door.isInspected
    this.#state.close(GATE.isInspected, door.isInspected)
    this.#isolation = options.isolation
    this.#loads = new CallerLoads(door.getOrSet, {
      store: (value, key) => storeValue(value, options.isolation, key),
      restore: (stored) => this.#restore(stored),
      owner: this,
    })
    this.#directory = options.directory
    this.changes$ = streams.changes$
    this.expirations$ = streams.expirations$
    this.evictions$ = streams.evictions$
    this.removals$ = streams.removals$
    this.stats$ = createStats$(
      () => this.#readStats(),
      door.clock,
      options.statsIntervalMs,
      (complete) => this.#onEnd(complete),
    )
    const lifecycleStream = new LifecycleStream(lifecycle.state)
    this.lifecycle$ = lifecycleStream.observable
    lifecycle.subscribe((state) => {
      lifecycleStream.next(state)
      if (state.state === 'closed') this.#end()
    })
  }

  // ── one key ──

  /**
   * The value, or `undefined`. A hit makes the entry the most recently used; an expired entry is a miss and is removed. A stale
   * entry is a miss, and stays; with `stale: true` it is a hit.
   */
  get(key: string, options: GetOptions = NO_OPTIONS): V | undefined {
    const state = this.#state
    if (options !== NO_OPTIONS || !state.isReadPlain) return this.#get(key, options)
    checkKey(key)
    const stored = readPlain(state, key)
    return state.entries.hasHeldObjects ? this.#restore(stored) : (stored as V | undefined)
  }

  /** A function of its own, because V8 only inlines short ones. */
  #get(key: string, options: GetOptions): V | undefined {
    if (this.#isInspected) this.#inspect('get', key, options)
    return this.#restore(this.#door.getStored(key, options))
  }

  /** The value. Does not count as a hit, a miss or a use of the entry. */
  peek(key: string): V | undefined {
    if (this.#isInspected) this.#inspect('peek', key)
    checkKey(key)
    return this.#restore(this.#reads.peek(key))
  }

  /** The value with its deadline, the time at which it becomes stale, and its tags. Does not count as a hit, a miss or a use of the entry. */
  entry(key: string): Entry<V> | undefined {
    if (this.#isInspected) this.#inspect('entry', key)
    const stored = this.#door.entryStored(key)
    return stored === undefined ? undefined : this.#restoreEntry(stored)
  }

  /** Whether there is a live entry. Does not count as a hit, a miss or a use of the entry. */
  has(key: string): boolean {
    if (this.#isInspected) this.#inspect('has', key)
    return this.#has(key)
  }

  /** The same as {@link has}. */
  exists(key: string): boolean {
    if (this.#isInspected) this.#inspect('exists', key)
    return this.#has(key)
  }

  #has(key: string): boolean {
    checkKey(key)
    return this.#reads.has(key)
  }

  /**
   * Stores a value; the entry becomes the most recently used and gets a new deadline (or none) and new tags (or none). Returns whether it was
   * stored, which is `false` only with `only`.
   * @throws ValueError for a value that cannot be stored: see docs; RangeError for a bad `ttl`, for `stale` with a ttl that
   * never ends, or for an entry above `maxBytes`.
   */
  set(key: string, value: V, options: SetOptions = NO_OPTIONS): boolean {
    if (options !== NO_OPTIONS || this.#state.gate !== 0) return this.#set(key, value, options)
    checkKey(key)
    return this.#door.setPlain(key, storeValue(value, this.#isolation, key))
  }

  #set(key: string, value: V, options: SetOptions): boolean {
    if (this.#isInspected) this.#inspect('set', key, value, options)
    checkKey(key)
    return this.#door.setStored(key, storeValue(value, this.#isolation, key), options)
  }

  /** Removes an entry, stale or not. Returns `false` for a missing or expired one. */
  delete(key: string): boolean {
    if (this.#isInspected) this.#inspect('delete', key)
    return this.#door.change('delete', key)
  }

  /** `get` and `delete` in one turn: the value, or `undefined`. Counts as a hit or a miss. */
  take(key: string): V | undefined {
    if (this.#isInspected) this.#inspect('take', key)
    return this.#door.takeStored(key, (stored) => this.#restore(stored))
  }

  /**
   * Makes an entry the most recently used, and with `ttl` gives it another deadline, `ttl` from now. Counts neither as a hit
   * nor as a miss. Returns `false` when there is no entry.
   */
  touch(key: string, ttl?: Duration): boolean {
    if (this.#isInspected) this.#inspect('touch', key, ttl)
    return this.#door.touch(key, ttl)
  }

  /**
   * Adds to a number and returns the sum. A missing entry becomes `by`, with `ttl` or the default ttl; an existing entry
   * keeps its deadline and its tags.
   * @throws ValueError when the entry holds no finite number; RangeError when `by` is not finite or the sum would be a whole number past ±(2^53 − 1).
   */
  increment(key: string, by = 1, options: { ttl?: Duration | undefined } = NO_OPTIONS): number {
    if (this.#isInspected) this.#inspect('increment', key, by, options)
    checkKey(key)
    checkBy(by)
    return this.#door.increment(key, by, options)
  }

  /** `increment(key, -by)`. */
  decrement(key: string, by = 1, options: { ttl?: Duration | undefined } = NO_OPTIONS): number {
    if (this.#isInspected) this.#inspect('decrement', key, by, options)
    checkKey(key)
    checkBy(by)
    return this.#door.increment(key, -by, options)
  }

  /** Seconds left until the entry expires, or becomes stale; `Infinity` without a deadline; `undefined` for a missing entry. */
  ttl(key: string): number | undefined {
    if (this.#isInspected) this.#inspect('ttl', key)
    checkKey(key)
    return this.#reads.ttl(key)
  }

  /** Gives an entry another deadline, `ttl` from now (`Infinity`: none); a stale window keeps its length. Returns `false` when there is no entry. */
  expire(key: string, ttl: Duration): boolean {
    if (this.#isInspected) this.#inspect('expire', key, ttl)
    return this.#door.expire(key, ttl)
  }

  /** Removes an entry's deadline, and its stale window. Returns `false` when there is no entry, or it has no deadline. */
  persist(key: string): boolean {
    if (this.#isInspected) this.#inspect('persist', key)
    return this.#door.change('persist', key)
  }

  // ── many keys, one turn ──

  /** Whether there are live entries under several keys. Does not count as hits, misses or uses of the entries. */
  hasMany(keys: Iterable<string>): boolean[] {
    if (this.#isInspected) this.#inspect('hasMany', keys)
    return this.#door.hasMany(keys)
  }

  /** The values of several keys, `undefined` where there is none; each counts as a `get`. */
  getMany(keys: Iterable<string>): (V | undefined)[] {
    if (this.#isInspected) this.#inspect('getMany', keys)
    return this.#door.getManyStored(keys).map((value) => this.#restore(value))
  }

  /**
   * Stores several entries, all or none. An entry may have options of its own, which replace the shared ones as a whole.
   * Returns how many were stored (with `only`, possibly fewer than were passed).
   */
  setMany(entries: Iterable<EntryToSet<V>>, options: SetOptions = NO_OPTIONS): number {
    if (this.#isInspected) this.#inspect('setMany', entries, options)
    const rows = listOf(entries, 'entries').map((entry) => {
      const [key, value, own] = listOf(entry, 'An entry') as [string, unknown, SetOptions?] // the door checks the options
      checkKey(key)
      return [key, storeValue(value, this.#isolation, key), own] as const
    })
    return this.#door.setManyStored(rows, options)
  }

  /** Removes several entries, all or none. Returns how many were removed. */
  deleteMany(keys: Iterable<string>): number {
    if (this.#isInspected) this.#inspect('deleteMany', keys)
    return this.#door.deleteMany(keys)
  }

  /**
   * The keys that match a pattern (`*`, `?`, `[a-z]`, `\`) or begin with a prefix, least recently used first. Expired entries
   * are not listed.
   */
  keys(pattern: KeyPattern = '*'): string[] {
    if (this.#isInspected) this.#inspect('keys', pattern)
    return this.#reads.keys(keyMatcher(pattern))
  }

  /** Removes every entry whose key matches, all or none. Returns how many were removed. */
  deletePattern(pattern: string): number {
    if (this.#isInspected) this.#inspect('deletePattern', pattern)
    checkPattern(pattern)
    return this.#door.deleteMatching(compileGlob(pattern))
  }

  /** Removes every entry whose key begins with this text, all or none. Returns how many were removed. */
  deletePrefix(prefix: string): number {
    if (this.#isInspected) this.#inspect('deletePrefix', prefix)
    checkPrefix(prefix)
    return this.#door.deleteMatching(prefixMatcher(prefix))
  }

  /** Removes every entry that has one of the tags, all or none. Returns how many were removed. */
  deleteTag(...tags: Tags): number {
    if (this.#isInspected) this.#inspect('deleteTag', ...tags)
    return this.#door.changeTagged('deleteTag', ...splitItems(tags))
  }

  /**
   * Of the entries that have one of the tags, makes those stale that have a stale window, which ends when it would have ended, and
   * removes the others, all or none. Returns how many became stale or were removed.
   */
  expireTag(...tags: Tags): number {
    if (this.#isInspected) this.#inspect('expireTag', ...tags)
    return this.#door.changeTagged('expireTag', ...splitItems(tags))
  }

  /**
   * Keys and values, least recently used first, as they are at the first `next()`: later changes do not show. Does not count
   * as a use.
   */
  entries(pattern: KeyPattern = '*'): IterableIterator<[string, V]> {
    if (this.#isInspected) this.#inspect('entries', pattern)
    return this.#iterate(this.#door.entriesStored(pattern))
  }

  /** `entries()`. */
  [Symbol.iterator](): IterableIterator<[string, V]> {
    return this.entries()
  }

  *#iterate(collect: () => Iterable<[string, StoredValue]>): Generator<[string, V], void, undefined> {
    for (const [key, value] of collect()) yield [key, this.#restore(value) as V]
  }

  /**
   * Some of the keys, to go through all of them in portions while the cache changes. Pass the cursor of each result to the next
   * call, until it is `undefined`. A key that is there from the first call to the last is returned exactly once. After a `clear`,
   * a `load` or reopening, the cursor starts again.
   */
  scan(options: ScanOptions = {}): ScanResult {
    if (this.#isInspected) this.#inspect('scan', options)
    return this.#door.scan(options)
  }

  // ── the whole cache ──

  /** Removes every entry and sets all counters to 0. */
  clear(): void {
    if (this.#isInspected) this.#inspect('clear')
    this.#parts.opening.admitWrite()
    this.#parts.turns.run({ type: 'clear', nowMs: this.#door.clock.now() })
  }

  /** Entries stored now, including expired ones that have not been removed yet. */
  get size(): number {
    this.#door.admit()
    return this.#parts.state.size
  }

  /**
   * Changes the limits, as `openCache` does with the same options; one that is not given stays as it is. What has no room any
   * more is removed in the same turn: expired entries first, then the least recently used. Returns how many were removed.
   */
  resize(options: ResizeOptions = {}): number {
    if (this.#isInspected) this.#inspect('resize', options)
    const limits = checkResize(options)
    this.#parts.opening.admitWrite()
    const { state, turns } = this.#parts
    const { expired, evicted } = applyLimits({ state, turns, clock: this.#door.clock }, limits)
    return expired + evicted
  }

  stats(): Stats {
    if (this.#isInspected) this.#inspect('stats')
    this.#door.admit()
    return this.#readStats()
  }

  /** Removes expired entries, as the background cleanup does. Returns how many were removed. */
  cleanup(): number {
    if (this.#isInspected) this.#inspect('cleanup')
    this.#parts.opening.admitWrite()
    return this.#parts.cleanup.run()
  }

  /**
   * Runs `fn`, which calls the cache as usual, as one turn and one frame of the journal. If it throws, none of its changes
   * take effect: not on disk, not in memory, not in the streams. A nested `transact` that throws undoes only its own steps,
   * if the outer function catches the error.
   * @throws TypeError for an async function: a turn cannot wait.
   */
  transact<T>(fn: () => T): T {
    if (this.#isInspected) this.#inspect('transact', fn)
    checkSynchronous(fn)
    return this.#door.transact(() => callSynchronously(fn))
  }

  /**
   * The value of a key, loaded and stored if there is none. Concurrent calls for a key share one load. If the loader fails,
   * every waiting call rejects with its error, and the next call loads again. With `fsync: 'always'` it resolves when the value is durable.
   * A `set`, `delete`, `clear` or `load` that affects the key overrules its load: the loaded value is not stored, and later
   * calls start a load of their own. Calls already waiting resolve with the key's current value, or with the loaded one if
   * there is none. A loader that returns `undefined` resolves them with `undefined`, and nothing is stored.
   * @throws CacheError `LOAD_TIMEOUT` after `timeout` or `hardTimeout`, `LOAD_CYCLE` for a load that would wait for itself.
   */
  getOrSet(
    key: string,
    loader: (key: string, context: LoadContext<V>) => V | PromiseLike<V>,
    options: LoadOptions<V> = NO_OPTIONS,
  ): Promise<V> {
    if (this.#isInspected) this.#inspect('getOrSet', key, loader, options)
    this.#parts.turns.refuseInside('getOrSet')
    return this.#loads.one(key, loader, options)
  }

  /**
   * The values of several keys, in the order of the keys. One call of `loadMissing` loads those that are missing and that nobody
   * loads yet, and returns a Map or pairs of keys and values; what it returns for keys that it was not asked for is ignored. A
   * key that it leaves out is not stored and is not in the result. Otherwise each key behaves as in {@link getOrSet}. If the load of
   * one fails, the call rejects, and the values of the others are still stored.
   */
  getOrSetMany(
    keys: Iterable<string>,
    loadMissing: (keys: string[], context: LoadManyContext<V>) => ManyLoaded<V> | PromiseLike<ManyLoaded<V>>,
    options: LoadOptions<V> = NO_OPTIONS,
  ): Promise<Map<string, V>> {
    if (this.#isInspected) this.#inspect('getOrSetMany', keys, loadMissing, options)
    this.#parts.turns.refuseInside('getOrSetMany')
    return this.#loads.many(keys, loadMissing, options)
  }

  /**
   * Resolves with the sequence that is now on disk (fsynced, under every policy).
   * @throws JournalWriteError if the journal cannot be flushed: whether changes that were not yet durable survive is then unknown.
   */
  flush(): Promise<number> {
    if (this.#isInspected) this.#inspect('flush')
    return this.#later('flush', () => this.#door.flush())
  }

  /** Writes a snapshot now and removes the journal files that it replaces. While a compaction is running, returns its promise. */
  compact(): Promise<CompactionReport> {
    if (this.#isInspected) this.#inspect('compact')
    return this.#later('compact', () => this.#parts.maintenance.compact())
  }

  #later<T>(method: string, task: () => Promise<T>): Promise<T> {
    this.#parts.turns.refuseInside(method)
    return this.#whenOpen(task)
  }

  /** Without a promise of its own: all flushes of a turn of the event loop share one. */
  #whenOpen<T>(task: () => Promise<T>): Promise<T> {
    try {
      this.#door.admit()
      return task()
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Writes all live entries and the counters to one file, atomically: a Python pickle for `.pickle` and `.pkl`, otherwise
   * daybook's own format. The file holds the state at the time of the call; other calls are not blocked. On failure the
   * result is `{ ok: false, error }` and the old file is kept; with `OUTCOME_UNKNOWN` the new file is in place, but might not
   * survive a power cut.
   */
  save(path: string, options: SaveOptions = {}): Promise<SaveResult> {
    if (this.#isInspected) this.#inspect('save', path, options)
    this.#parts.turns.refuseInside('save')
    return this.#parts.savedFiles.save(path, options)
  }

  /**
   * Replaces all entries and counters with those of a file, as one event: subscribers see one `loaded` change. Entries that
   * have expired since are omitted; if the file holds more than the cache has room for, the most recently used entries are
   * kept. If the file is missing, damaged, hostile or foreign, nothing changes and the result is `{ ok: false, error }`.
   */
  load(path: string, options: SaveOptions = {}): Promise<LoadResult> {
    if (this.#isInspected) this.#inspect('load', path, options)
    this.#parts.turns.refuseInside('load')
    return this.#parts.savedFiles.load(path, options)
  }

  /** What recovery found when the cache was opened. */
  get recovery(): RecoveryReport {
    return this.#parts.opening.recovery
  }

  /** Changes to keys that match a pattern, and changes to all keys: `cleared` and `loaded`. */
  watch(pattern: string): Observable<Change<V>> {
    return this.#door.watch(this.changes$, pattern)
  }

  /**
   * A new port for another thread, which passes it to `connect()` of `daybook/threads`. A port may be handed from thread to
   * thread until it is connected. It does not keep the process alive.
   */
  share(): MessagePort {
    this.#door.admit()
    return this.#parts.openPort()
  }

  // ── the past ──

  /**
   * The cache as it was: a view in memory, until it is closed. A time means: after the last frame, in the order of the journal, that
   * was written at or before it; one in the future means now. With a pattern, the view holds only the keys that match.
   * @throws TypeError if `when` is not a time; CacheError `HISTORY_GONE` if it is before the oldest that is kept, and without a
   * directory; CorruptionError if a file that it needs is damaged.
   */
  at(when: When, options?: AtOptions | undefined): Promise<View<V>> {
    return this.#later('at', () => this.#parts.lookingBack.at<V>(when, options))
  }

  /**
   * The changes of one key, oldest first, and those that affect all keys: `cleared` and `loaded`. Wrong arguments throw at once; other
   * errors, as with {@link at}, come at the first `next()`.
   */
  history(key: string, options?: KeyHistoryOptions | undefined): AsyncIterableIterator<PastChange<V>> {
    this.#parts.turns.refuseInside('history')
    return this.#parts.lookingBack.history<V>(key, options, (stored) => this.#restore(stored))
  }

  /**
   * The keys that are different at two times, with their entries as {@link entry} returns them; a change of deadline or tags is a
   * difference. Wrong arguments throw at once; other errors, as with {@link at}, come at the first `next()`.
   */
  diff(
    from: When,
    to?: When | undefined,
    options?: DiffOptions | undefined,
  ): AsyncIterableIterator<Difference<Entry<V>>> {
    this.#parts.turns.refuseInside('diff')
    return this.#parts.lookingBack.diff(from, to, options, (entry) => this.#restoreEntry(entry))
  }

  /**
   * Makes the entries that match as they were, in one turn, which a restore to the sequence before it undoes. Entries that have
   * expired since then are deleted. `dryRun` only counts.
   * @throws RangeError with the counts, if the cache has no room for the result or the journal none for the turn.
   * Otherwise as {@link at}.
   */
  restore(when: When, options?: RestoreOptions | undefined): Promise<RestoreResult> {
    if (this.#isInspected) this.#inspect('restore', when, options)
    return this.#later('restore', () => this.#parts.lookingBack.restore(when, options))
  }

  /**
   * Writes the cache as it is, or as it was, as a journal of its own in another directory.
   * @throws CacheError `FORK_FAILED` if there is a journal already, or it cannot be written. Otherwise as {@link at}.
   */
  fork(directory: string, when?: When | undefined): Promise<Fork> {
    if (this.#isInspected) this.#inspect('fork', directory, when)
    return this.#later('fork', () => this.#parts.lookingBack.fork(directory, when))
  }

  /**
   * Every change after a sequence, from the journal, and then every new one, without a gap, as the consumer asks for them. Only what
   * is durable (with fsync `'never'`: written), so that no crash takes back a change that was returned. Ends when the cache is closed.
   * At `next()` it rejects with `SEQUENCE_AHEAD` for a sequence beyond the last one, and with `HISTORY_GONE` once compaction has
   * removed the next change.
   */
  changesSince(sequence: number): AsyncIterableIterator<PastChange<V>> {
    this.#parts.turns.refuseInside('changesSince')
    return this.#parts.lookingBack.changesSince<V>(sequence, (stored) => this.#restore(stored), this.changes$)
  }

  /**
   * Writes and fsyncs what is pending, completes the streams, releases the directory. Further calls return the same promise.
   * If something cannot be written, for example because the disk is full, it rejects and the cache stays open, so that a later
   * call can succeed. With `force` the cache is closed in any case; the rejection then says what is lost.
   * @throws JournalWriteError `JOURNAL_WRITE_FAILED` as above; `OUTCOME_UNKNOWN` if an fsync fails: then the cache is closed.
   */
  close(options: CloseOptions = {}): Promise<void> {
    if (this.#isInspected) this.#inspect('close', options)
    this.#parts.turns.refuseInside('close')
    try {
      return this.#parts.opening.close({ force: checkForce(options) })
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** `close({ force: true })`: nobody could close it later. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close({ force: true })
  }

  /** What `console.log` prints. */
  [INSPECT](depth: number, options: object, inspect: Inspect): string {
    const { state, lifecycle } = this.#parts
    const facts = { ...lifecycle.state, directory: this.#directory, ...factsOf(state) }
    return consoleText('Cache', facts, depth, options, inspect)
  }

  /**
   * A view of the entries whose keys begin with a prefix. Its methods and streams have the keys without the prefix; its
   * `clear()` deletes the entries in one turn and keeps the counters. It costs nothing to have, and namespaces nest.
   */
  namespace<W extends V = V>(prefix: string): Namespace<W> {
    const view = createNamespace(this, prefix, {
      count: (full) => this.#door.count(full),
      transact: (fn) => this.transact(fn as () => unknown),
      at: (when, given, full) =>
        this.#later('at', () => this.#parts.lookingBack.at<V>(when as When, given as AtOptions, full)),
    })
    return view as Namespace<W>
  }

  // ── inside ──

  #inspect(name: MethodName, ...parameters: unknown[]): void {
    this.#door.inspect(messageOf(name, parameters))
  }

  #restoreEntry(stored: StoredEntry): Entry<V> {
    return { ...stored, value: this.#restore(stored.value) as V }
  }

  #restore(stored: StoredValue | undefined): V | undefined {
    if (typeof stored !== 'object' || stored === null) return stored as V | undefined
    return restoreValue(stored, this.#isolation) as V
  }

  #readStats(): Stats {
    const { state, journal, opening } = this.#parts
    return readStats(this.#door.clock.now(), state, opening.isOpen ? journal.figures() : undefined)
  }

  #onEnd(complete: () => void): () => void {
    if (this.#parts.lifecycle.state.state === 'closed') complete()
    this.#atEnd.add(complete)
    return () => this.#atEnd.delete(complete)
  }

  #end(): void {
    this.#parts.streams.complete()
    for (const complete of [...this.#atEnd]) complete()
  }
}
