/** The synchronous client, for code in a worker that cannot await. */
import type { MessagePort } from 'node:worker_threads'
import { type CloseOptions, checkForce, listOf } from '../../../cache/arguments/arguments.js'
import { consoleText, INSPECT, type Inspect } from '../../../cache/lifecycle/console-text.js'
import type { LoadContext, LoadManyContext, LoadOptions, ManyLoaded } from '../../../cache/loads/load-options.js'
import type { LoadedByKey, LoaderContext } from '../../../cache/loads/loaded.js'
import { contextOfMany, contextOfOne, loadedOf, pairsFor } from '../../../cache/loads/local-loader.js'
import { createNamespace } from '../../../cache/namespace.js'
import { addMethods } from '../../remote/client/add-methods.js'
import { encodeLoad } from '../../remote/client/encode-load.js'
import { LoadedHere, staleValuesOf } from '../../remote/client/loaded-here.js'
import { resultsWithin, stepsWithin } from '../../remote/client/namespaced-steps.js'
import { RemoteStreams } from '../../remote/client/remote-streams.js'
import { OP } from '../../remote/wire/codes.js'
import type { Step } from '../../remote/wire/steps.js'
import { toWireError } from '../../remote/wire/wire-error.js'
import { checkPort } from '../line/check-port.js'
import { SyncRequests } from './sync-requests.js'
import type { BlockingMethods, SyncNamespace, SyncThreadCache } from './thread-cache.js'
import { encodeThreadCall } from './transfer.js'

type SyncLoader = (keys: readonly string[], context: LoaderContext) => LoadedByKey

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
      load: (id, keys, stale, lease) => this.#run(id, keys, stale, lease),
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
        const isBareGet = name === 'get' && typeof parameters[0] === 'string' && parameters[1] === undefined
        return isBareGet
          ? this.#requests.ask(OP.read, [parameters[0]])
          : this.#requests.ask(code, encodeThreadCall(name, parameters))
      }
    })
  }

  getOrSet(key: string, loader: (key: string, context: LoadContext<V>) => V, options?: LoadOptions<V>): V {
    const { conversion } = this.#loadedHere
    const { parameters, ttlOf, due } = encodeLoad('getOrSet', key, loader, options)
    const load: SyncLoader = ([only = ''], context) => {
      const value = atOnce(loader(only, contextOfOne(only, context, conversion) as LoadContext<V>))
      return loadedOf([[only, value]], ttlOf, conversion)
    }
    return this.#load(OP.getOrSet, parameters, load, (answer) => {
      this.#reload(due([[key, answer]]), load)
      return this.#loadedHere.valueOf(answer) as V
    })
  }

  getOrSetMany(
    keys: Iterable<string>,
    loadMissing: (keys: string[], context: LoadManyContext<V>) => ManyLoaded<V>,
    options?: LoadOptions<V>,
  ): Map<string, V> {
    const { conversion } = this.#loadedHere
    const { parameters, ttlOf, due } = encodeLoad('getOrSetMany', keys, loadMissing, options)
    const load: SyncLoader = (missing, context) => {
      const pairs = atOnce(loadMissing([...missing], contextOfMany(context, conversion) as LoadManyContext<V>))
      return loadedOf(pairsFor(missing, pairs), ttlOf, conversion)
    }
    return this.#load(OP.getOrSetMany, parameters, load, (answer) => {
      const pairs = [...(answer as Iterable<[string, unknown]>)]
      this.#reload(due(pairs), load)
      return new Map(pairs.map(([key, each]) => [key, this.#loadedHere.valueOf(each) as V]))
    })
  }

  /** Within the call: the loader cannot run later, in a thread that is blocked. The owner emits what fails. */
  #reload(parameters: unknown[] | undefined, load: SyncLoader): void {
    if (parameters !== undefined) this.#load(OP.reload, parameters, load, () => undefined)
  }

  /** Makes a request whose second argument is a loader. */
  #load<T>(code: number, parameters: unknown[], loader: SyncLoader, read: (answer: unknown) => T): T {
    parameters[1] = this.#loading.at(-1)
    let request = 0
    this.#loadedHere.begin()
    try {
      const answer = this.#requests.ask(code, parameters, (id) => {
        request = id
        this.#loaders.set(id, loader)
      })
      return read(answer)
    } finally {
      this.#loaders.delete(request)
      this.#loadedHere.end()
    }
  }

  /** The owner asks for this request's loader to run. */
  #run(id: number, keys: readonly string[], stale: readonly unknown[], lease: number): void {
    const loader = this.#loaders.get(id)
    const { signal } = new AbortController() // no message is read while the loader runs
    this.#loading.push(id)
    try {
      if (loader === undefined) throw new Error('The call that passed this loader has already ended.')
      this.#requests.tell(
        OP.loaded,
        id,
        this.#loadedHere.toWire(id, loader(keys, { signal, staleValues: staleValuesOf(stale) })),
        lease,
      )
    } catch (error) {
      this.#requests.tell(OP.notLoaded, id, toWireError(error), lease)
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

  close(options: CloseOptions = {}): void {
    checkForce(options) // a client is closed in any case
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
