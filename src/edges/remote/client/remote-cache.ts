/** The methods of a client. They are documented at `Cache`; only the differences are described here. */
import type { Observable } from 'rxjs'
import type { CloseOptions } from '../../../cache/arguments/arguments.js'
import type { Cache, Entry } from '../../../cache/cache.js'
import type { AtOptions, Difference, DiffOptions, KeyHistoryOptions } from '../../../cache/history/looking-back.js'
import type { PastChange } from '../../../cache/history/past-change.js'
import type { When } from '../../../cache/history/when.js'
import type { NamespaceMember } from '../../../cache/namespace.js'
import type { LoadResult, SaveOptions, SaveResult } from '../../../cache/saved-files/save-options.js'
import type { RemoteRemoval } from '../../../cache/streams/removals.js'
import type { RemoteMethod } from '../wire/codes.js'
import type { Step, StepsResults } from '../wire/steps.js'
import type { RemoteView } from './remote-past.js'

/** The streams of a cache, which a client also has. */
export interface StreamsOf<V>
  extends Pick<Cache<V>, 'changes$' | 'expirations$' | 'evictions$' | 'stats$' | 'lifecycle$' | 'watch'> {
  /** `clear()` and `load()` are one item each, without a key: `{ reason, sequence }`. */
  readonly removals$: Observable<RemoteRemoval<V>>
}

/** Each method of the table, returning a promise; except `transact`, which takes other arguments. */
export type AskedMethods<V> = {
  [M in keyof Pick<Cache<V>, Exclude<RemoteMethod, 'transact'>>]: Cache<V>[M] extends (
    ...parameters: infer P
  ) => infer R
    ? (...parameters: P) => [R] extends [Promise<unknown>] ? R : Promise<R>
    : Promise<Cache<V>[M]>
}

/** What `namespace()` of a client returns. */
export interface RemoteNamespace<V = unknown>
  extends Pick<RemoteCache<V>, NamespaceMember | typeof Symbol.asyncIterator> {
  namespace<W extends V = V>(prefix: string): RemoteNamespace<W>
}

/** Without `onProgress`: a function cannot be sent to the owner. */
type FileOptions = Omit<SaveOptions, 'onProgress'>

/**
 * A cache in another thread or process. It has the methods of `Cache`, each returning a promise, which always settles, even if
 * the owner, the connection or the client ends. With `fsync: 'always'` a change is acknowledged when it is durable.
 *
 * `entries()` transfers all entries in one message: for a large cache, `scan()` and `getMany()` of each portion block the
 * owner less. The loader of `getOrSet()` runs in the client; if the client ends during the load, all waiting calls reject with
 * `LOADER_GONE`.
 */
export interface RemoteCache<V = unknown> extends AskedMethods<V>, StreamsOf<V> {
  /** Takes a list of steps, because a function cannot be sent: one turn, one frame, all or nothing. Returns one result per step. */
  transact<const S extends readonly Step<V>[]>(steps: S): Promise<StepsResults<V, S>>
  /** A view whose methods return promises. It is freed by its `close()`, and with this client. */
  at(when: When, options?: AtOptions): Promise<RemoteView<V>>
  /** Wrong arguments throw at once; other errors come at the first `next()`. */
  history(key: string, options?: KeyHistoryOptions): AsyncIterableIterator<PastChange<V>>
  diff(from: When, to?: When, options?: DiffOptions): AsyncIterableIterator<Difference<Entry<V>>>
  changesSince(sequence: number): AsyncIterableIterator<PastChange<V>>
  save(path: string, options?: FileOptions): Promise<SaveResult>
  load(path: string, options?: FileOptions): Promise<LoadResult>
  /** Closes this client in any case, and not the cache. Earlier calls are completed and answered, except loads, which reject. */
  close(options?: CloseOptions): Promise<void>
  /** The steps of its `transact` are those that take keys. */
  namespace<W extends V = V>(prefix: string): RemoteNamespace<W>
  /** `entries()`. */
  [Symbol.asyncIterator](): AsyncIterableIterator<[string, V]>
  [Symbol.asyncDispose](): Promise<void>
}
