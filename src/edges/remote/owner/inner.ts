/**
 * The cache's inner door, for edges: values go in and out as they are stored, so that a value which came as bytes is not
 * decoded only to be encoded again. Here, and nowhere else in src/edges, more of a cache is known than its public methods.
 */
import { checkKey, checkKeys, type SetOptions } from '../../../cache/arguments.js'
import { Cache } from '../../../cache/cache.js'
import type { CacheCore } from '../../../cache/cache-core.js'
import type { Duration } from '../../../cache/duration.js'
import { inspectorOf } from '../../../cache/messages.js'
import type { StoredValue } from '../../../core/model/stored-value.js'
import { storeValue } from '../../../values/encode.js'

interface LoadOptions {
  ttl?: Duration | undefined
  timeout?: Duration | undefined
}

const inners = new WeakMap<Cache, Inner>()

/** The inner door of a cache that {@link Inner} was made for. */
export function innerOf(cache: Cache): Inner {
  return inners.get(cache) as Inner // open.ts has made it with the cache
}

export class Inner {
  readonly #cache: Cache
  readonly #core: CacheCore

  constructor(cache: Cache, core: CacheCore) {
    this.#cache = cache
    this.#core = core
    inners.set(cache, this)
  }

  /** Whether an inspector wants to see calls. Those that are made here it sees only by {@link inspect}. */
  get isInspected(): boolean {
    return inspectorOf(this.#cache) !== undefined
  }

  inspect(message: { type: string }): void {
    inspectorOf(this.#cache)?.(message)
  }

  getStored(key: string): StoredValue | undefined {
    checkKey(key)
    return this.#core.get(key)
  }

  peekStored(key: string): StoredValue | undefined {
    checkKey(key)
    this.#core.admitRead()
    return this.#core.run({ type: 'peek', key, nowMs: this.#core.clock.now() }) as StoredValue | undefined
  }

  setStored(key: string, stored: StoredValue, options?: SetOptions): boolean {
    return Cache.prototype.set.call(this.#cache, key, stored, options)
  }

  getManyStored(keys: Iterable<string>): (StoredValue | undefined)[] {
    const list = checkKeys(keys)
    this.#core.admitRead()
    return this.#core.turns.runAll(() => list.map((key) => this.#core.get(key)))
  }

  setManyStored(entries: Iterable<readonly [string, StoredValue]>, options?: SetOptions): number {
    return Cache.prototype.setMany.call(this.#cache, entries, options)
  }

  *entriesStored(pattern?: string): Generator<[string, StoredValue], void, undefined> {
    for (const key of Cache.prototype.keys.call(this.#cache, pattern)) {
      const stored = this.peekStored(key)
      if (stored !== undefined) yield [key, stored] // else it has expired since the line above
    }
  }

  async getOrSetStored(key: string, loader: () => Promise<StoredValue>, options: LoadOptions): Promise<StoredValue> {
    return storeValue(await Cache.prototype.getOrSet.call(this.#cache, key, loader, options), 'copy')
  }

  /** Resolves when everything done until now is on disk; also while the cache is closing. */
  flush(): Promise<number> {
    return this.#core.flush()
  }
}
