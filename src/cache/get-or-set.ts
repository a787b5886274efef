/**
 * `getOrSet` and `getOrSetMany` with values in their stored form: what is there is returned, what is missing is loaded. Before: `cache.ts` and
 * `edges/`. After: `loads/loads.ts`.
 */
import type { Clock } from '../core/model/clock.js'
import type { StoredValue } from '../core/model/stored-value.js'
import type { Journal } from '../durable/contract.js'
import { describe } from '../errors.js'
import { checkKey, deadlineIn } from './arguments.js'
import type { LoadCall } from './load-options.js'
import type { Loader, Result } from './loads/loaded.js'
import type { Loads } from './loads/loads.js'
import { isDue } from './loads/refresh.js'
import type { Opening } from './opening.js'
import type { Reads } from './turns/reads.js'
import type { Turns } from './turns/turns.js'

export interface GetOrSetParts {
  clock: Clock
  journal: Journal
  opening: Opening
  turns: Turns
  reads: Reads
  loads: Loads
}

export interface GetOrSetOptions {
  /** `Infinity` for none. */
  defaultTtlMs: number
  /** Draws the jitter of a ttl, from 0 to 1. */
  random: () => number
  /** `fsync: 'always'`. */
  isEverythingDurable: boolean
}

export class GetOrSet {
  readonly #parts: GetOrSetParts
  readonly #options: GetOrSetOptions

  constructor(parts: GetOrSetParts, options: GetOrSetOptions) {
    this.#parts = parts
    this.#options = options
  }

  /** A value that is in the cache is returned at once, not as a promise. */
  one(key: string, loader: Loader, call: LoadCall): Result | Promise<Result> {
    checkKey(key)
    const found = this.#parts.reads.get(key)
    if (found === undefined) return this.#load([key], [], loader, call, NONE).then((results) => results.get(key))
    if (call.refresh !== undefined && this.#isDue(key, found, call)) this.#reload(new Map([[key, found]]), loader, call)
    return found
  }

  /** By key, in the order of the keys, without those that have no value. */
  async many(
    list: readonly string[],
    loader: Loader,
    call: LoadCall,
  ): Promise<Map<string, Exclude<Result, undefined>>> {
    const keys = [...new Set(list)]
    const found = this.#parts.reads.getMany(keys)
    const missing: string[] = []
    const due = new Map<string, StoredValue>()
    for (const [index, key] of keys.entries()) {
      const value = found[index]
      if (value === undefined) missing.push(key)
      else if (call.refresh !== undefined && this.#isDue(key, value, call)) due.set(key, value)
    }
    let loaded: ReadonlyMap<string, Result> = NONE
    if (missing.length > 0) loaded = await this.#load(missing, [...due.keys()], loader, call, due)
    else if (due.size > 0) this.#reload(due, loader, call)
    const results = new Map<string, Exclude<Result, undefined>>()
    for (const [index, key] of keys.entries()) {
      const value = found[index]
      const result = value === undefined ? loaded.get(key) : value
      if (result !== undefined) results.set(key, result)
    }
    return results
  }

  /** Loads what is missing and waits for it. One call of the loader also reloads others, for which nobody waits. */
  #load(
    missing: readonly string[],
    others: readonly string[],
    loader: Loader,
    call: LoadCall,
    staleValues: ReadonlyMap<string, StoredValue>,
  ): Promise<ReadonlyMap<string, Result>> {
    const { timeoutMs, hardTimeoutMs } = call
    const keys = [...missing, ...others]
    const request = { keys, loader, staleValues, store: this.#storeFor(call), hardTimeoutMs }
    return this.#parts.loads.get(request, { keys: missing, timeoutMs, fallbacks: NONE })
  }

  /** In the background. */
  #reload(staleValues: ReadonlyMap<string, StoredValue>, loader: Loader, call: LoadCall): void {
    const { hardTimeoutMs } = call
    this.#parts.loads.begin({
      keys: [...staleValues.keys()],
      loader,
      staleValues,
      store: this.#storeFor(call),
      hardTimeoutMs,
    })
  }

  /** Whether `refresh` of the ttl has passed. */
  #isDue(key: string, value: StoredValue, { ttlMs, ttlMsOf, refresh = 1 }: LoadCall): boolean {
    const left = this.#parts.reads.left(key)
    if (left === undefined || left.leftMs === Number.POSITIVE_INFINITY) return false
    try {
      return isDue(left.leftMs, ttlMs ?? ttlMsOf?.(value) ?? this.defaultTtlMs, refresh)
    } catch (error) {
      this.#parts.loads.warn(error, key) // ttlMsOf is the caller's, and the value is there
      return false
    }
  }

  get defaultTtlMs(): number {
    return this.#options.defaultTtlMs
  }

  /** When an entry stops being fresh, for a client that measures `refresh` by a ttl of its own. */
  left(key: string): ReturnType<Reads['left']> {
    return this.#parts.reads.left(key)
  }

  /** What such a client found to be due: `untils` are what `left` gave for the keys, so that none is reloaded that has changed since. */
  reload(keys: readonly string[], untils: readonly unknown[], loader: Loader, call: LoadCall): void {
    const { reads } = this.#parts
    const due = new Map<string, StoredValue>()
    for (const [index, key] of keys.entries()) {
      const value = reads.peek(key)
      if (value !== undefined && reads.left(key)?.untilMs === untils[index]) due.set(key, value)
    }
    this.#reload(due, loader, call)
  }

  /** Stores what a loader has given, unless it throws. */
  #storeFor(call: LoadCall) {
    const { clock, journal, opening, turns } = this.#parts
    const { defaultTtlMs, isEverythingDurable } = this.#options
    return (key: string, value: StoredValue, ttlMs = call.ttlMs ?? defaultTtlMs) => {
      opening.admitWrite()
      const nowMs = clock.now()
      const expiresAtMs = deadlineIn(this.#jittered(key, ttlMs, call.jitter), nowMs)
      turns.run({ type: 'set', key, value, expiresAtMs, only: undefined, nowMs })
      return isEverythingDurable ? journal.flush() : undefined
    }
  }

  /** A `random()` that fails must not keep values out of the cache: they are then stored without jitter. */
  #jittered(key: string, ttlMs: number, jitter: number): number {
    if (jitter === 0 || ttlMs === Number.POSITIVE_INFINITY) return ttlMs
    try {
      const drawn = this.#options.random()
      if (!(drawn >= 0 && drawn <= 1)) throw notDrawn(drawn)
      return ttlMs * (1 + jitter * (2 * drawn - 1))
    } catch (error) {
      this.#parts.loads.warn(error, key)
      return ttlMs
    }
  }
}

const NONE: ReadonlyMap<string, StoredValue> = new Map()

function notDrawn(drawn: unknown): RangeError {
  return new RangeError(
    `random() must return a number from 0 to 1; ${describe(drawn)} is not. The entry was stored without jitter.`,
  )
}
