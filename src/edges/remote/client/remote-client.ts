/**
 * The asynchronous client: each method's arguments become a request, and the answer its promise. Before: the caller. After:
 * encode-call and requests.
 */
import { type CloseOptions, checkForce, listOf, type SetOptions } from '../../../cache/arguments/arguments.js'
import type { Duration } from '../../../cache/arguments/duration.js'
import type { Cache, Entry } from '../../../cache/cache.js'
import type { AtOptions, Difference, DiffOptions, KeyHistoryOptions } from '../../../cache/history/looking-back.js'
import type { PastChange } from '../../../cache/history/past-change.js'
import { checkSequence, type When } from '../../../cache/history/when.js'
import { consoleText, INSPECT, type Inspect } from '../../../cache/lifecycle/console-text.js'
import type { LoadMany, LoadOne } from '../../../cache/loads/local-loader.js'
import { createNamespace } from '../../../cache/namespace.js'
import { OP, type RemoteMethod } from '../wire/codes.js'
import { ABORT, LOAD, type Part } from '../wire/protocol.js'
import type { Step } from '../wire/steps.js'
import { addMethods, takesOneKey } from './add-methods.js'
import { encodeCall } from './encode-call.js'
import { resultsWithin, stepsWithin } from './namespaced-steps.js'
import { atArguments, diffArguments, historyArguments } from './past-arguments.js'
import type { AskedMethods, RemoteCache, RemoteNamespace } from './remote-cache.js'
import { RemoteLoads } from './remote-loads.js'
import { openView, RemoteItems, type RemoteView } from './remote-past.js'
import { RemoteStreams } from './remote-streams.js'
import type { Requests } from './requests.js'

/** What closes a client, the first time: a symbol, because a client has no method that the cache does not have. */
export const SHUT: unique symbol = Symbol('shut')

// The methods that are derived from the table.
export interface RemoteClient<V> extends Pick<RemoteCache<V>, keyof AskedMethods<V> | 'transact'> {}

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: a loop below defines them, and a test looks for each of them
export class RemoteClient<V> implements RemoteCache<V> {
  readonly #requests: Requests
  readonly #encode: typeof encodeCall
  readonly #streams: RemoteStreams<V>
  readonly #loads: RemoteLoads
  readonly changes$: RemoteCache<V>['changes$']
  readonly expirations$: RemoteCache<V>['expirations$']
  readonly evictions$: RemoteCache<V>['evictions$']
  readonly removals$: RemoteCache<V>['removals$']
  readonly stats$: RemoteCache<V>['stats$']
  readonly lifecycle$: RemoteCache<V>['lifecycle$']
  #closing: Promise<void> | undefined
  #isEnded = false

