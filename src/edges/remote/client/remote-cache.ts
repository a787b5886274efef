/** The methods of a cache as whoever is connected to it has them. What each does is said at `Cache`; here is what differs. */
import type { MessagePort } from 'node:worker_threads'
import type { Observable } from 'rxjs'
import type { LifecycleState } from '../../../cache/actor/lifecycle.js'
import type { SetOptions } from '../../../cache/arguments.js'
import type { Cache } from '../../../cache/cache.js'
import type { LoadResult, SaveOptions, SaveResult } from '../../../cache/save-options.js'
import type { Change } from '../../../cache/streams/change.js'
import type { Eviction } from '../../../cache/streams/evictions.js'
import type { Expiration } from '../../../cache/streams/expirations.js'
import type { Stats } from '../../../cache/streams/stats.js'
import type { RemoteMethod } from '../wire/protocol.js'
import type { Step, StepsResults } from '../wire/steps.js'

export interface ThreadSetOptions extends SetOptions {
  /**
   * Buffers to give up instead of copying: they are empty in this thread afterwards, also when the cache refuses. A
   * `Uint8Array` or `Buffer` that is all of its buffer then travels without a copy.
   */
  transfer?: readonly ArrayBuffer[] | undefined
}

/** A progress function would have to be called across threads. */
type FileOptions = Omit<SaveOptions, 'onProgress'>

export interface ThreadStreams<V> {
  readonly changes$: Observable<Change<V>>
  readonly expirations$: Observable<Expiration<V>>
  readonly evictions$: Observable<Eviction<V>>
  readonly stats$: Observable<Stats>
  readonly lifecycle$: Observable<LifecycleState>
  watch(pattern: string): Observable<Change<V>>
}

/** Each method of the table as one that is waited for, but for `transact`, which means something else. */
export type AskedMethods<V> = {
  [M in keyof Pick<Cache<V>, Exclude<RemoteMethod, 'transact'>>]: Cache<V>[M] extends (
    ...parameters: infer P
  ) => infer R
    ? (...parameters: P) => [R] extends [Promise<unknown>] ? R : Promise<R>
    : Promise<Cache<V>[M]>
}

/**
 * A cache that is elsewhere. Every method is that of `Cache` and returns a promise, which is settled whatever happens to the
 * owner, the connection or the client. With `fsync: 'always'` a change is acknowledged when it is durable.
 *
 * `entries()` brings all of them in one message: for a large cache, `keys()` and `getMany()` in portions hold the owner up less.
 * The loader of `getOrSet()` runs here. If its client ends while it does, all who wait are refused with `LOADER_GONE`.
 */
export interface RemoteCache<V = unknown> extends AskedMethods<V>, ThreadStreams<V> {
  /** A list of steps instead of a function, which could not travel: one turn, one frame, all or nothing. One result per step. */
  transact<const S extends readonly Step<V>[]>(steps: S): Promise<StepsResults<V, S>>
  save(path: string, options?: FileOptions): Promise<SaveResult>
  load(path: string, options?: FileOptions): Promise<LoadResult>
  /** Closes this client, not the cache. What was asked before is done and answered; loads that it waits for are refused. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** A cache that another thread owns. */
export interface ThreadCache<V = unknown> extends RemoteCache<V> {
  set(key: string, value: V, options?: ThreadSetOptions): Promise<boolean>
  /** Another port to the same cache, for a thread that this one starts. */
  share(): Promise<MessagePort>
}

type Returned<M> = M extends (...parameters: infer P) => Promise<infer R> ? (...parameters: P) => R : Awaited<M>

/** The same, each blocking its thread until the owner has answered, but for `getOrSet`, whose loader cannot wait either. */
export type BlockingMethods<V> = {
  [M in keyof Omit<AskedMethods<V>, 'getOrSet'>]: Returned<ThreadCache<V>[M]>
}

/** A cache that another thread owns, for code that cannot await: every call blocks its thread until the owner has answered. */
export interface SyncThreadCache<V = unknown> extends BlockingMethods<V>, ThreadStreams<V> {
  transact<const S extends readonly Step<V>[]>(steps: S): StepsResults<V, S>
  /** The loader runs in this thread, now: it is not async. */
  getOrSet(key: string, loader: (key: string) => V, options?: Parameters<Cache<V>['getOrSet']>[2]): V
  share(): MessagePort
  close(): void
  [Symbol.dispose](): void
}
