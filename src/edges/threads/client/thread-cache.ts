/** What a client of another thread's cache has in addition to the methods of every remote cache. */
import type { MessagePort } from 'node:worker_threads'
import type { CloseOptions, SetOptions } from '../../../cache/arguments/arguments.js'
import type { LoadContext, LoadManyContext, LoadOptions, ManyLoaded } from '../../../cache/loads/load-options.js'
import type { NamespaceMember } from '../../../cache/namespace.js'
import type { AskedMethods, RemoteCache, StreamsOf } from '../../remote/client/remote-cache.js'
import type { Step, StepsResults } from '../../remote/wire/steps.js'

export interface ThreadSetOptions extends SetOptions {
  /**
   * Buffers to move instead of copying: they are empty in this thread afterwards, even if the cache refuses the call. A
   * `Uint8Array` or `Buffer` that covers its whole buffer is then sent without a copy.
   */
  transfer?: readonly ArrayBuffer[] | undefined
}

/** A cache that another thread owns. */
export interface ThreadCache<V = unknown> extends RemoteCache<V> {
  set(key: string, value: V, options?: ThreadSetOptions): Promise<boolean>
  /** A new port to the same cache, for another thread. */
  share(): Promise<MessagePort>
}

type Blocking<M> = M extends (...parameters: infer P) => Promise<infer R> ? (...parameters: P) => R : Awaited<M>

/** The same methods, each blocking its thread; except `getOrSet` and `getOrSetMany`, whose loaders must be synchronous. */
export type BlockingMethods<V> = {
  [M in keyof Omit<AskedMethods<V>, 'getOrSet' | 'getOrSetMany'>]: Blocking<ThreadCache<V>[M]>
}

/** What a synchronous client does not have: `changesSince` waits for changes, and the others read in slices. */
type LookingBack = 'at' | 'history' | 'diff'

/** What `namespace()` of a synchronous client returns. */
export interface SyncNamespace<V = unknown>
  extends Pick<SyncThreadCache<V>, Exclude<NamespaceMember, LookingBack> | typeof Symbol.iterator> {
  namespace<W extends V = V>(prefix: string): SyncNamespace<W>
}

/** A cache that another thread owns, for code that cannot await: every call blocks its thread until the owner has answered. */
export interface SyncThreadCache<V = unknown> extends BlockingMethods<V>, StreamsOf<V> {
  transact<const S extends readonly Step<V>[]>(steps: S): StepsResults<V, S>
  /** The loader runs in this thread, during the call. It must be synchronous. */
  getOrSet(key: string, loader: (key: string, context: LoadContext<V>) => V, options?: LoadOptions<V>): V
  /** As `getOrSet`. */
  getOrSetMany(
    keys: Iterable<string>,
    loadMissing: (keys: string[], context: LoadManyContext<V>) => ManyLoaded<V>,
    options?: LoadOptions<V>,
  ): Map<string, V>
  namespace<W extends V = V>(prefix: string): SyncNamespace<W>
  share(): MessagePort
  close(options?: CloseOptions): void
  /** `entries()`. */
  [Symbol.iterator](): IterableIterator<[string, V]>
  [Symbol.dispose](): void
}
