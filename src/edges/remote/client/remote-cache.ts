/** The methods of a cache as its clients have them. What each does is documented at `Cache`; here is what differs. */
import type { Cache } from '../../../cache/cache.js'
import type { LoadResult, SaveOptions, SaveResult } from '../../../cache/save-options.js'
import type { RemoteMethod } from '../wire/codes.js'
import type { Step, StepsResults } from '../wire/steps.js'

/** The streams of a cache, which a client has, too. */
export type StreamsOf<V> = Pick<
  Cache<V>,
  'changes$' | 'expirations$' | 'evictions$' | 'stats$' | 'lifecycle$' | 'watch'
>

/** Each method of the table, returning a promise; but for `transact`, which means something else. */
export type AskedMethods<V> = {
  [M in keyof Pick<Cache<V>, Exclude<RemoteMethod, 'transact'>>]: Cache<V>[M] extends (
    ...parameters: infer P
  ) => infer R
    ? (...parameters: P) => [R] extends [Promise<unknown>] ? R : Promise<R>
    : Promise<Cache<V>[M]>
}

/** A progress function would have to be called from elsewhere. */
type FileOptions = Omit<SaveOptions, 'onProgress'>

/**
 * A cache that is elsewhere. Every method is that of `Cache` and returns a promise, which is settled whatever happens to the
 * owner, the connection or the client. With `fsync: 'always'` a change is acknowledged when it is durable.
 *
 * `entries()` brings all of them in one message: for a large cache, `keys()` and `getMany()` in portions hold the owner up less.
 * The loader of `getOrSet()` runs here; if its client ends meanwhile, all who wait are refused with `LOADER_GONE`.
 */
export interface RemoteCache<V = unknown> extends AskedMethods<V>, StreamsOf<V> {
  /** Takes a list of steps instead of a function, which cannot travel: one turn, one frame, all or nothing. One result per step. */
  transact<const S extends readonly Step<V>[]>(steps: S): Promise<StepsResults<V, S>>
  save(path: string, options?: FileOptions): Promise<SaveResult>
  load(path: string, options?: FileOptions): Promise<LoadResult>
  /** Closes this client, not the cache. What was asked before is done and answered; loads that it waits for are refused. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
