/** The asynchronous client: each method's arguments become a request, and the answer its promise. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { MessagePort } from 'node:worker_threads'
import { checkFunction, checkKey, checkOptions } from '../../../cache/arguments.js'
import { type Duration, toMilliseconds } from '../../../cache/duration.js'
import type { CacheError } from '../../../errors.js'
import { storeValue } from '../../../values/encode.js'
import { GREETING, LOAD, OP, type OperationName, type StreamKind } from '../wire/protocol.js'
import { toWireError } from '../wire/wire-error.js'
import { toWire } from '../wire/wire-value.js'
import { checkGreeting, checkPort } from './greeting.js'
import { Line } from './line.js'
import { RemoteStreams } from './remote-streams.js'
import { REQUESTS } from './requests.js'
import type { ThreadCache } from './thread-cache.js'

type Loader = (key: string) => unknown

interface LoadOptions {
  ttl?: Duration | undefined
  timeout?: Duration | undefined
}

export class ThreadClient {
  readonly line: Line
  readonly streams: RemoteStreams<unknown>
  /** Loaders of getOrSet requests under way, by request. */
  readonly #loaders = new Map<number, { key: string; loader: Loader }>()
  /** The request in whose loader the present code runs. */
  readonly #loading = new AsyncLocalStorage<number>()
  #closing: Promise<void> | undefined
  #isEnded = false

  constructor(port: MessagePort) {
    this.line = new Line(port, this.#take, (error) => {
      this.#isEnded = true
      this.streams.end(error)
    })
    const self = this
    this.streams = new RemoteStreams({
      subscribe: (id, kind, pattern, fail) => this.#subscribe(id, kind, pattern, fail),
      tell: (code, ...parameters) => this.line.tell(code, ...parameters),
      get isEnded() {
        return self.#isEnded
      },
    })
    for (const name of ['changes$', 'expirations$', 'evictions$', 'stats$', 'lifecycle$'] as const) {
      Object.defineProperty(this, name, { value: this.streams[name], enumerable: true })
    }
  }

  readonly #take = (part: readonly [number, ...unknown[]]): void => {
    if (part[0] === LOAD) this.#load(part[1] as number)
    else if (part[0] === GREETING) this.#greet(part)
    else this.streams.take(part)
  }

  #greet(part: readonly unknown[]): void {
    try {
      checkGreeting(part)
    } catch (error) {
      this.line.end(error as CacheError, false)
    }
  }

  #subscribe(id: number, kind: StreamKind, pattern: string | undefined, fail: (error: unknown) => void): void {
    this.line.ask(OP.subscribe, [id, kind, pattern]).catch((error: unknown) => {
      if (!this.#isEnded) fail(error) // else the stream has been ended
    })
  }

  watch(pattern: string) {
    return this.streams.watch(pattern)
  }

  get size(): Promise<unknown> {
    return this.line.ask(OP.size, [])
  }

  get recovery(): Promise<unknown> {
    return this.line.ask(OP.recovery, [])
  }

  async getOrSet(key: string, loader: Loader, options: LoadOptions = {}): Promise<unknown> {
    checkKey(key)
    checkFunction(loader, 'loader')
    checkOptions(options)
    const { ttl, timeout } = options
    if (ttl !== undefined) toMilliseconds(ttl, 'ttl')
    if (timeout !== undefined) toMilliseconds(timeout, 'timeout')
    const parent = this.#loading.getStore()
    let request = 0
    try {
      return await this.line.ask(
        OP.getOrSet,
        [key, ttl, timeout, parent],
        (id) => {
          request = id
          this.#loaders.set(id, { key, loader })
        },
        parent !== undefined,
      )
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
      this.line.tell(OP.loaded, id, toWire(storeValue(value, 'copy')))
    } catch (error) {
      this.line.tell(OP.notLoaded, id, toWireError(error))
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (this.#isEnded) return
    const answered = this.line.ask(OP.bye, [])
    this.line.isClosing = true
    await answered.catch(() => undefined) // closed it is, either way
    this.line.end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

for (const [name, encode] of Object.entries(REQUESTS)) {
  if (name === 'size' || name === 'recovery') continue
  const code = OP[name as OperationName]
  const value = function (this: ThreadClient, a: unknown, b: unknown, c: unknown): Promise<unknown> {
    try {
      return this.line.ask(code, (encode as (...parameters: unknown[]) => unknown[])(a, b, c))
    } catch (error) {
      return Promise.reject(error)
    }
  }
  Object.defineProperty(value, 'name', { value: name })
  Object.defineProperty(ThreadClient.prototype, name, { value, writable: true, configurable: true })
}

type Method = (this: ThreadClient, ...parameters: unknown[]) => Promise<unknown>

/** What is asked most takes the short way, where its arguments are the plainest; all others, and all refusals, the general one. */
function shorten(name: OperationName, make: (general: Method) => Method): void {
  const general = Object.getOwnPropertyDescriptor(ThreadClient.prototype, name)?.value as Method
  const value = make(general)
  Object.defineProperty(value, 'name', { value: name })
  Object.defineProperty(ThreadClient.prototype, name, { value, writable: true, configurable: true })
}

for (const name of ['get', 'peek', 'has', 'exists', 'delete', 'ttl', 'persist'] as const) {
  const code = OP[name]
  shorten(name, (general) => {
    return function (key) {
      return typeof key === 'string' ? this.line.askOfKey(code, key) : general.call(this, key)
    }
  })
}

shorten('increment', (general) => {
  return function (key, by = 1, options) {
    const isPlain = typeof key === 'string' && Number.isFinite(by) && options === undefined
    return isPlain ? this.line.askOfKey(OP.add, key, by as number) : general.call(this, key, by, options)
  }
})

shorten('set', (general) => {
  return function (key, value, options) {
    const isPlain = typeof key === 'string' && options === undefined && isSmall(value)
    return isPlain ? this.line.askOfKey(OP.put, key, value) : general.call(this, key, value, options)
  }
})

function isSmall(value: unknown): value is null | boolean | number | string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null
}

/**
 * A client of the cache that `cache.share()` gave this port for. Resolves when the owner has answered.
 * @throws CacheClosedError when the cache is closed, or its thread has ended.
 */
export async function connect<V = unknown>(port: MessagePort): Promise<ThreadCache<V>> {
  checkPort(port)
  const client = new ThreadClient(port)
  try {
    client.line.tell(OP.sync, client.line.bell.memory)
    await client.line.ask(OP.hello, [])
  } catch (error) {
    client.line.end()
    throw error
  }
  return client as unknown as ThreadCache<V>
}
