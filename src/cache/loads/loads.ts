/**
 * One load per key at a time, shared by all its callers. Before: `get-or-set.ts`. After: `turns/`.
 *
 *   first call ─► loader ─► store the value (overruled: read the key's current value instead) ─► all waiting calls
 *
 * A `set`, `delete`, `clear` or `load` that affects the key overrules its load: the loaded value is not stored, and later calls
 * start a load of their own. One call of a loader (`loader-run.ts`) may load several keys; each of them is a load of its own.
 */
import type { Clock } from '../../core/model/clock.js'
import type { StoredValue } from '../../core/model/stored-value.js'
import { CacheClosedError, CacheError, type CacheErrorOptions, describe, reasonOf } from '../../errors.js'
import type { Reads } from '../turns/reads.js'
import type { TurnListener, Turns } from '../turns/turns.js'
import { type Loaded, type LoadedByKey, type Loader, type Result, Unstorable } from './loaded.js'
import { LoaderRun } from './loader-run.js'
import { TimeLimit } from './time-limit.js'

export interface LoadRequest {
  /** What to load. Those that are being loaded already are left out. */
  readonly keys: readonly string[]
  readonly loader: Loader
  /** The values that the loaded ones replace. */
  readonly staleValues: ReadonlyMap<string, StoredValue>
  /**
   * Stores a loaded value, or throws. A promise resolves when it is as durable as the fsync policy promises. `ttlMs`: what the
   * loader gave.
   */
  store(key: string, value: StoredValue, ttlMs: number | undefined): Promise<unknown> | undefined
  /** `deleteTag` and `expireTag` of one of them overrule the loads. */
  readonly tags: readonly string[]
  /** How long the loads may take. */
  readonly hardTimeoutMs: number
}

/** What a call waits for. */
export interface Wait {
  readonly keys: readonly string[]
  /** How long; Infinity for as long as the loads take. */
  readonly timeoutMs: number
  /** By key: what the call gets if the load fails or takes too long. */
  readonly fallbacks: ReadonlyMap<string, StoredValue>
  /** Called for each key with a fallback, at the end of the call: whether that was what the call got. */
  onEnd(key: string, isFallback: boolean): void
}

interface Load {
  readonly key: string
  readonly tags: readonly string[]
  readonly run: LoaderRun
  readonly promise: Promise<Result>
  readonly resolve: (value: Result) => void
  readonly reject: (error: unknown) => void
  /** How many calls wait for it. */
  waiting: number
  /** How many of them would reject with its error. */
  exposed: number
  isOverruled: boolean
  /** True until the loader has returned, or its result is no longer wanted. */
  isLoading: boolean
  readonly limit: TimeLimit
}

export interface LoadsParts {
  clock: Clock
  turns: Turns
  reads: Reads
  /** Called with failures that no call rejects with. */
  warn: (warning: Error) => void
}

const NEVER = Number.POSITIVE_INFINITY
const LATE = Symbol('late')

export class Loads {
  readonly #clock: Clock
  readonly #turns: Turns
  readonly #reads: Reads
  readonly #warnings: (warning: Error) => void
  /** By key: the load that a new call joins. */
  readonly #current = new Map<string, Load>()
  /** The current loads, and overruled ones that have not ended yet. */
  readonly #running = new Set<Load>()
  #isClosed = false

  constructor({ clock, turns, reads, warn }: LoadsParts) {
    this.#clock = clock
    this.#turns = turns
    this.#reads = reads
    this.#warnings = warn
  }

  // ── calls ──

