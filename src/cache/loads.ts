/**
 * `getOrSet`: one load per key at a time, shared by all its callers. Before: `door.ts`. After: `turns/`.
 *
 *   first call ─► loader ─► store the value (overruled: read the key's current value instead) ─► all waiting calls
 *
 * A `set`, `delete`, `clear` or `load` that affects the key overrules its load: the loaded value is not stored, and later calls
 * start a load of their own. A load that would wait for itself, directly or through other keys, is refused.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock } from '../core/model/clock.js'
import { NO_TAGS } from '../core/model/extension.js'
import type { StoredValue } from '../core/model/stored-value.js'
import { CacheClosedError, CacheError, type CacheErrorOptions, describe } from '../errors.js'
import type { Reads } from './turns/reads.js'
import type { TurnListener, Turns } from './turns/turns.js'

/** The second argument of a loader. */
export interface LoadContext {
  /** Aborted when `hardTimeout` has passed or the cache is closed: no call waits for the value any more. */
  readonly signal: AbortSignal
}

/** What a loader gave, in its stored form; `undefined`, which is not stored, if it gave that. */
export type Loaded = StoredValue | undefined

export type Loader = (key: string, context: LoadContext) => Loaded | PromiseLike<Loaded>

export interface LoadRequest {
  key: string
  loader: Loader
  /** `deleteTag` and `expireTag` of one of them overrule the load. */
  tags?: readonly string[]
  /** Stores the loaded value. Resolves when it is as durable as the fsync policy promises. */
  store(value: StoredValue): Promise<void>
  /** How long this call waits; Infinity for as long as the load takes. */
  timeoutMs: number
  /** How long the load may take. */
  hardTimeoutMs: number
}

interface Load {
  readonly key: string
  readonly tags: readonly string[]
  readonly promise: Promise<Loaded>
  readonly resolve: (value: Loaded) => void
  readonly reject: (error: unknown) => void
  readonly controller: AbortController
  /** How many calls wait for it. */
  waiting: number
  isOverruled: boolean
  /** True until the loader has returned, or its result is no longer wanted. */
  isLoading: boolean
  /** The loads that its loader waits for, with the number of waiting calls. */
  readonly waitsFor: Map<Load, number>
  hardTimer: unknown
  /** Keeps the process alive while a call waits for a load that {@link hardTimer} will end. */
  aliveTimer: unknown
  hardDeadlineMs: number
  /** The `hardTimeout` that {@link hardDeadlineMs} was computed from. */
  hardTimeoutMs: number
}

export class Loads {
  readonly #clock: Clock
  readonly #turns: Turns
  readonly #reads: Reads
  /** By key: the load that a new call joins. */
  readonly #current = new Map<string, Load>()
  /** The current loads, and overruled ones that have not ended yet. */
  readonly #running = new Set<Load>()
  /** The load whose loader is running in the current async context. */
  readonly #within = new AsyncLocalStorage<Load | undefined>()

  constructor(parts: { clock: Clock; turns: Turns; reads: Reads }) {
    this.#clock = parts.clock
    this.#turns = parts.turns
    this.#reads = parts.reads
  }

  /** Resolves with the stored form, so that every caller can decode its own copy. */
  get(request: LoadRequest): Promise<Loaded> {
    const { key, timeoutMs, hardTimeoutMs } = request
    const within = this.#within.getStore()
    const waiter = within?.isLoading === true ? within : undefined
    const load = this.#current.get(key) ?? this.#begin(request)
    if (waiter !== undefined && reaches(load, waiter)) return Promise.reject(waitsForItself(key, waiter.key))
    if (hardTimeoutMs !== Number.POSITIVE_INFINITY) this.#limit(load, hardTimeoutMs)
    return this.#wait(load, waiter, timeoutMs)
  }

