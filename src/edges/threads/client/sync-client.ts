/** The synchronous client, for code in a worker that cannot await. */
import type { MessagePort } from 'node:worker_threads'
import { checkFunction, listOf } from '../../../cache/arguments.js'
import { consoleText, INSPECT, type Inspect } from '../../../cache/console-text.js'
import type { LoadOptions } from '../../../cache/load-options.js'
import type { LoadedByKey } from '../../../cache/loads/loaded.js'
import { loadedOf } from '../../../cache/local-loader.js'
import { createNamespace } from '../../../cache/namespace.js'
import { addMethods } from '../../remote/client/add-methods.js'
import { encodeCall } from '../../remote/client/encode-call.js'
import { LoadedHere, splitLoadOptions } from '../../remote/client/loaded-here.js'
import { resultsWithin, stepsWithin } from '../../remote/client/namespaced-steps.js'
import { RemoteStreams } from '../../remote/client/remote-streams.js'
import { OP } from '../../remote/wire/codes.js'
import type { Step } from '../../remote/wire/steps.js'
import { toWireError } from '../../remote/wire/wire-error.js'
import { checkPort } from '../line/check-port.js'
import { SyncRequests } from './sync-requests.js'
import type { BlockingMethods, SyncNamespace, SyncThreadCache } from './thread-cache.js'
import { encodeThreadCall } from './transfer.js'

type SyncLoader = (keys: readonly string[]) => LoadedByKey

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
  readonly #loadedHere = new LoadedHere()
  /** By request. */
  readonly #loaders = new Map<number, SyncLoader>()
  /** The getOrSet requests whose loaders are running, the innermost last. */
  readonly #loading: number[] = []

  constructor(port: MessagePort) {
    const requests = () => this.#requests
    this.#streams = new RemoteStreams({
      subscribe: (id, kind, pattern, fail) => {
        this.#requests.listen(true)
        try {
          this.#requests.ask(OP.subscribe, [id, kind, pattern])
        } catch (error) {
          fail(error)
        }
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
      load: (id, keys) => this.#run(id, keys),
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

  getOrSet(key: string, loader: (key: string) => V, options?: LoadOptions<V>): V {
    checkFunction(loader, 'loader')
    const { sent, ttlOf } = splitLoadOptions(options)
    const load: SyncLoader = ([only = '']) =>
      loadedOf([[only, atOnce(loader(only))]], ttlOf, this.#loadedHere.conversion)
    return this.#load(OP.getOrSet, encodeCall('getOrSet', [key, loader, sent]), load) as V
  }

  /** Makes a request whose second argument is a loader. */
  #load(code: number, parameters: unknown[], loader: SyncLoader): unknown {
    parameters[1] = this.#loading.at(-1)
    let request = 0
    this.#loadedHere.begin()
    try {
      const answer = this.#requests.ask(code, parameters, (id) => {
        request = id
        this.#loaders.set(id, loader)
      })
      return this.#loadedHere.valueOf(answer)
    } finally {
      this.#loaders.delete(request)
      this.#loadedHere.end()
    }
  }

  /** The owner asks for this request's loader to run. */
  #run(id: number, keys: readonly string[]): void {
    const loader = this.#loaders.get(id)
    this.#loading.push(id)
    try {
      if (loader === undefined) throw new Error('The call that passed this loader has already ended.')
      this.#requests.tell(OP.loaded, id, this.#loadedHere.toWire(id, loader(keys)))
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

/** A loader cannot wait: its thread is blocked. */
function atOnce(value: unknown): unknown {
  if (typeof (value as PromiseLike<unknown> | undefined)?.then !== 'function') return value
  Promise.resolve(value).catch(() => undefined) // the call is refused either way
  throw new TypeError(
    'The loader of a synchronous client must return the value, not a promise of it. Nothing was stored; use connect() for loaders that wait.',
  )
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
