/** The asynchronous client: each method's arguments become a request, and the answer its promise. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { MessagePort } from 'node:worker_threads'
import type { Cache } from '../../../cache/cache.js'
import type { Duration } from '../../../cache/duration.js'
import type { CacheError } from '../../../errors.js'
import { storeValue } from '../../../values/encode.js'
import { checkGreeting, checkPort } from '../../threads/client/greeting.js'
import { encodeThreadCall } from '../../threads/client/transfer.js'
import { GREETING, LOAD, OP, type RemoteMethod, type StreamKind } from '../wire/protocol.js'
import { toWireError } from '../wire/wire-error.js'
import { toWire } from '../wire/wire-value.js'
import { encodeCall } from './encode-call.js'
import { addMethods, takesOnlyKey } from './methods.js'
import type { AskedMethods, ThreadCache, ThreadSetOptions } from './remote-cache.js'
import { RemoteStreams } from './remote-streams.js'
import { Line } from './requests.js'

type Loader = (key: string) => unknown

// Those that follow from the table of methods.
export interface ThreadClient<V> extends Pick<ThreadCache<V>, keyof AskedMethods<V> | 'transact'> {}

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: a loop below defines them, and a test looks for each of them
export class ThreadClient<V> implements ThreadCache<V> {
  readonly #line: Line
  readonly #streams: RemoteStreams<V>
  readonly changes$: ThreadCache<V>['changes$']
  readonly expirations$: ThreadCache<V>['expirations$']
  readonly evictions$: ThreadCache<V>['evictions$']
  readonly stats$: ThreadCache<V>['stats$']
  readonly lifecycle$: ThreadCache<V>['lifecycle$']
  /** Loaders of getOrSet requests under way, by request. */
  readonly #loaders = new Map<number, { key: string; loader: Loader }>()
  /** The request in whose loader the present code runs. */
  readonly #loading = new AsyncLocalStorage<number>()
  #closing: Promise<void> | undefined
  #isEnded = false

  private constructor(port: MessagePort) {
    this.#line = new Line(port, this.#take, (error) => {
      this.#isEnded = true
      this.#streams.end(error)
    })
    const isEnded = () => this.#isEnded
    this.#streams = new RemoteStreams({
      subscribe: (id, kind, pattern, fail) => this.#subscribe(id, kind, pattern, fail),
      tell: (code, ...parameters) => this.#line.tell(code, ...parameters),
      get isEnded() {
        return isEnded()
      },
    })
    this.changes$ = this.#streams.changes$
    this.expirations$ = this.#streams.expirations$
    this.evictions$ = this.#streams.evictions$
    this.stats$ = this.#streams.stats$
    this.lifecycle$ = this.#streams.lifecycle$
  }

  static async connect<V>(port: MessagePort): Promise<ThreadClient<V>> {
    const client = new ThreadClient<V>(port)
    try {
      client.#line.tell(OP.sync, client.#line.bell.memory)
      await client.#line.ask(OP.hello, [])
    } catch (error) {
      client.#line.end()
      throw error
    }
    return client
  }

  static {
    addMethods<ThreadClient<unknown>>(ThreadClient.prototype, (name) => {
      const code = OP[name]
      return takesOnlyKey(name)
        ? function (key) {
            return typeof key === 'string' ? this.#line.askOfKey(code, key) : this.#ask(name, [key])
          }
        : function (...parameters) {
            return this.#ask(name, parameters)
          }
    })
  }

  #ask(name: RemoteMethod, parameters: readonly unknown[]): Promise<unknown> {
    try {
      return this.#line.ask(OP[name], encodeThreadCall(name, parameters))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  // What is asked most takes a short way where its arguments are the plainest; all else, and all refusals, the general one.

  set(key: string, value: V, options?: ThreadSetOptions): Promise<boolean> {
    const isPlain = typeof key === 'string' && options === undefined && isSmall(value)
    const answer = isPlain ? this.#line.askOfKey(OP.put, key, value) : this.#ask('set', [key, value, options])
    return answer as Promise<boolean>
  }

  increment(key: string, by = 1, options?: { ttl?: Duration | undefined }): Promise<number> {
    const isPlain = typeof key === 'string' && Number.isFinite(by) && options === undefined
    const answer = isPlain ? this.#line.askOfKey(OP.add, key, by) : this.#ask('increment', [key, by, options])
    return answer as Promise<number>
  }

  readonly #take = (part: readonly [number, ...unknown[]]): void => {
    if (part[0] === LOAD) this.#load(part[1] as number)
    else if (part[0] === GREETING) this.#greet(part)
    else this.#streams.take(part)
  }

  #greet(part: readonly unknown[]): void {
    try {
      checkGreeting(part)
    } catch (error) {
      this.#line.end(error as CacheError, false)
    }
  }

  #subscribe(id: number, kind: StreamKind, pattern: string | undefined, fail: (error: unknown) => void): void {
    this.#line.ask(OP.subscribe, [id, kind, pattern]).catch((error: unknown) => {
      if (!this.#isEnded) fail(error) // else the stream has been ended
    })
  }

  watch(pattern: string) {
    return this.#streams.watch(pattern)
  }

  async getOrSet(...parameters: Parameters<Cache<V>['getOrSet']>): Promise<V> {
    const encoded = encodeCall('getOrSet', parameters)
    const [key, loader] = parameters
    const parent = this.#loading.getStore()
    encoded[1] = parent
    let request = 0
    try {
      const loaded = await this.#line.ask(
        OP.getOrSet,
        encoded,
        (id) => {
          request = id
          this.#loaders.set(id, { key, loader })
        },
        parent !== undefined,
      )
      return loaded as V
    } finally {
      this.#loaders.delete(request)
    }
  }

  /** The owner says that it is this request's turn to load. */
  async #load(id: number): Promise<void> {
    const found = this.#loaders.get(id)
    try {
      if (found === undefined) throw new Error('The call that the loader came with is over.')
      const value = await this.#loading.run(id, async () => found.loader(found.key))
      this.#line.tell(OP.loaded, id, toWire(storeValue(value, 'copy')))
    } catch (error) {
      this.#line.tell(OP.notLoaded, id, toWireError(error))
    }
  }

  share(): Promise<MessagePort> {
    return this.#line.ask(OP.share, []) as Promise<MessagePort>
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (this.#isEnded) return
    const answered = this.#line.ask(OP.bye, [])
    this.#line.isClosing = true
    await answered.catch(() => undefined) // closed it is, either way
    this.#line.end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function isSmall(value: unknown): value is null | boolean | number | string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null
}

/**
 * A client of the cache that `cache.share()` gave this port for. Resolves when the owner has answered.
 * @throws CacheClosedError when the cache is closed, or its thread has ended.
 */
export async function connect<V = unknown>(port: MessagePort): Promise<ThreadCache<V>> {
  checkPort(port)
  return ThreadClient.connect<V>(port)
}