  /** Begins what nobody loads yet, and waits. Resolves with stored forms, so that every caller can decode its own copies. */
  get(request: LoadRequest, wait: Wait): Promise<Map<string, Result>> {
    const waiter = LoaderRun.current
    const results = new Map<string, Result>()
    const awaited: string[] = []
    for (const key of wait.keys) {
      const isCycle = waiter !== undefined && this.#current.get(key)?.run.reaches(waiter) === true
      const fallback = wait.fallbacks.get(key)
      if (!isCycle) awaited.push(key)
      else if (fallback === undefined) return Promise.reject(waitsForItself(key, waiter))
      else {
        wait.onEnd(key, true)
        results.set(key, fallback)
      }
    }
    this.begin(request)
    const loads = awaited.map((key) => this.#current.get(key) as Load) // those that were not running have begun
    for (const load of loads) load.limit.shorten(request.hardTimeoutMs, true)
    return this.#wait(loads, waiter, wait, results)
  }

  /** Begins what nobody loads yet; no call waits for it. */
  begin({ keys, loader, staleValues, tags, store, hardTimeoutMs }: LoadRequest): void {
    const missing = keys.filter((key) => !this.#current.has(key))
    if (missing.length === 0) return
    const run = new LoaderRun(missing)
    const context = { signal: run.signal, staleValues: only(missing, staleValues) }
    const loads = missing.map((key) => this.#create(key, run, tags))
    for (const load of loads) {
      this.#current.set(load.key, load)
      this.#running.add(load)
      load.promise.catch(() => undefined) // waiting calls get the error; without any it must not be an unhandled rejection
    }
    this.#turns.listener = this.onTurn
    run
      .within(async () => loader(missing, context))
      .then(
        (loaded) => this.#returned(run, loads, loaded, store),
        (error: unknown) => {
          run.returned()
          this.#fail(loads, error)
        },
      )
    for (const load of loads) load.limit.shorten(hardTimeoutMs, false)
  }

  #create(key: string, run: LoaderRun, tags: readonly string[]): Load {
    let resolve!: (value: Result) => void
    let reject!: (error: unknown) => void
    const promise = new Promise<Result>((onResolve, onReject) => {
      resolve = onResolve
      reject = onReject
    })
    const limit = new TimeLimit(this.#clock, (limitMs) => this.#timeOut(load, limitMs))
    const state = { waiting: 0, exposed: 0, isOverruled: false, isLoading: true }
    const load: Load = { key, tags, run, promise, resolve, reject, limit, ...state }
    return load
  }

  async #wait(
    loads: readonly Load[],
    waiter: LoaderRun | undefined,
    { timeoutMs, fallbacks, onEnd }: Wait,
    results: Map<string, Result>,
  ): Promise<Map<string, Result>> {
    let timer: unknown
    for (const load of loads) {
      if (load.waiting++ === 0) load.limit.keepAlive()
      if (!fallbacks.has(load.key)) load.exposed++
      waiter?.waitFor(load.run)
    }
    try {
      const late = new Promise<typeof LATE>((resolve) => {
        if (timeoutMs !== NEVER) timer = this.#clock.setTimeout(() => resolve(LATE), timeoutMs, true)
      })
      const outcomes = loads.map(async (load) => {
        const fallback = fallbacks.get(load.key)
        const outcome = await this.#outcome(load, late, fallback)
        if (fallback !== undefined) onEnd(load.key, outcome === LATE)
        else if (outcome === LATE) throw timedOut(load.key, timeoutMs)
        results.set(load.key, outcome === LATE ? this.#currentOr(load.key, fallback) : outcome)
      })
      await Promise.all(outcomes)
      return results
    } finally {
      if (timer !== undefined) this.#clock.clearTimeout(timer)
      for (const load of loads) {
        waiter?.stopWaitingFor(load.run)
        if (!fallbacks.has(load.key)) load.exposed--
        if (--load.waiting === 0) load.limit.letGo()
      }
    }
  }

  async #outcome(
    load: Load,
    late: Promise<typeof LATE>,
    fallback: StoredValue | undefined,
  ): Promise<Result | typeof LATE> {
    try {
      return await Promise.race([load.promise, late])
    } catch (error) {
      if (fallback === undefined || this.#isClosed) throw error
      return LATE
    }
  }

  // ── the end of a load ──

  #returned(run: LoaderRun, loads: readonly Load[], loaded: LoadedByKey, store: LoadRequest['store']): void {
    run.returned() // calls that subscribers make while the values are stored are not part of it
    for (const load of loads) this.#end(load, loaded.get(load.key), store)
  }

  async #end(load: Load, loaded: Loaded | undefined, store: LoadRequest['store']): Promise<void> {
    if (!load.isLoading) return // timed out or closed
    load.isLoading = false
    load.limit.end()
    try {
      const result = load.isOverruled ? this.#currentOr(load.key, loaded?.value) : loaded?.value
      if (!load.isOverruled && loaded !== undefined) await this.#store(load.key, loaded, store)
      this.#settle(load, () => load.resolve(result))
    } catch (error) {
      if (error instanceof CacheClosedError) this.#settle(load, () => load.reject(error))
      else this.#fail([load], error)
    }
  }

  /** The live value of a key, which may be null. */
  #currentOr(key: string, other: Result): Result {
    const value = this.#reads.peek(key)
    return value === undefined ? other : value
  }

