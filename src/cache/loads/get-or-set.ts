/**
 * `getOrSet` and `getOrSetMany` with values in their stored form: what is there is returned, what is missing is loaded. Before: `cache.ts` and
 * `edges/`. After: `loads.ts`.
 */

import { refuseEndless } from '../../core/decide/stale.js'
import type { Clock } from '../../core/model/clock.js'
import { NEVER } from '../../core/model/expiry.js'
import type { StoredValue } from '../../core/model/stored-value.js'
import type { Journal } from '../../durable/contract.js'
import { describe } from '../../errors.js'
import { checkKey, deadlineIn } from '../arguments/arguments.js'
import type { Opening } from '../lifecycle/opening.js'
import type { Reads } from '../turns/reads.js'
import type { Turns } from '../turns/turns.js'
import type { LoadCall } from './load-options.js'
import type { Loader, Result } from './loaded.js'
import type { Loads } from './loads.js'
import { isDue } from './refresh.js'

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

  /** A value that is in the cache is returned at once, not as a promise. So is a stale one, unless the call may wait. */
  one(key: string, loader: Loader, call: LoadCall): Result | Promise<Result> {
    checkKey(key)
    this.#check(call)
    const found = this.#parts.reads.hit(key)
    if (found === undefined) return this.#missing(key, loader, call)
    if (call.refresh !== undefined && this.#isDue(key, found, call)) this.#reload(new Map([[key, found]]), loader, call)
    return found
  }

  #missing(key: string, loader: Loader, call: LoadCall): Result | Promise<Result> {
    const { reads } = this.#parts
    const value = reads.staleValue(key)
    const stale: Values = value === undefined ? NONE : new Map([[key, value]])
    if (value === undefined || call.timeoutMs !== NEVER)
      return this.#load({ missing: [key], stale, due: NONE }, loader, call).then((results) => results.get(key))
    reads.getEvenStale(key)
    this.#reload(stale, loader, call)
    return value
  }

  /** By key, in the order of the keys, without those that have no value. */
  async many(
    list: readonly string[],
    loader: Loader,
    call: LoadCall,
  ): Promise<Map<string, Exclude<Result, undefined>>> {
    this.#check(call)
    const keys = [...new Set(list)]
    const found = this.#find(keys, call)
    let loaded: ReadonlyMap<string, Result> = NONE
    if (found.missing.length > 0) loaded = await this.#load(found, loader, call)
    else if (found.due.size > 0) this.#reload(found.due, loader, call)
    const results = new Map<string, Exclude<Result, undefined>>()
    for (const key of keys) {
      const value = found.values.get(key)
      const result = value === undefined ? loaded.get(key) : value
      if (result !== undefined) results.set(key, result)
    }
    return results
  }

  #find(keys: readonly string[], call: LoadCall): Found & { values: Values } {
    const { reads } = this.#parts
    const hits = reads.hits(keys)
    const values = new Map<string, StoredValue>()
    const due = new Map<string, StoredValue>()
    const stale = new Map<string, StoredValue>()
    const missing: string[] = []
    for (const [index, key] of keys.entries()) {
      const value = hits[index]
      const staleValue = value === undefined ? reads.staleValue(key) : undefined
      if (value !== undefined) {
        values.set(key, value)
        if (call.refresh !== undefined && this.#isDue(key, value, call)) due.set(key, value)
      } else if (staleValue !== undefined && call.timeoutMs === NEVER) {
        reads.getEvenStale(key)
        values.set(key, staleValue)
        due.set(key, staleValue)
      } else {
        missing.push(key)
        if (staleValue !== undefined) stale.set(key, staleValue)
      }
    }
    return { values, missing, stale, due }
  }

  /** Loads what is missing and waits for it. The same call of the loader reloads what is due, for which nobody waits. */
  #load({ missing, stale, due }: Found, loader: Loader, call: LoadCall): Promise<ReadonlyMap<string, Result>> {
    const { loads, reads } = this.#parts
    const { timeoutMs, hardTimeoutMs, tags } = call
    const keys = due.size === 0 ? missing : [...missing, ...due.keys()]
    const staleValues = due.size === 0 ? stale : new Map([...stale, ...due])
    // Whether a key with a stale value is a hit is known when the call has ended.
    for (const key of missing) if (!stale.has(key)) reads.missed()
    const onEnd = (key: string, isStaleGiven: boolean) => {
      if (isStaleGiven) reads.getEvenStale(key)
      else reads.missed()
    }
    const request = { keys, loader, staleValues, tags, store: this.#storeFor(call), hardTimeoutMs }
    return loads.get(request, { keys: missing, timeoutMs, fallbacks: stale, onEnd })
  }

  /** In the background. */
  #reload(staleValues: Values, loader: Loader, call: LoadCall): void {
    const { hardTimeoutMs, tags } = call
    const keys = [...staleValues.keys()]
    this.#parts.loads.begin({ keys, loader, staleValues, tags, store: this.#storeFor(call), hardTimeoutMs })
  }

  /** Whether `refresh` of the ttl has passed. */
  #isDue(key: string, value: StoredValue, { ttlMs, ttlMsOf, refresh = 1 }: LoadCall): boolean {
    const left = this.#parts.reads.left(key)
    if (left === undefined || left.leftMs === NEVER) return false
    try {
      return isDue(left.leftMs, ttlMs ?? ttlMsOf?.(value) ?? this.defaultTtlMs, refresh)
    } catch (error) {
      this.#parts.loads.warn(error, key) // ttlMsOf is the caller's, and the value is there
      return false
    }
  }

  /** @throws RangeError for `stale` with a ttl that never ends. */
  #check({ staleMs, ttlMs = this.defaultTtlMs, isTtlByValue }: LoadCall): void {
    if (staleMs !== undefined && !isTtlByValue) refuseEndless(ttlMs)
  }

  get defaultTtlMs(): number {
    return this.#options.defaultTtlMs
  }

  /** When an entry stops being fresh, for a client that measures `refresh` by a ttl of its own. */
  left(key: string): ReturnType<Reads['left']> {
    return this.#parts.reads.left(key)
  }

  /** Reloads what such a client found to be due. `untils` are what `left` returned for the keys: a key that has changed since is left out. */
  reload(keys: readonly string[], untils: readonly unknown[], loader: Loader, call: LoadCall): void {
    const { reads } = this.#parts
    const due = new Map<string, StoredValue>()
    for (const [index, key] of keys.entries()) {
      const value = reads.peek(key)
      if (value !== undefined && reads.left(key)?.untilMs === untils[index]) due.set(key, value)
    }
    this.#reload(due, loader, call)
  }

  /** Returns the function that stores what a loader has returned. */
  #storeFor(call: LoadCall) {
    const { clock, journal, opening, turns } = this.#parts
    const { defaultTtlMs, isEverythingDurable } = this.#options
    return (key: string, value: StoredValue, ttlMs = call.ttlMs ?? defaultTtlMs) => {
      opening.admitWrite()
      const nowMs = clock.now()
      const expiresAtMs = deadlineIn(this.#jittered(key, ttlMs, call.jitter), nowMs)
      const staleMs = expiresAtMs === NEVER ? undefined : call.staleMs
      turns.run({ type: 'set', key, value, expiresAtMs, staleMs, tags: call.tags, only: undefined, nowMs })
      return isEverythingDurable ? journal.flush() : undefined
    }
  }

  /** A `random()` that fails must not keep values out of the cache: they are then stored without jitter. */
  #jittered(key: string, ttlMs: number, jitter: number): number {
    if (jitter === 0 || ttlMs === NEVER) return ttlMs
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

type Values = ReadonlyMap<string, StoredValue>

/** What a call has to load. */
interface Found {
  /** What it waits for. */
  readonly missing: readonly string[]
  /** For those, the values that it returns if that takes too long. */
  readonly stale: Values
  /** What is reloaded in the background, with the present values. */
  readonly due: Values
}
const NONE: Values = new Map()

function notDrawn(drawn: unknown): RangeError {
  return new RangeError(
    `random() must return a number from 0 to 1; ${describe(drawn)} is not. The entry was stored without jitter.`,
  )
}
