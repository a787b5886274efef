/** What a client of another thread's cache has beside the methods of every remote cache. */
import type { MessagePort } from 'node:worker_threads'
import type { SetOptions } from '../../../cache/arguments.js'
import type { Cache } from '../../../cache/cache.js'
import type { AskedMethods, RemoteCache, StreamsOf } from '../../remote/client/remote-cache.js'
import type { Step, StepsResults } from '../../remote/wire/steps.js'

export interface ThreadSetOptions extends SetOptions {
  /**
   * Buffers to give up instead of copying: they are empty in this thread afterwards, also when the cache refuses. A
   * `Uint8Array` or `Buffer` that is all of its buffer then travels without a copy.
   */
  transfer?: readonly ArrayBuffer[] | undefined
}

/** A cache that another thread owns. */
export interface ThreadCache<V = unknown> extends RemoteCache<V> {
  set(key: string, value: V, options?: ThreadSetOptions): Promise<boolean>
  /** Another port to the same cache, for a thread that this one starts. */
  share(): Promise<MessagePort>
}

type Blocking<M> = M extends (...parameters: infer P) => Promise<infer R> ? (...parameters: P) => R : Awaited<M>

/** The same methods, each blocking its thread; but for `getOrSet`, whose loader cannot wait either. */
export type BlockingMethods<V> = {
  [M in keyof Omit<AskedMethods<V>, 'getOrSet'>]: Blocking<ThreadCache<V>[M]>
}

/** A cache that another thread owns, for code that cannot await: every call blocks its thread until the owner has answered. */
export interface SyncThreadCache<V = unknown> extends BlockingMethods<V>, StreamsOf<V> {
  transact<const S extends readonly Step<V>[]>(steps: S): StepsResults<V, S>
  /** The loader runs in this thread, now: it is not async. */
  getOrSet(key: string, loader: (key: string) => V, options?: Parameters<Cache<V>['getOrSet']>[2]): V
  share(): MessagePort
  close(): void
  [Symbol.dispose](): void
}
