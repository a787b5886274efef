/** The synchronous client, for code in a worker that cannot await. */
import type { MessagePort } from 'node:worker_threads'
import { listOf } from '../../../cache/arguments.js'
import type { Cache } from '../../../cache/cache.js'
import { consoleText, INSPECT, type Inspect } from '../../../cache/console-text.js'
import { createNamespace } from '../../../cache/namespace.js'
import { storeValue } from '../../../values/encode.js'
import { addMethods } from '../../remote/client/add-methods.js'
import { encodeCall } from '../../remote/client/encode-call.js'
import { resultsWithin, stepsWithin } from '../../remote/client/namespaced-steps.js'
import { RemoteStreams } from '../../remote/client/remote-streams.js'
import { OP } from '../../remote/wire/codes.js'
import type { Step } from '../../remote/wire/steps.js'
import { toWireError } from '../../remote/wire/wire-error.js'
import { toWire } from '../../remote/wire/wire-value.js'
import { checkPort } from '../line/check-port.js'
import { SyncRequests } from './sync-requests.js'
import type { BlockingMethods, SyncNamespace, SyncThreadCache } from './thread-cache.js'
import { encodeThreadCall } from './transfer.js'

type Loader = (key: string) => unknown

// The methods that are derived from the table.
export interface SyncThreadClient<V> extends BlockingMethods<V>, Pick<SyncThreadCache<V>, 'transact'> {}

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: a loop below defines them, and a test looks for each of them
export class SyncThreadClient<V> implements SyncThreadCache<V> {
  readonly #requests: SyncRequests
  readonly #streams: RemoteStreams<V>
  readonly changes$: SyncThreadCache<V>['changes$']
  readonly expirations$: SyncThreadCache<V>['expirations$']
  readonly evictions$: SyncThreadCache<V>['evictions$']
  readonly removals$: SyncThreadCache<V>['removals$']
  readonly stats$: SyncThreadCache<V>['stats$']
  readonly lifecycle$: SyncThreadCache<V>['lifecycle$']
  readonly #loaders = new Map<number, { key: string; loader: Loader }>()
  /** The getOrSet requests whose loaders are running, the innermost last. */
  readonly #loading: number[] = []

  constructor(port: MessagePort) {
    const requests = () => this.#requests
    this.#streams = new RemoteStreams({
      subscribe: (id, kind, pattern) => {
        this.#requests.listen(true)
        return this.#requests.ask(OP.subscribe, [id, kind, pattern])
      },
      tell: (code, ...parameters) => {
        this.#requests.tell(code, ...parameters)
        if (code === OP.unsubscribe) this.#requests.listen(this.#streams.isObserved)
      },
      get isEnded() {
        return requests().ended !== undefined
      },
    })
    this.#requests = new SyncRequests(port, {
      load: (id) => this.#load(id),
      take: (part) => this.#streams.take(part),
      end: (error) => this.#streams.end(error),
    })
    this.changes$ = this.#streams.changes$
    this.expirations$ = this.#streams.expirations$
    this.evictions$ = this.#streams.evictions$
    this.removals$ = this.#streams.removals$
    this.stats$ = this.#streams.stats$
    this.lifecycle$ = this.#streams.lifecycle$
  }

  watch(pattern: string) {
    return this.#streams.watch(pattern)
  }

  static {
    addMethods<SyncThreadClient<unknown>>(SyncThreadClient.prototype, (name) => {
      const code = OP[name]
      return function (...parameters) {
        return this.#requests.ask(code, encodeThreadCall(name, parameters))
      }
    })
  }

  getOrSet(key: string, loader: (key: string) => V, options?: Parameters<Cache<V>['getOrSet']>[2]): V {
    const encoded = encodeCall('getOrSet', [key, loader, options])
    encoded[1] = this.#loading.at(-1)
    let request = 0
    try {
      const loaded = this.#requests.ask(OP.getOrSet, encoded, (id) => {
        request = id
        this.#loaders.set(id, { key, loader })
      })
      return loaded as V
    } finally {
      this.#loaders.delete(request)
    }
  }

  #load(id: number): void {
    const found = this.#loaders.get(id)
    this.#loading.push(id)
    try {
      if (found === undefined) throw new Error('The call that passed this loader has already ended.')
      const value = found.loader(found.key)
      if (typeof (value as PromiseLike<unknown> | undefined)?.then === 'function') {
        Promise.resolve(value).catch(() => undefined) // the call is refused either way
        throw new TypeError(
          'The loader of a synchronous client must return the value, not a promise of it. Nothing was stored; use connect() for loaders that wait.',
        )
      }
      this.#requests.tell(OP.loaded, id, value === undefined ? undefined : toWire(storeValue(value, 'copy')))
    } catch (error) {
      this.#requests.tell(OP.notLoaded, id, toWireError(error))
    } finally {
      this.#loading.pop()
    }
  }

  namespace<W extends V = V>(prefix: string): SyncNamespace<W> {
    const view = createNamespace(this, prefix, {
      count: (full) => this.#requests.ask(OP.count, [full]),
      transact: (steps, full) => {
        const list = listOf(steps, 'steps')
        return resultsWithin(list, this.transact(stepsWithin(list, full) as Step<V>[]), full)
      },
    })
    return view as SyncNamespace<W>
  }

  share(): MessagePort {
    return this.#requests.ask(OP.extra, ['share', undefined]) as MessagePort
  }

  close(): void {
    if (this.#requests.ended !== undefined) return
    try {
      this.#requests.ask(OP.bye, [])
    } catch {
      // The client is closed either way.
    }
    this.#requests.end()
  }

  [Symbol.iterator](): IterableIterator<[string, V]> {
    return this.entries()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** What `console.log` prints. The owner's figures are in `stats()`. */
  [INSPECT](depth: number, options: object, inspect: Inspect): string {
    const state = this.#requests.ended === undefined ? 'connected' : 'closed'
    return consoleText('SyncThreadCache', { state }, depth, options, inspect)
  }
}

/**
 * A synchronous client of the cache whose `share()` returned this port. It has the same methods, which block this thread until
 * the owner has answered. The owner must be in another thread, and must not be waiting for this one.
 * @throws CacheError `WOULD_DEADLOCK` in the thread that owns the cache; CacheClosedError when the cache is closed.
 */
export function connectSync<V = unknown>(port: MessagePort): SyncThreadCache<V> {
  checkPort(port)
  return new SyncThreadClient<V>(port)
}
