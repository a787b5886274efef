/**
 * First stop on the path of a message: a method call becomes a command, and what the command comes to becomes the answer.
 *
 *   cache.set(key, value) ─► command ─► actor/turns ─► decide ─► evolve ─► journal ─► reply ─► streams
 *
 * Everything is handled in the caller's own stack: when a call returns it has happened (durable it is only after `flush()`).
 */
import type { MessagePort } from 'node:worker_threads'
import type { Observable } from 'rxjs'
import type { ActorRefFrom } from 'xstate'
import { compileGlob } from '../core/decide/glob.js'
import type { Command, KeyCommand } from '../core/model/command.js'
import type { Slot } from '../core/model/state.js'
import type { StoredValue } from '../core/model/stored-value.js'
import type { CompactionReport, RecoveryReport } from '../durable/contract.js'
import { CacheClosedError } from '../errors.js'
import type { SaveFormat } from '../files/format.js'
import { type Isolation, restoreValue, storeValue } from '../values/encode.js'
import type { LifecycleState } from './actor/lifecycle.js'
import type { CacheLogic } from './actor/logic.js'
import {
  checkBy,
  checkFunction,
  checkKey,
  checkKeys,
  checkOnly,
  checkOptions,
  checkPattern,
  deadlineIn,
  deadlineOf,
  listOf,
  type SetOptions,
} from './arguments.js'
import type { CacheCore } from './cache-core.js'
import { type Duration, toMilliseconds } from './duration.js'
import { Loads } from './loads.js'
import type { MessageTo } from './messages.js'
import type { ResolvedOptions } from './options.js'
import { checkFile, fileError, type LoadResult, type SaveOptions, type SaveResult } from './save-options.js'
import type { Change } from './streams/change.js'
import type { Eviction } from './streams/evictions.js'
import type { Expiration } from './streams/expirations.js'
import { LifecycleStream } from './streams/lifecycle.js'
import { createStats$, type Stats } from './streams/stats.js'
import type { Streams } from './streams/streams.js'
import { watch } from './streams/watch.js'

/** What `cache.actor` takes. */
export type CacheMessage = MessageTo<Cache>

const NO_OPTIONS: Readonly<SetOptions> = {}

/**
 * A cache that keeps a journal. Made by `openCache()`.
 *
 * Every method throws (or rejects with) a `CacheClosedError` once the cache is closing, a `TypeError` for arguments of the
 * wrong type, and changes nothing when it throws. Methods that change something throw a `JournalWriteError` while the
 * journal cannot be written. A return is not yet durability: `flush()` is.
 */
export class Cache<V = unknown> {
  /**
   * Every journaled event in order of sequence, each exactly once. It runs ahead of durability: after a crash, sequences
   * past the recovered one are given again, to other events.
   */
  readonly changes$: Observable<Change<V>>
  /** Entries whose deadline has passed, on time (within 50 ms when the event loop is free), with the value they had. */
  readonly expirations$: Observable<Expiration<V>>
  /** Entries that had to make room, with the value they had. */
  readonly evictions$: Observable<Eviction<V>>
  /** The current stats at once, then at most one per `statsInterval`, and only when a counter or the size has changed. */
  readonly stats$: Observable<Stats>
  /** The current state at once, then every change, with progress while recovering and compacting. */
  readonly lifecycle$: Observable<LifecycleState>
  /** The cache as an XState actor: inspect it, subscribe to it, send it commands with a `replyTo`. */
  readonly actor!: ActorRefFrom<CacheLogic<CacheMessage>>
  /** The same method as {@link has}. */
  declare readonly exists: (key: string) => boolean

  readonly #core: CacheCore
  readonly #streams: Streams<V>
  readonly #loads: Loads
  readonly #openPort: () => MessagePort
  readonly #isolation: Isolation
  readonly #defaultTtlMs: number
  /** Without a default ttl, a `set` without options has no deadline. */
  readonly #isPlain: boolean
  readonly #isEverythingDurable: boolean
  /** Who waits for the end: open subscriptions of `stats$`. */
  readonly #atEnd = new Set<() => void>()

