/**
 * `getOrSet` and `getOrSetMany` with the values of this thread's callers: loaders are made to return stored forms, and results are
 * decoded. Before: `cache.ts`. After: `get-or-set.ts`.
 */
import { checkFunction, checkKeys } from '../arguments/arguments.js'
import type { GetOrSet } from './get-or-set.js'
import { checkLoadOptions, type LoadOptions, ttlMsOf } from './load-options.js'
import { type Result, Unstorable } from './loaded.js'
import { type Conversion, type LoadMany, type LoadOne, loaderOfMany, loaderOfOne } from './local-loader.js'

export class CallerLoads<V> {
  readonly #getOrSet: GetOrSet
  readonly #conversion: Conversion

  constructor(getOrSet: GetOrSet, conversion: Conversion) {
    this.#getOrSet = getOrSet
    this.#conversion = conversion
  }

  async one(key: string, loader: LoadOne, options: LoadOptions<V>): Promise<V> {
    checkFunction(loader, 'loader')
    const { call, ttlOf } = this.#check(options)
    const load = loaderOfOne(loader, ttlOf, this.#conversion)
    return this.#result(await this.#getOrSet.one(key, load, call))
  }

  async many(keys: Iterable<string>, loadMissing: LoadMany, options: LoadOptions<V>): Promise<Map<string, V>> {
    const list = checkKeys(keys)
    checkFunction(loadMissing, 'loadMissing')
    const { call, ttlOf } = this.#check(options)
    const load = loaderOfMany(loadMissing, ttlOf, this.#conversion)
    const results = await this.#getOrSet.many(list, load, call)
    return new Map([...results].map(([key, result]) => [key, this.#result(result)]))
  }

  /** Checked options. A `ttl` that is a function is also called for stored values. */
  #check(options: LoadOptions<V>): ReturnType<typeof checkLoadOptions> {
    const { call, ttlOf } = checkLoadOptions(options)
    if (ttlOf === undefined) return { call, ttlOf }
    return { call: { ...call, ttlMsOf: (stored) => ttlMsOf(this.#conversion.restore(stored), ttlOf) }, ttlOf }
  }

  #result(result: Result): V {
    const { restore, owner } = this.#conversion
    if (!(result instanceof Unstorable)) return (result === undefined ? undefined : restore(result)) as V
    if (result.owner === owner) return result.value as V
    throw result.error
  }
}
