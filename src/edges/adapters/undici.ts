/**
 * `daybook/undici`: the responses that undici 7 and 8 cache.
 *
 *   const agent = new Agent().compose(interceptors.cache({ store: undiciStore({ cache }) }))
 *
 * The contract (`CacheStore`): `get(key)`, `createWriteStream(key, value)` for the body, `delete(key)`. undici decides what may be
 * stored and what is still fresh; a store keeps responses until their `deleteAt`. An entry has all variants of one origin and path:
 * what differs by method, or by the request headers that `vary` names.
 *
 * On a `Cache` that is open, `get` answers at once; on a promise or a client, with a promise. An error of the cache fails no
 * request: it is a miss, or nothing is stored, and `onError` is told.
 */
import { Writable } from 'node:stream'
import { checkFunction } from '../../cache/arguments/arguments.js'
import { EPOCH_MS_MAX } from '../../core/model/expiry.js'
import { mustBe } from '../../errors.js'
import { type Backing, type BackingOptions, chain, checkAdapterOptions, deadlineAt, update } from './backing.js'

export type { Backing, BackingOptions } from './backing.js'

export interface UndiciStoreOptions extends BackingOptions {
  /** The beginning of every key in the cache. Default `'http:'`. */
  prefix?: string | undefined
  /** The longest body that is stored, in bytes. Default 5 MiB, as in undici. */
  maxEntrySize?: number | undefined
  /** Told of errors of the cache, which fail no request. */
  onError?: ((error: unknown) => void) | undefined
}

type HeaderValues = Record<string, string | string[]>

/** The request that a response answers. */
export interface HttpCacheKey {
  origin: string
  method: string
  path: string
  headers?: HeaderValues
}

/** As undici reads them. */
export type CacheDirectives = {
  [name in 'max-stale' | 'min-fresh' | 'max-age' | 's-maxage' | 'stale-while-revalidate' | 'stale-if-error']?: number
} & {
  [name in 'public' | 'no-store' | 'must-revalidate' | 'proxy-revalidate' | 'immutable' | 'no-transform']?: true
} & { [name in 'must-understand' | 'only-if-cached']?: true } & { [name in 'private' | 'no-cache']?: true | string[] }

/** A response without its body; times in epoch milliseconds. */
export interface HttpCacheValue {
  statusCode: number
  statusMessage: string
  headers: HeaderValues
  /** The request headers that chose this response; null for one that the request did not have. */
  vary?: Record<string, string | string[] | null>
  etag?: string
  cacheControlDirectives?: CacheDirectives
  cachedAt: number
  staleAt: number
  /** From here on it is not given any more. */
  deleteAt: number
}

/** A response that was stored. */
export interface HttpCacheResult extends HttpCacheValue {
  cacheControlDirectives: CacheDirectives
  body: Buffer
}

interface Variant extends HttpCacheResult {
  method: string
}

/** A store for `interceptors.cache({ store })`. */
export function undiciStore(options: UndiciStoreOptions): UndiciStore {
  return new UndiciStore(options)
}

export class UndiciStore {
  readonly #cache: BackingOptions['cache']
  readonly #prefix: string
  readonly #maxEntrySize: number
  readonly #onError: (error: unknown) => void

  constructor(options: UndiciStoreOptions) {
    const names = ['prefix', 'maxEntrySize', 'onError']
    const {
      cache,
      prefix = 'http:',
      maxEntrySize = 5 * 2 ** 20,
      onError = () => undefined,
    } = checkAdapterOptions(options, names)
    if (typeof prefix !== 'string') throw new TypeError(mustBe('prefix', 'a string', prefix))
    if (!(maxEntrySize >= 0)) throw new RangeError(mustBe('maxEntrySize', 'a number of bytes', maxEntrySize))
    checkFunction(onError, 'onError')
    this.#cache = cache
    this.#prefix = prefix
    this.#maxEntrySize = maxEntrySize
    this.#onError = onError
  }

  get(key: HttpCacheKey): HttpCacheResult | undefined | Promise<HttpCacheResult | undefined> {
    const entryKey = this.#entryKey(key)
    return this.#guarded((cache) =>
      chain(cache.get(entryKey) as Variant[] | undefined, (variants = []) => {
        const found = variants.filter((variant) => isFor(variant, key))
        // The entry ends with the last of its variants, which tells what time it is for the others.
        const lastMs = Math.max(...variants.map(({ deleteAt }) => deleteAt))
        if (found.every(({ deleteAt }) => deleteAt === lastMs)) return found[0]
        return chain(cache.ttl(entryKey), (left = 0) => found.find(({ deleteAt }) => deleteAt > lastMs - left * 1000))
      }),
    )
  }

  createWriteStream(key: HttpCacheKey, value: HttpCacheValue): Writable {
    const entryKey = this.#entryKey(key)
    const chunks: Buffer[] = []
    let size = 0
    const store = () => {
      const deleteAt = Math.min(value.deleteAt, EPOCH_MS_MAX) // a server may send any max-age
      const body = Buffer.concat(chunks)
      const variant: Variant = { cacheControlDirectives: {}, ...value, deleteAt, method: key.method, body }
      return this.#guarded((cache) =>
        update<Variant[]>(cache, entryKey, (entry) => {
          const others = entry?.value.filter((other) => other.deleteAt > value.cachedAt && !isFor(other, key)) ?? []
          const variants = [...others, variant]
          return [variants, { expiresAt: deadlineAt(Math.max(...variants.map(({ deleteAt }) => deleteAt))) }]
        }),
      )
    }
    const maxEntrySize = this.#maxEntrySize
    return new Writable({
      write(chunk: Buffer, _encoding, callback) {
        size += chunk.length
        if (size > maxEntrySize)
          this.destroy() // nothing is stored
        else chunks.push(chunk)
        callback()
      },
      final(callback) {
        Promise.resolve(store()).then(() => callback(), callback)
      },
    })
  }

  /** Deletes all variants. */
  delete(key: HttpCacheKey): void | Promise<void> {
    return this.#guarded((cache) => chain(cache.delete(this.#entryKey(key)), () => undefined))
  }

  #entryKey({ origin, path }: HttpCacheKey): string {
    return `${this.#prefix}${origin}:${path}`
  }

  #guarded<T>(task: (cache: Backing) => T | Promise<T>): T | undefined | Promise<T | undefined> {
    const report = (error: unknown): undefined => void this.#onError(error)
    try {
      const result = chain(this.#cache, task) as T | Promise<T>
      return result instanceof Promise ? result.catch(report) : result
    } catch (error) {
      return report(error)
    }
  }
}

/** Whether a variant answers this request. */
function isFor({ method, vary = {} }: Variant, key: HttpCacheKey): boolean {
  if (method !== key.method) return false
  return Object.entries(vary).every(([name, wanted]) => isSameHeader(key.headers?.[name], wanted))
}

function isSameHeader(a: string | string[] | undefined, b: string | string[] | null): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((part, index) => part === b[index])
  return (a ?? null) === b
}
