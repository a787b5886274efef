/** The synchronous client, for code in a worker that cannot await. */
import type { MessagePort } from 'node:worker_threads'
import { checkFunction, checkKey, checkOptions } from '../../../cache/arguments.js'
import { type Duration, toMilliseconds } from '../../../cache/duration.js'
import { storeValue } from '../../../values/encode.js'
import { LOAD, OP, type OperationName, type Part } from '../wire/protocol.js'
import { toWireError } from '../wire/wire-error.js'
import { toWire } from '../wire/wire-value.js'
import { checkPort } from './greeting.js'
import { RemoteStreams } from './remote-streams.js'
import { REQUESTS } from './requests.js'
import { SyncLine } from './sync-line.js'
import type { SyncThreadCache } from './thread-cache.js'

type Loader = (key: string) => unknown

export class SyncThreadClient {
  readonly line: SyncLine
  readonly streams: RemoteStreams<unknown>
  readonly #loaders = new Map<number, { key: string; loader: Loader }>()
  /** The getOrSet requests in whose loaders the present code runs, the innermost last. */
  readonly #loading: number[] = []

  constructor(port: MessagePort) {
    this.line = new SyncLine(port, this.#take, (error) => this.streams?.end(error))
    const { line } = this
    this.streams = new RemoteStreams({
      subscribe: (id, kind, pattern, fail) => {
        line.listen(true)
        try {
          line.ask(OP.subscribe, [id, kind, pattern])
        } catch (error) {
          fail(error)
        }
      },
      tell: (code, ...parameters) => {
        line.tell(code, ...parameters)
        if (code === OP.unsubscribe) line.listen(this.streams.isObserved)
      },
      get isEnded() {
        return line.ended !== undefined
      },
    })
    for (const name of ['changes$', 'expirations$', 'evictions$', 'stats$', 'lifecycle$'] as const) {
      Object.defineProperty(this, name, { value: this.streams[name], enumerable: true })
    }
  }

  readonly #take = (part: Part): void => {
    if (part[0] === LOAD) this.#load(part[1] as number)
    else this.streams.take(part)
  }

  watch(pattern: string) {
    return this.streams.watch(pattern)
  }

  get size(): unknown {
    return this.line.ask(OP.size, [])
  }

  get recovery(): unknown {
    return this.line.ask(OP.recovery, [])
  }

  getOrSet(key: string, loader: Loader, options: { ttl?: Duration; timeout?: Duration } = {}): unknown {
    checkKey(key)
    checkFunction(loader, 'loader')
    checkOptions(options)
    const { ttl, timeout } = options
    if (ttl !== undefined) toMilliseconds(ttl, 'ttl')
    if (timeout !== undefined) toMilliseconds(timeout, 'timeout')
    let request = 0
    try {
      return this.line.ask(OP.getOrSet, [key, ttl, timeout, this.#loading.at(-1)], (id) => {
        request = id
        this.#loaders.set(id, { key, loader })
      })
    } finally {
      this.#loaders.delete(request)
    }
  }

  #load(id: number): void {
    const found = this.#loaders.get(id)
    this.#loading.push(id)
    try {
      if (found === undefined) throw new Error('The call that the loader came with is over.')
      const value = found.loader(found.key)
      if (typeof (value as PromiseLike<unknown> | undefined)?.then === 'function') {
        Promise.resolve(value).catch(() => undefined) // it is refused here, whatever becomes of it
        throw new TypeError(
          'The loader of a synchronous client must return the value, not a promise of it. Nothing was stored; use connect() for loaders that wait.',
        )
      }
      this.line.tell(OP.loaded, id, toWire(storeValue(value, 'copy')))
    } catch (error) {
      this.line.tell(OP.notLoaded, id, toWireError(error))
    } finally {
      this.#loading.pop()
    }
  }

  close(): void {
    if (this.line.ended !== undefined) return
    try {
      this.line.ask(OP.bye, [])
    } catch {
      // Closed it is, either way.
    }
    this.line.end()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

for (const [name, encode] of Object.entries(REQUESTS)) {
  if (name === 'size' || name === 'recovery') continue
  const code = OP[name as OperationName]
  const value = function (this: SyncThreadClient, a: unknown, b: unknown, c: unknown): unknown {
    return this.line.ask(code, (encode as (...parameters: unknown[]) => unknown[])(a, b, c))
  }
  Object.defineProperty(value, 'name', { value: name })
  Object.defineProperty(SyncThreadClient.prototype, name, { value, writable: true, configurable: true })
}

/**
 * A synchronous client of the cache that `cache.share()` gave this port for: the same methods, which block this thread until
 * the owner has answered. The owner must be another thread, and must not itself wait for this one.
 * @throws CacheError `WOULD_DEADLOCK` in the thread that owns the cache; CacheClosedError when the cache is closed.
 */
export function connectSync<V = unknown>(port: MessagePort): SyncThreadCache<V> {
  checkPort(port)
  return new SyncThreadClient(port) as unknown as SyncThreadCache<V>
}
