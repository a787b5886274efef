/**
 * `getOrSet` with values in their stored form: what is there is returned, what is missing is loaded. Before: `cache.ts` and
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
    const { reads, loads } = this.#parts
    const found = reads.get(key)
    if (found !== undefined) return found
    const keys = [key]
    const { timeoutMs, hardTimeoutMs } = call
    const request = { keys, loader, staleValues: NONE, store: this.#storeFor(call), hardTimeoutMs }
    return loads.get(request, { keys, timeoutMs, fallbacks: NONE }).then((results) => results.get(key))
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