  /** @internal Use `openCache()`. */
  constructor(core: CacheCore, streams: Streams<V>, options: ResolvedOptions, openPort: () => MessagePort) {
    this.#core = core
    this.#openPort = openPort
    this.#streams = streams
    this.#isolation = options.isolation
    this.#defaultTtlMs = options.ttlMs
    this.#isPlain = options.ttlMs === Number.POSITIVE_INFINITY
    this.#isEverythingDurable = options.fsync === 'always'
    this.#loads = new Loads({
      clock: options.clock,
      peek: (key) => core.run({ type: 'peek', key, nowMs: core.clock.now() }) as StoredValue | undefined,
      encode: (value) => storeValue(value, options.isolation),
      listen: (listener) => {
        core.onCommit = listener
      },
    })
    core.onClose = this.#loads.close
    this.changes$ = streams.changes$
    this.expirations$ = streams.expirations$
    this.evictions$ = streams.evictions$
    this.stats$ = createStats$(
      () => this.#readStats(),
      options.clock,
      options.statsIntervalMs,
      (complete) => this.#onEnd(complete),
    )
    const lifecycle = new LifecycleStream(core.lifecycle)
    this.lifecycle$ = lifecycle.observable
    core.onLifecycle((state) => {
      lifecycle.next(state)
      if (state.state === 'closed') this.#end()
    })
  }

  // ── one key ──

  /** The value, or `undefined`. A hit makes the entry the most recently used; an expired entry is a miss and is removed. */
  get(key: string): V | undefined {
    checkKey(key)
    return this.#restore(this.#core.get(key))
  }

  /** The value, without touching the order of use or the counts of hits and misses. */
  peek(key: string): V | undefined {
    checkKey(key)
    return this.#restore(this.#runOn('peek', key) as StoredValue | undefined)
  }

  /** Whether there is a live entry. Counts no hit and no miss, and is no use of it. */
  has(key: string): boolean {
    checkKey(key)
    return this.#runOn('has', key) as boolean
  }

  /**
   * Stores a value; the entry becomes the most recently used and gets a new deadline (or none). Answers whether it was
   * stored, which is `false` only with `only`.
   * @throws ValueError for a value that cannot be stored: see docs; RangeError for a bad `ttl`, or an entry above `maxBytes`.
   */
  set(key: string, value: V, options: SetOptions = NO_OPTIONS): boolean {
    checkKey(key)
    const stored = storeValue(value, this.#isolation)
    this.#core.admitWrite()
    if (options === NO_OPTIONS && this.#isPlain && this.#core.setAlone(key, stored, Number.POSITIVE_INFINITY))
      return true
    checkOptions(options)
    checkOnly(options.only)
    const nowMs = this.#nowMs()
    const expiresAtMs = deadlineOf(options, this.#defaultTtlMs, nowMs)
    return this.#core.run({ type: 'set', key, value: stored, expiresAtMs, only: options.only, nowMs }) as boolean
  }

  /** Removes an entry. `false` for a missing or expired one. */
  delete(key: string): boolean {
    checkKey(key)
    this.#core.admitWrite()
    return this.#runOn('delete', key) as boolean
  }

  /**
   * Adds to a number and answers the sum. A missing entry becomes `by`, with `ttl` or the default ttl; an entry that is
   * there keeps its deadline.
   * @throws ValueError when the entry holds no finite number; RangeError when `by` is not finite or the sum would be a whole number past ±(2^53 − 1).
   */
  increment(key: string, by = 1, options: { ttl?: Duration | undefined } = NO_OPTIONS): number {
    checkKey(key)
    checkBy(by)
    if (options === NO_OPTIONS) {
      this.#core.admitWrite()
      const sum = this.#core.incrementAlone(key, by)
      if (sum !== undefined) return sum
    }
    checkOptions(options)
    this.#core.admitWrite()
    const nowMs = this.#nowMs()
    const expiresAtMs = deadlineOf({ ttl: options.ttl }, this.#defaultTtlMs, nowMs)
    return this.#core.run({ type: 'increment', key, by, expiresAtMs, nowMs }) as number
  }

  /** `increment(key, -by)`. */
  decrement(key: string, by = 1, options: { ttl?: Duration | undefined } = NO_OPTIONS): number {
    checkBy(by)
    return Cache.prototype.increment.call(this, key, -by, options) // one call, also for an inspector
  }

  /** Seconds left; `Infinity` without a deadline; `undefined` for a missing entry. */
  ttl(key: string): number | undefined {
    checkKey(key)
    return this.#runOn('ttl', key) as number | undefined
  }

  /** Gives an entry another deadline, `ttl` from now (`Infinity`: none). `false` when there is no entry. */
  expire(key: string, ttl: Duration): boolean {
    checkKey(key)
    const ttlMs = toMilliseconds(ttl, 'ttl')
    this.#core.admitWrite()
    const nowMs = this.#core.clock.now()
    return this.#core.run({ type: 'expire', key, expiresAtMs: deadlineIn(ttlMs, nowMs), nowMs }) as boolean
  }

  /** Takes an entry's deadline away. `false` when there is no entry, or it has no deadline. */
  persist(key: string): boolean {
    checkKey(key)
    this.#core.admitWrite()
    return this.#runOn('persist', key) as boolean
  }

  // ── many keys, one turn ──

  /** The values of several keys, `undefined` where there is none; each counts as a `get`. */
  getMany(keys: Iterable<string>): (V | undefined)[] {
    const list = checkKeys(keys)
    this.#core.admitRead()
    const stored = this.#core.turns.runAll(() => list.map((key) => this.#core.get(key)))
    return stored.map((value) => this.#restore(value))
  }

  /** Stores several entries, all or none. Answers how many were stored (with `only`, it may be fewer than given). */
  setMany(entries: Iterable<readonly [string, V]>, options: SetOptions = NO_OPTIONS): number {
    checkOptions(options)
    checkOnly(options.only)
    const rows = listOf(entries, 'entries').map((entry) => {
      const [key, value] = listOf(entry, 'An entry')
      checkKey(key)
      return { key, value: storeValue(value, this.#isolation) }
    })
    this.#core.admitWrite()
    const nowMs = this.#core.clock.now()
    const expiresAtMs = deadlineOf(options, this.#defaultTtlMs, nowMs)
    return this.#runEach(
      rows.map(({ key, value }) => ({ type: 'set', key, value, expiresAtMs, only: options.only, nowMs })),
    )
  }

  /** Removes several entries, all or none. Answers how many there were. */
  deleteMany(keys: Iterable<string>): number {
    const list = checkKeys(keys)
    this.#core.admitWrite()
    const nowMs = this.#core.clock.now()
    return this.#runEach(list.map((key) => ({ type: 'delete', key, nowMs })))
  }

  /** The keys that match a pattern (`*`, `?`, `[a-z]`, `\`), least recently used first. Expired entries are not listed. */
  keys(pattern = '*'): string[] {
    checkPattern(pattern)
    return this.#liveSlots(pattern).map((slot) => this.#core.state.keyAt(slot))
  }

  /** Removes all entries whose keys match, all or none. Answers how many there were. */
  deletePattern(pattern: string): number {
    checkPattern(pattern)
    this.#core.admitWrite()
    const { state, clock } = this.#core
    const nowMs = clock.now()
    const keys = this.#liveSlots(pattern).map((slot) => state.keyAt(slot))
    const loading = this.#loads.keys().filter(compileGlob(pattern)) // deleting wins over what is being loaded
    return this.#runEach([...keys, ...loading].map((key) => ({ type: 'delete', key, nowMs })))
  }

  /** Keys and values, least recently used first. What it visits is fixed at the first `next()`. No use of the entries. */
  entries(pattern = '*'): IterableIterator<[string, V]> {
    checkPattern(pattern)
    this.#core.admitRead()
    return this.#iterate(pattern)
  }

  *#iterate(pattern: string): Generator<[string, V], void, undefined> {
    const { state } = this.#core
    const rows = this.#liveSlots(pattern).map((slot) => ({ key: state.keyAt(slot), value: state.valueAt(slot) }))
    for (const { key, value } of rows) yield [key, this.#restore(value) as V]
  }

  // ── the whole cache ──

  /** Removes every entry and sets all counters to 0. */
  clear(): void {
    this.#core.admitWrite()
    this.#core.run({ type: 'clear', nowMs: this.#core.clock.now() })
  }

  /** Entries stored now, expired ones that nobody has met yet included. */
  get size(): number {
    this.#core.admitRead()
    return this.#core.state.size
  }

  stats(): Stats {
    this.#core.admitRead()
    return this.#readStats()
  }

  /** Removes what has expired, as the background cleanup does. Answers how many entries went. */
  cleanup(): number {
    this.#core.admitWrite()
    return this.#core.cleanup()
  }

  /**
   * Runs `fn`, which calls the cache as usual, as one turn and one frame of the journal. If it throws, nothing of it
   * happened: not on disk, not in memory, not in the streams. A `transact` inside it that throws undoes only itself, if
   * the outer one catches.
   * @throws TypeError for an async function: a turn cannot wait.
   */
  transact<T>(fn: () => T): T {
    checkFunction(fn, 'fn')
    if (Object.prototype.toString.call(fn) === '[object AsyncFunction]') throw asyncTransaction()
    this.#core.admitRead()
    return this.#core.turns.runAll(() => {
      const result = fn()
      if (typeof (result as PromiseLike<unknown> | undefined)?.then === 'function') {
        Promise.resolve(result).catch(() => undefined) // it is refused here, whatever becomes of it
        throw asyncTransaction()
      }
      return result
    })
  }

  /**
   * The value under a key, loaded and stored if there is none. One load per key at a time, whoever asks; a loader's error
   * goes to all who wait, and the next call loads afresh. With `fsync: 'always'` it resolves when the value is durable.
   * @throws CacheError `LOAD_TIMEOUT` after `timeout` (default: none), `LOAD_CYCLE` for a load that would wait for itself.
   */
  getOrSet(
    key: string,
    loader: (key: string) => V | PromiseLike<V>,
    options: { ttl?: Duration | undefined; timeout?: Duration | undefined } = NO_OPTIONS,
  ): Promise<V> {
    this.#core.turns.refuseInside('getOrSet')
    return this.#getOrSet(key, loader, options)
  }

  async #getOrSet(
    key: string,
    loader: (key: string) => V | PromiseLike<V>,
    options: { ttl?: Duration | undefined; timeout?: Duration | undefined },
  ): Promise<V> {
    checkKey(key)
    checkFunction(loader, 'loader')
    checkOptions(options)
    const { ttl, timeout } = options
    if (ttl !== undefined) toMilliseconds(ttl, 'ttl')
    const timeoutMs = toMilliseconds(timeout ?? Number.POSITIVE_INFINITY, 'timeout')
    const found = this.#core.get(key)
    if (found !== undefined) return this.#restore(found) as V
    const stored = await this.#loads.get(
      key,
      loader as (key: string) => unknown,
      async (value) => {
        this.#core.admitWrite()
        const nowMs = this.#core.clock.now()
        this.#core.run({
          type: 'set',
          key,
          value,
          expiresAtMs: deadlineOf({ ttl }, this.#defaultTtlMs, nowMs),
          only: undefined,
          nowMs,
        })
        if (this.#isEverythingDurable) await this.#core.flush()
      },
      timeoutMs,
    )
    return this.#restore(stored) as V
  }

  /**
   * Resolves with the sequence that is now on disk (fsynced, under every policy).
   * @throws JournalWriteError when that cannot be done: the outcome of what was not yet durable is unknown then.
   */
  flush(): Promise<number> {
    this.#core.turns.refuseInside('flush')
    return this.#whileOpen(() => this.#core.flush())
  }

  /** Writes a snapshot now and removes the journal before it; while one is being written, answers with that one's report. */
  compact(): Promise<CompactionReport> {
    this.#core.turns.refuseInside('compact')
    return this.#whileOpen(() => this.#core.compact())
  }

  /**
   * Writes what is alive now, with the counters, into one file, atomically: a Python pickle for `.pickle` and `.pkl`, else
   * daybook's own format. Turns go on meanwhile; the file holds the state of this moment. The old file survives any failure,
   * and the answer then is `{ ok: false, error }`; `OUTCOME_UNKNOWN` says that the new one is there, but perhaps not for good.
   */
  save(path: string, options: SaveOptions = {}): Promise<SaveResult> {
    this.#core.turns.refuseInside('save')
    return this.#file('save', path, options, (format) => this.#core.save(path, format, options.onProgress))
  }

  /**
   * Replaces all entries and counters by those of a file, as one event: subscribers see one `loaded` change. What has
   * expired since is left out; of more than there is room for, the most recently used are kept. A file that is missing,
   * damaged, hostile or foreign changes nothing, and the answer then is `{ ok: false, error }`.
   */
  load(path: string, options: SaveOptions = {}): Promise<LoadResult> {
    this.#core.turns.refuseInside('load')
    return this.#file('load', path, options, (format) => this.#core.load(path, format, options.onProgress))
  }

  async #file<T extends object>(
    method: 'save' | 'load',
    path: string,
    options: SaveOptions,
    task: (format: SaveFormat) => Promise<T>,
  ): Promise<({ ok: true; path: string; format: SaveFormat } & T) | { ok: false; error: Error }> {
    const format = checkFile(path, options)
    this.#core.admitRead()
    try {
      return { ok: true, path, format, ...(await task(format)) }
    } catch (error) {
      if (error instanceof CacheClosedError) throw error
      return { ok: false, error: fileError(method, path, error) }
    }
  }

  /** What opening found. */
  get recovery(): RecoveryReport {
    return this.#core.recovery
  }

  /** Changes of the keys that match a pattern, and those that concern all keys: `cleared` and `loaded`. */
  watch(pattern: string): Observable<Change<V>> {
    checkPattern(pattern)
    this.#core.admitRead()
    return watch(this.changes$, pattern)
  }

  /**
   * A port for another thread, which makes a client of it with `connect()` of `daybook/threads`. A new one each time; a port
   * may be passed on until somebody connects. It keeps no process alive.
   */
  share(): MessagePort {
    this.#core.admitRead()
    return this.#openPort()
  }

  /** Writes and fsyncs what is pending, completes the streams, lets go of the directory. Calling it again does nothing more. */
  close(): Promise<void> {
    this.#core.turns.refuseInside('close')
    return this.#core.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // ── inside ──

  async #whileOpen<T>(task: () => Promise<T>): Promise<T> {
    this.#core.admitRead()
    return task()
  }

  #runOn(type: KeyCommand['type'], key: string): unknown {
    this.#core.admitRead()
    return this.#core.run({ type, key, nowMs: this.#core.clock.now() })
  }

  /** Answers how many of the commands came to something. */
  #runEach(commands: Command[]): number {
    return this.#core.turns.runAll(() => {
      let count = 0
      for (const command of commands) if (this.#core.run(command) === true) count++
      return count
    })
  }

  /** Entries that match and have not expired, least recently used first. Those that have expired go now, as events. */
  #liveSlots(pattern: string): Slot[] {
    this.#core.admitRead()
    const { state, clock } = this.#core
    const matches = compileGlob(pattern)
    this.#core.cleanup()
    const nowMs = clock.now()
    const slots: Slot[] = []
    for (let slot = state.oldest; slot !== undefined; slot = state.newerThan(slot)) {
      if (state.deadlineAt(slot) > nowMs && matches(state.keyAt(slot))) slots.push(slot)
    }
    return slots
  }

  /** The time of a command, epoch milliseconds. */
  #nowMs(): number {
    return this.#core.clock.now()
  }

  #restore(stored: StoredValue | undefined): V | undefined {
    if (typeof stored !== 'object' || stored === null) return stored as V | undefined
    return restoreValue(stored, this.#isolation) as V
  }

  #readStats(): Stats {
    const { state, journal, isOpen } = this.#core
    const { hits, misses, evictions, expirations, sets, deletes } = state.counters
    const reads = hits + misses
    return {
      hits,
      misses,
      evictions,
      size: state.size,
      expirations,
      sets,
      deletes,
      hitRatio: reads === 0 ? 0 : hits / reads,
      journal: isOpen ? journal.figures() : CLOSED_FIGURES,
    }
  }

  #onEnd(complete: () => void): () => void {
    if (this.#core.lifecycle.state === 'closed') complete()
    this.#atEnd.add(complete)
    return () => this.#atEnd.delete(complete)
  }

  #end(): void {
    this.#streams.complete()
    for (const complete of [...this.#atEnd]) complete()
  }
}

// One function under two names, not one that calls the other.
Object.defineProperty(Cache.prototype, 'exists', { value: Cache.prototype.has, writable: true, configurable: true })

const CLOSED_FIGURES = {
  sequence: 0,
  durableSequence: 0,
  pendingBytes: 0,
  bytes: 0,
  segments: 0,
  snapshotSequence: 0,
  snapshotBytes: 0,
}

function asyncTransaction(): TypeError {
  return new TypeError(
    'transact() takes a function that does its work before it returns; this one is async (or returned a promise), and a turn cannot wait. Nothing was changed: await first, then call transact().',
  )
}
