/** The methods of a cache as a worker has them. What each does is said at `Cache`; here is what differs. */
import type { MessagePort } from 'node:worker_threads'
import type { Observable } from 'rxjs'
import type { LifecycleState } from '../../../cache/actor/lifecycle.js'
import type { SetOptions } from '../../../cache/arguments.js'
import type { Duration } from '../../../cache/duration.js'
import type { LoadResult, SaveResult } from '../../../cache/save-options.js'
import type { Change } from '../../../cache/streams/change.js'
import type { Eviction } from '../../../cache/streams/evictions.js'
import type { Expiration } from '../../../cache/streams/expirations.js'
import type { Stats } from '../../../cache/streams/stats.js'
import type { CompactionReport, RecoveryReport } from '../../../durable/contract.js'
import type { SaveFormat } from '../../../files/format.js'
import type { Step, StepsResults } from '../wire/steps.js'

export interface ThreadSetOptions extends SetOptions {
  /**
   * Buffers to give up instead of copying: they are empty in this thread afterwards, also when the cache refuses. A
   * `Uint8Array` or `Buffer` that is all of its buffer then travels without a copy.
   */
  transfer?: readonly ArrayBuffer[] | undefined
}

interface IncrementOptions {
  ttl?: Duration | undefined
}

interface LoadOptions {
  ttl?: Duration | undefined
  timeout?: Duration | undefined
}

interface FileOptions {
  format?: SaveFormat | undefined
}

export interface ThreadStreams<V> {
  readonly changes$: Observable<Change<V>>
  readonly expirations$: Observable<Expiration<V>>
  readonly evictions$: Observable<Eviction<V>>
  readonly stats$: Observable<Stats>
  readonly lifecycle$: Observable<LifecycleState>
  watch(pattern: string): Observable<Change<V>>
}

/**
 * A cache that another thread owns. Every method is that of `Cache` and returns a promise, which is settled whatever happens
 * to the owner, the port or the client. With `fsync: 'always'` a change is acknowledged when it is durable.
 */
export interface ThreadCache<V = unknown> extends ThreadStreams<V> {
  get(key: string): Promise<V | undefined>
  peek(key: string): Promise<V | undefined>
  has(key: string): Promise<boolean>
  exists(key: string): Promise<boolean>
  set(key: string, value: V, options?: ThreadSetOptions): Promise<boolean>
  delete(key: string): Promise<boolean>
  increment(key: string, by?: number, options?: IncrementOptions): Promise<number>
  decrement(key: string, by?: number, options?: IncrementOptions): Promise<number>
  ttl(key: string): Promise<number | undefined>
  expire(key: string, ttl: Duration): Promise<boolean>
  persist(key: string): Promise<boolean>
  getMany(keys: Iterable<string>): Promise<(V | undefined)[]>
  setMany(entries: Iterable<readonly [string, V]>, options?: SetOptions): Promise<number>
  deleteMany(keys: Iterable<string>): Promise<number>
  keys(pattern?: string): Promise<string[]>
  deletePattern(pattern: string): Promise<number>
  /** All of them in one message: for a large cache, `keys()` and `getMany()` in portions hold the owner up less. */
  entries(pattern?: string): Promise<IterableIterator<[string, V]>>
  clear(): Promise<void>
  readonly size: Promise<number>
  stats(): Promise<Stats>
  cleanup(): Promise<number>
  /** A list of steps instead of a function, which could not travel: one turn, one frame, all or nothing. One result per step. */
  transact<const S extends readonly Step<V>[]>(steps: S): Promise<StepsResults<V, S>>
  /** The loader runs in this thread. If this thread ends while it does, all who wait are refused with `LOADER_GONE`. */
  getOrSet(key: string, loader: (key: string) => V | PromiseLike<V>, options?: LoadOptions): Promise<V>
  flush(): Promise<number>
  compact(): Promise<CompactionReport>
  save(path: string, options?: FileOptions): Promise<SaveResult>
  load(path: string, options?: FileOptions): Promise<LoadResult>
  readonly recovery: Promise<RecoveryReport>
  /** Another port to the same cache, for a thread that this one starts. */
  share(): Promise<MessagePort>
  /** Closes this client, not the cache. What was asked before is done and answered; loads that it waits for are refused. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

type Returned<M> = M extends (...parameters: infer P) => Promise<infer R> ? (...parameters: P) => R : Awaited<M>

/** The same, for code that cannot await: every call blocks its thread until the owner has answered. */
export type SyncThreadCache<V = unknown> = ThreadStreams<V> & {
  [M in Exclude<
    keyof ThreadCache<V>,
    keyof ThreadStreams<V> | 'transact' | 'getOrSet' | typeof Symbol.asyncDispose
  >]: Returned<ThreadCache<V>[M]>
} & {
  transact<const S extends readonly Step<V>[]>(steps: S): StepsResults<V, S>
  /** The loader runs in this thread, now: it is not async. */
  getOrSet(key: string, loader: (key: string) => V, options?: LoadOptions): V
  [Symbol.dispose](): void
}
