/**
 * `daybook/keyv`: a storage adapter of Keyv 5 and 6, and so of cache-manager, cacheable and what else is built on Keyv.
 *
 *   const keyv = new Keyv({ store: keyvStore({ cache }) })
 *
 * The contract (`KeyvStoreAdapter` of version 5, `KeyvStorageAdapter` of version 6): an event emitter with asynchronous methods,
 * and `namespace`, which Keyv sets. The two versions differ in three ways:
 *
 *   | | Keyv 5 | Keyv 6 |
 *   | the third argument of `set` | milliseconds to live | the deadline, epoch milliseconds |
 *   | keys | arrive with the namespace in front, unless `useKeyPrefix` is false | the adapter puts it there |
 *   | `deleteMany` | whether any was deleted | a list: whether each was |
 *
 * Keyv 5 reads `opts` when it is given a store that can iterate, to see whether it knows its dialect, and Keyv 6 does not: that
 * tells them apart. Without Keyv the contract is that of version 6.
 */
import { EventEmitter } from 'node:events'
import { type BackingOptions, checkAdapterOptions, deadlineAt, entriesUnder, inOneTurn, written } from './backing.js'

export type { Backing, BackingOptions } from './backing.js'

/** A row of `setMany`. */
export interface KeyvRow {
  key: string
  value: unknown
  /** Keyv 5: milliseconds to live. */
  ttl?: number | null | undefined
  /** Keyv 6: the deadline, epoch milliseconds. */
  expires?: number | null | undefined
}

/** A store for `new Keyv({ store })`. The keys in the cache are `namespace:key`, or as given if there is no namespace. */
export function keyvStore(options: BackingOptions): KeyvStore {
  return new KeyvStore(options)
}

export class KeyvStore extends EventEmitter {
  namespace: string | undefined
  readonly #cache: BackingOptions['cache']
  #isVersion5 = false
  /** Whether Keyv puts the namespace in front of keys: not if it has given one without. */
  #isPrefixed = true

  constructor(options: BackingOptions) {
    super()
    this.#cache = checkAdapterOptions(options, []).cache
  }

  /** Only Keyv 5 reads this. It has the iterator only of stores of a fixed list of dialects. */
  get opts(): { dialect: string; url: string } {
    this.#isVersion5 = true
    return { dialect: 'redis', url: '' }
  }

  /** Tells Keyv 6 that `set` takes a deadline. */
  get capabilities(): { expires: true } {
    return { expires: true }
  }

  async get<Value>(key: string): Promise<Value | undefined> {
    return (await this.#cache).get(this.#full(key)) as Value | undefined
  }

  async getMany<Value>(keys: string[]): Promise<(Value | undefined)[]> {
    return (await this.#cache).getMany(keys.map(this.#full)) as (Value | undefined)[] | Promise<(Value | undefined)[]>
  }

  /** @param time Keyv 5: milliseconds to live. Keyv 6: the deadline, epoch milliseconds. */
  async set(key: string, value: unknown, time?: number | null): Promise<boolean> {
    await written((await this.#cache).set(this.#full(key), value, this.#until(time)))
    return true
  }

  async setMany(rows: KeyvRow[]): Promise<boolean[]> {
    const entries = rows.map(({ key, value, ttl, expires }) => {
      return [this.#full(key), value, this.#until(this.#isVersion5 ? ttl : expires)] as const
    })
    await written((await this.#cache).setMany(entries))
    return rows.map(() => true)
  }

  async delete(key: string): Promise<boolean> {
    return written((await this.#cache).delete(this.#full(key)))
  }

  async deleteMany(keys: string[]): Promise<boolean | boolean[]> {
    const steps = keys.map((key) => ({ type: 'delete', key: this.#full(key) }) as const)
    const results = (await written(inOneTurn(await this.#cache, steps))) as boolean[]
    return this.#isVersion5 ? results.includes(true) : results
  }

  async has(key: string): Promise<boolean> {
    return (await this.#cache).has(this.#full(key))
  }

  async hasMany(keys: string[]): Promise<boolean[]> {
    return (await this.#cache).hasMany(keys.map(this.#full))
  }

  /** Deletes the entries of the namespace; without one, all entries. */
  async clear(): Promise<void> {
    await written((await this.#cache).deletePrefix(this.#prefix))
  }

  /** Keys and values, in portions, while the cache changes. Counts neither as hits nor as uses. */
  async *iterator<Value>(namespace = this.namespace): AsyncGenerator<[string, Value], void> {
    const prefix = prefixOf(namespace)
    for await (const [key, value] of entriesUnder(await this.#cache, prefix)) {
      yield [this.#isVersion5 && this.#isPrefixed ? key : key.slice(prefix.length), value as Value]
    }
  }

  /** The cache stays open: whoever opened it closes it. */
  async disconnect(): Promise<void> {}

  get #prefix(): string {
    return prefixOf(this.namespace)
  }

  readonly #full = (key: string): string => {
    const prefix = this.#prefix
    if (this.#isVersion5 && key.startsWith(prefix)) return key
    this.#isPrefixed = false
    return prefix + key
  }

  #until(time: number | null | undefined) {
    if (time === undefined || time === null) return {} // Keyv passes null on
    return this.#isVersion5 ? { ttl: Math.max(0, time) / 1000 } : { expiresAt: deadlineAt(time) }
  }
}

function prefixOf(namespace: string | undefined): string {
  return namespace === undefined || namespace === '' ? '' : `${namespace}:`
}