  /** What cannot be stored is still given to the waiting calls. */
  #store(key: string, { value, ttlMs }: Loaded, store: LoadRequest['store']): Promise<unknown> | undefined {
    if (ttlMs === 0) return undefined
    try {
      if (value instanceof Unstorable) throw value.error
      return store(key, value, ttlMs)
    } catch (error) {
      if (error instanceof CacheClosedError) throw error
      this.warn(error, key)
      return undefined
    }
  }

  /** Loads of one run fail. It is a warning unless a call rejects with the error. */
  #fail(loads: readonly Load[], error: unknown): void {
    const running = loads.filter((load) => this.#running.has(load))
    const isReported = running.some((load) => load.exposed > 0)
    for (const load of running) this.#settle(load, () => load.reject(error))
    if (!isReported && running[0] !== undefined) this.warn(error, running[0].key)
  }

  #settle(load: Load, settle: () => void): void {
    load.isLoading = false
    this.#running.delete(load)
    this.#release(load.key, load)
    load.limit.end()
    load.limit.letGo()
    settle()
  }

  /** The next call for its key will start another load. */
  #release(key: string, load: Load | undefined): void {
    if (this.#current.get(key) === load) this.#current.delete(key)
    if (this.#current.size === 0) this.#turns.listener = undefined
  }

  /** Emits a failure that no call rejects with. What subscribers then call is no part of a load. */
  warn(error: unknown, key: string): void {
    const warning =
      error instanceof Error
        ? error
        : new Error(`Loading ${describe(key)} failed: ${reasonOf(error)}`, { cause: error })
    LoaderRun.outside(() => this.#warnings(warning))
  }

  #timeOut(load: Load, hardTimeoutMs: number): void {
    const error = timedOut(load.key, hardTimeoutMs, {
      consequence: 'The load was abandoned, and its value will not be stored.',
      advice: 'Call getOrSet() again to start another load.',
    })
    this.#fail([load], error)
    load.run.abandon(error)
  }

  // ── what overrules a load ──

  /** Overrules the loads of the keys that a turn has changed. */
  readonly onTurn: TurnListener = (events, missedDeletions) => {
    for (const key of missedDeletions) this.#overrule(key)
    for (const event of events) {
      if (event.type === 'set' || event.type === 'deleted') this.#overrule(event.key)
      else if (event.type === 'cleared' || event.type === 'loaded') for (const key of this.keys()) this.#overrule(key)
    }
  }

  #overrule(key: string): void {
    const load = this.#current.get(key)
    if (load !== undefined) load.isOverruled = true
    this.#release(key, load)
  }

  /** The keys that are being loaded. */
  keys(): string[] {
    return [...this.#current.keys()]
  }

  /** Whether the load of a key was started with a tag. */
  hasTag(key: string, tag: string): boolean {
    return this.#current.get(key)?.tags.includes(tag) === true
  }

  /** Rejects every waiting call. */
  readonly close = (): void => {
    this.#isClosed = true
    for (const load of [...this.#running]) {
      const error = new CacheClosedError(`The cache was closed while ${describe(load.key)} was being loaded`, {
        consequence: 'Nothing was stored.',
      })
      this.#settle(load, () => load.reject(error))
      load.run.abandon(error)
    }
  }
}

function only<T>(keys: readonly string[], values: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  const those = new Set(keys)
  return new Map([...values].filter(([key]) => those.has(key)))
}

function waitsForItself(key: string, { keys: [within = ''] }: LoaderRun): CacheError {
  return new CacheError(
    'LOAD_CYCLE',
    `Loading ${describe(within)} would wait for ${describe(key)}, which waits for ${describe(within)}`,
  )
}

function timedOut(key: string, ms: number, options?: CacheErrorOptions): CacheError {
  return new CacheError('LOAD_TIMEOUT', `Loading ${describe(key)} took longer than ${ms} ms`, options)
}
