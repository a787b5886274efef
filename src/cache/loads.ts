/**
 * `getOrSet`: one load per key at a time, whoever asks. A `set`, `delete` or `clear` of the key while it is being loaded
 * wins over what the loader brings. A load that would wait for itself, through other keys too, is refused.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock } from '../core/model/clock.js'
import type { StoredValue } from '../core/model/stored-value.js'
import { CacheClosedError, CacheError, describe } from '../errors.js'

import type { Reads } from './turns/reads.js'
import type { TurnListener, Turns } from './turns/turns.js'

/** Stores what was loaded, and resolves when it is as durable as the fsync policy promises. */
export type StoreLoaded = (value: StoredValue) => Promise<void>

/** Gives the value as it is stored. */
export type Loader = (key: string) => StoredValue | PromiseLike<StoredValue>

interface Load {
  key: string
  promise: Promise<StoredValue>
  reject: (error: unknown) => void
  /** A set, delete or clear of the key came in between. */
  isOverruled: boolean
  isDone: boolean
  /** The loads whose results this one's loader is waiting for. */
  readonly waitsFor: Set<Load>
}

export class Loads {
  readonly #clock: Clock
  readonly #turns: Turns
  readonly #reads: Reads
  readonly #loads = new Map<string, Load>()
  /** The load in whose loader the present code runs. */
  readonly #current = new AsyncLocalStorage<Load>()

  constructor(parts: { clock: Clock; turns: Turns; reads: Reads }) {
    this.#clock = parts.clock
    this.#turns = parts.turns
    this.#reads = parts.reads
  }

  /** Values are as the cache stores them, so that everybody who waits can be given a copy. */
  get(key: string, loader: Loader, store: StoreLoaded, timeoutMs: number): Promise<StoredValue> {
    const current = this.#current.getStore()
    const waiting = current === undefined || current.isDone ? undefined : current
    const load = this.#loads.get(key) ?? this.#begin(key, loader, store)
    if (waiting !== undefined) {
      if (reaches(load, waiting)) return Promise.reject(selfWait(key, waiting.key))
      waiting.waitsFor.add(load)
    }
    return this.#wait(load, waiting, timeoutMs)
  }

  #begin(key: string, loader: Loader, store: StoreLoaded): Load {
    const { promise, resolve, reject } = withResolvers<StoredValue>()
    const load: Load = { key, promise, reject, isOverruled: false, isDone: false, waitsFor: new Set() }
    this.#loads.set(key, load)
    this.#turns.listener = this.#onTurn
    promise.catch(() => undefined) // those who wait are told; a load that nobody waits for any more is nobody's error
    const finish = () => {
      load.isDone = true
      if (this.#loads.get(key) === load) this.#loads.delete(key)
      if (this.#loads.size === 0) this.#turns.listener = undefined
    }
    // The loader runs after this call, so that nothing it does can see the load half made.
    this.#current.run(load, () =>
      Promise.resolve()
        .then(() => loader(key))
        .then(async (value) => {
          if (load.isDone) return value // closed in between
          if (load.isOverruled) {
            const winner = this.#reads.peek(key)
            return winner === undefined ? value : winner
          }
          await store(value)
          return value
        })
        .then(resolve, reject)
        .finally(finish),
    )
    return load
  }

  async #wait(load: Load, waiting: Load | undefined, timeoutMs: number): Promise<StoredValue> {
    let timer: unknown
    const clock = this.#clock
    try {
      if (timeoutMs === Number.POSITIVE_INFINITY) return await load.promise
      const timeout = new Promise<never>((_, reject) => {
        timer = clock.setTimeout(() => reject(timedOut(load.key, timeoutMs)), timeoutMs)
      })
      return await Promise.race([load.promise, timeout])
    } finally {
      if (timer !== undefined) clock.clearTimeout(timer)
      waiting?.waitsFor.delete(load)
    }
  }

  /** A set, delete or clear wins over what is being loaded. */
  readonly #onTurn: TurnListener = (events, missedDeletions) => {
    for (const key of missedDeletions) this.#overrule(key)
    for (const event of events) {
      if (event.type === 'cleared' || event.type === 'loaded')
        for (const load of this.#loads.values()) load.isOverruled = true
      else if (event.type === 'set' || event.type === 'deleted') this.#overrule(event.key)
    }
  }

  #overrule(key: string): void {
    const load = this.#loads.get(key)
    if (load !== undefined) load.isOverruled = true
  }

  /** The keys that are being loaded. */
  keys(): string[] {
    return [...this.#loads.keys()]
  }

  /** Everybody who waits is told that the cache is closed. */
  readonly close = (): void => {
    for (const load of this.#loads.values()) {
      load.isDone = true
      load.reject(
        new CacheClosedError(`The cache was closed while ${describe(load.key)} was being loaded: nothing was stored.`),
      )
    }
    this.#loads.clear()
  }
}

/** Whether `from` waits for `target`, itself or through others. */
function reaches(from: Load, target: Load): boolean {
  const seen = new Set<Load>()
  const open = [from]
  for (let load = open.pop(); load !== undefined; load = open.pop()) {
    if (load === target) return true
    if (seen.has(load)) continue
    seen.add(load)
    open.push(...load.waitsFor)
  }
  return false
}

function selfWait(key: string, within: string): CacheError {
  return new CacheError(
    'LOAD_CYCLE',
    `Loading ${describe(within)} would wait for ${describe(key)}, which waits for it: neither would ever end. Nothing was stored; load what both need first.`,
  )
}

function timedOut(key: string, timeoutMs: number): CacheError {
  return new CacheError(
    'LOAD_TIMEOUT',
    `Loading ${describe(key)} took longer than ${timeoutMs} ms. The load goes on; ask again to wait for it.`,
  )
}

function withResolvers<T>() {
  let resolve!: (value: T | PromiseLike<T>) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}