  #begin({ key, loader, store, tags = NO_TAGS }: LoadRequest): Load {
    const load = createLoad(key, tags)
    this.#current.set(key, load)
    this.#running.add(load)
    this.#turns.listener = this.onTurn
    load.promise.catch(() => undefined) // waiting calls get the error; without any it must not be an unhandled rejection
    // The loader starts on a later microtask, when the load is set up completely.
    this.#within
      .run(load, () => Promise.resolve().then(() => loader(key, load.controller)))
      .then(
        (value) => this.#end(load, value, store),
        (error: unknown) => this.#settle(load, () => load.reject(error)),
      )
    return load
  }

  async #end(load: Load, value: Loaded, store: LoadRequest['store']): Promise<void> {
    if (!load.isLoading) return // timed out or closed
    load.isLoading = false // calls that subscribers make while the value is stored are not part of the load
    if (load.hardTimer !== undefined) this.#clock.clearTimeout(load.hardTimer) // the loader was in time
    load.hardTimer = undefined
    try {
      let result = value
      if (load.isOverruled) result = this.#reads.peek(load.key) ?? value
      else if (value !== undefined) await store(value)
      this.#settle(load, () => load.resolve(result))
    } catch (error) {
      this.#settle(load, () => load.reject(error))
    }
  }

  #settle(load: Load, settle: () => void): void {
    load.isLoading = false
    this.#running.delete(load)
    this.#release(load.key, load)
    this.#clock.clearTimeout(load.hardTimer)
    this.#letGo(load)
    settle()
  }

  /** The next call for its key will start another load. */
  #release(key: string, load: Load | undefined): void {
    if (this.#current.get(key) === load) this.#current.delete(key)
    if (this.#current.size === 0) this.#turns.listener = undefined
  }

  async #wait(load: Load, waiter: Load | undefined, timeoutMs: number): Promise<Loaded> {
    let timer: unknown
    if (load.waiting++ === 0) this.#keepAlive(load)
    if (waiter !== undefined) waiter.waitsFor.set(load, (waiter.waitsFor.get(load) ?? 0) + 1)
    try {
      if (timeoutMs === Number.POSITIVE_INFINITY) return await load.promise
      const timeout = new Promise<never>((_, reject) => {
        const expire = () => reject(timedOut(load.key, timeoutMs))
        timer = this.#clock.setTimeout(expire, timeoutMs, true)
      })
      return await Promise.race([load.promise, timeout])
    } finally {
      if (timer !== undefined) this.#clock.clearTimeout(timer)
      if (waiter !== undefined) forgetWait(waiter, load)
      if (--load.waiting === 0) this.#letGo(load)
    }
  }

  /** Ends the load this long from now, unless it has ended by then. */
  #limit(load: Load, hardTimeoutMs: number): void {
    const deadlineMs = this.#clock.now() + hardTimeoutMs
    if (!load.isLoading || deadlineMs >= load.hardDeadlineMs) return // while it is being stored, it was in time
    load.hardDeadlineMs = deadlineMs
    load.hardTimeoutMs = hardTimeoutMs
    const end = () => {
      const error = timedOut(load.key, hardTimeoutMs, {
        consequence: 'The load was abandoned, and its value will not be stored.',
        advice: 'Call getOrSet() again to start another load.',
      })
      this.#settle(load, () => load.reject(error))
      load.controller.abort(error)
    }
    this.#clock.clearTimeout(load.hardTimer)
    // Armed once, and never again for the rest of the time: the clock may be set in between.
    load.hardTimer = this.#clock.setTimeout(end, hardTimeoutMs)
    this.#keepAlive(load)
  }

  #keepAlive(load: Load): void {
    if (load.hardTimer === undefined || load.aliveTimer !== undefined) return
    load.aliveTimer = this.#clock.setTimeout(() => undefined, load.hardTimeoutMs, true)
  }

  #letGo(load: Load): void {
    this.#clock.clearTimeout(load.aliveTimer)
    load.aliveTimer = undefined
  }

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

  /** Runs a task outside any load: calls made by subscribers are not calls of the loader that caused the event. */
  outside(task: () => void): void {
    if (this.#within.getStore() === undefined) task()
    else this.#within.run(undefined, task)
  }

  /** Rejects every waiting call. */
  readonly close = (): void => {
    for (const load of [...this.#running]) {
      const error = new CacheClosedError(`The cache was closed while ${describe(load.key)} was being loaded`, {
        consequence: 'Nothing was stored.',
      })
      this.#settle(load, () => load.reject(error))
      load.controller.abort(error)
    }
  }
}

function createLoad(key: string, tags: readonly string[]): Load {
  let resolve!: (value: Loaded) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<Loaded>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return {
    key,
    tags,
    promise,
    resolve,
    reject,
    controller: new AbortController(),
    waiting: 0,
    isOverruled: false,
    isLoading: true,
    waitsFor: new Map(),
    hardTimer: undefined,
    aliveTimer: undefined,
    hardDeadlineMs: Number.POSITIVE_INFINITY,
    hardTimeoutMs: Number.POSITIVE_INFINITY,
  }
}

function forgetWait(waiter: Load, load: Load): void {
  const count = waiter.waitsFor.get(load) as number // at least 1: the call that ends was counted
  if (count === 1) waiter.waitsFor.delete(load)
  else waiter.waitsFor.set(load, count - 1)
}

/** Whether `from` waits for `target`, directly or through other loads. */
function reaches(from: Load, target: Load): boolean {
  const seen = new Set<Load>()
  const open = [from]
  for (let load = open.pop(); load !== undefined; load = open.pop()) {
    if (load === target) return true
    if (seen.has(load)) continue
    seen.add(load)
    open.push(...load.waitsFor.keys())
  }
  return false
}

function waitsForItself(key: string, within: string): CacheError {
  return new CacheError(
    'LOAD_CYCLE',
    `Loading ${describe(within)} would wait for ${describe(key)}, which waits for ${describe(within)}`,
  )
}

function timedOut(key: string, ms: number, options?: CacheErrorOptions): CacheError {
  return new CacheError('LOAD_TIMEOUT', `Loading ${describe(key)} took longer than ${ms} ms`, options)
}