  /** `encode` encodes the arguments of a call, for kinds of lines that support more than {@link encodeCall}. */
  constructor(requests: Requests, encode = encodeCall) {
    this.#requests = requests
    this.#encode = encode
    this.#loads = new RemoteLoads(requests)
    const isEnded = () => this.#isEnded
    this.#streams = new RemoteStreams({
      subscribe: (id, kind, pattern) => requests.ask(OP.subscribe, [id, kind, pattern]),
      resubscribe: (id, kind, pattern, after) => requests.ask(OP.resubscribe, [id, kind, pattern, after]),
      tell: (code, ...parameters) => requests.tell(code, ...parameters),
      get isEnded() {
        return isEnded()
      },
    })
    this.changes$ = this.#streams.changes$
    this.expirations$ = this.#streams.expirations$
    this.evictions$ = this.#streams.evictions$
    this.removals$ = this.#streams.removals$
    this.stats$ = this.#streams.stats$
    this.lifecycle$ = this.#streams.lifecycle$
    requests.onPart = (part: Part) => {
      if (part[0] === LOAD)
        this.#loads.load(part[1] as number, part[2] as string[], part[3] as unknown[], part[4] as number)
      else if (part[0] === ABORT) this.#loads.abort(part[1] as number, part[2])
      else this.#streams.take(part)
    }
    requests.onResume = () => this.#streams.resume()
    requests.onEnd = (error, reason) => {
      this.#isEnded = true
      this.#loads.end(reason)
      this.#streams.end(error)
    }
  }

  static {
    addMethods<RemoteClient<unknown>>(RemoteClient.prototype, (name) => {
      const code = name === 'get' ? OP.read : OP[name]
      return takesOneKey(name)
        ? function (key, options) {
            const isPlain = typeof key === 'string' && options === undefined
            return isPlain ? this.#requests.askByKey(code, key) : this.#ask(name, [key, options])
          }
        : function (...parameters) {
            return this.#ask(name, parameters)
          }
    })
  }

  #ask(name: RemoteMethod, parameters: readonly unknown[]): Promise<unknown> {
    try {
      return this.#requests.ask(OP[name], this.#encode(name, parameters))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  // The most common calls have a fast path for simple arguments; all other calls, and refusals, take the general path.

  set(key: string, value: V, options?: SetOptions): Promise<boolean> {
    const isPlain = typeof key === 'string' && options === undefined && isSmall(value)
    const answer = isPlain ? this.#requests.askByKey(OP.put, key, value) : this.#ask('set', [key, value, options])
    return answer as Promise<boolean>
  }

  increment(key: string, by = 1, options?: { ttl?: Duration | undefined }): Promise<number> {
    const isPlain = typeof key === 'string' && Number.isFinite(by) && options === undefined
    const answer = isPlain ? this.#requests.askByKey(OP.add, key, by) : this.#ask('increment', [key, by, options])
    return answer as Promise<number>
  }

  async getOrSet(...[key, loader, options]: Parameters<Cache<V>['getOrSet']>): Promise<V> {
    return this.#loads.getOrSet(key, loader as LoadOne, options) as Promise<V>
  }

  async getOrSetMany(...[keys, loadMissing, options]: Parameters<Cache<V>['getOrSetMany']>): Promise<Map<string, V>> {
    return (await this.#loads.getOrSetMany(keys, loadMissing as LoadMany, options)) as Map<string, V>
  }

  at(when: When, options?: AtOptions): Promise<RemoteView<V>> {
    return this.#openView(when, options, '')
  }

  history(key: string, options?: KeyHistoryOptions): AsyncIterableIterator<PastChange<V>> {
    return new RemoteItems<PastChange<V>>(this.#requests, 'history', historyArguments(key, options))
  }

  diff(from: When, to?: When, options?: DiffOptions): AsyncIterableIterator<Difference<Entry<V>>> {
    return new RemoteItems<Difference<Entry<V>>>(this.#requests, 'diff', diffArguments(from, to, options))
  }

  changesSince(sequence: number): AsyncIterableIterator<PastChange<V>> {
    const parameters = [checkSequence(sequence)]
    return new RemoteItems<PastChange<V>>(this.#requests, 'changesSince', parameters, (last) => [last.sequence])
  }

  watch(pattern: string) {
    return this.#streams.watch(pattern)
  }

  namespace<W extends V = V>(prefix: string): RemoteNamespace<W> {
    const view = createNamespace(this, prefix, {
      count: (full) => this.#requests.ask(OP.count, [full]),
      at: (when, given, full) => this.#openView(when, given, full),
      transact: async (steps, full) => {
        const list = listOf(steps, 'steps')
        const results = await this.transact(stepsWithin(list, full) as Step<V>[])
        return resultsWithin(list, results, full)
      },
    })
    return view as RemoteNamespace<W>
  }

  async #openView(when: unknown, options: unknown, prefix: string): Promise<RemoteView<V>> {
    return openView<V>(this.#requests, atArguments(when, options, prefix))
  }

  close(options: CloseOptions = {}): Promise<void> {
    try {
      checkForce(options) // a client is closed in any case
    } catch (error) {
      return Promise.reject(error)
    }
    this.#closing ??= this[SHUT]()
    return this.#closing
  }

  protected async [SHUT](): Promise<void> {
    if (this.#isEnded) return
    const answered = this.#requests.ask(OP.bye, [])
    this.#requests.isClosing = true
    await answered.catch(() => undefined) // the client is closed either way
    this.#requests.end()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<[string, V], void, undefined> {
    yield* await this.entries()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** What `console.log` prints. The owner's figures are in `stats()`. */
  [INSPECT](depth: number, options: object, inspect: Inspect): string {
    const state = this.#isEnded ? 'closed' : this.#requests.isClosing ? 'closing' : 'connected'
    return consoleText('RemoteCache', { state }, depth, options, inspect)
  }
}

function isSmall(value: unknown): value is null | boolean | number | string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null
}
