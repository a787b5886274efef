/**
 * `getOrSet` of a client. The owner says when this request's loader must run (owner/served-loads.ts). The loader is kept and run
 * here until it has answered.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { checkFunction } from '../../../cache/arguments.js'
import type { LoadContext, LoadOptions } from '../../../cache/load-options.js'
import type { Loader } from '../../../cache/loads/loaded.js'
import { loaderOfOne } from '../../../cache/local-loader.js'
import { OP } from '../wire/codes.js'
import { fromWireError, toWireError, type WireError } from '../wire/wire-error.js'
import { encodeCall } from './encode-call.js'
import { LoadedHere, splitLoadOptions } from './loaded-here.js'
import type { Requests } from './requests.js'

/** Runs a task in the async context of the call that passed the loader. */
type Within = <R>(task: () => R) => R

export class RemoteLoads {
  readonly #requests: Requests
  readonly #loadedHere = new LoadedHere()
  /** By request. */
  readonly #loaders = new Map<number, { loader: Loader; within: Within }>()
  /** Controllers of running loaders, by request. */
  readonly #controllers = new Map<number, AbortController>()
  /** The request whose loader made the current call. */
  readonly #loading = new AsyncLocalStorage<number>()

  constructor(requests: Requests) {
    this.#requests = requests
  }

  async getOrSet(
    key: string,
    loader: (key: string, context: LoadContext) => unknown,
    options: LoadOptions<never> | undefined,
  ): Promise<unknown> {
    checkFunction(loader, 'loader')
    const { sent, ttlOf } = splitLoadOptions(options)
    const parameters = encodeCall('getOrSet', [key, loader, sent])
    const load = loaderOfOne(loader, ttlOf, this.#loadedHere.conversion)
    return this.#ask(OP.getOrSet, parameters, load)
  }

  /** Makes a request whose second argument is a loader. */
  async #ask(code: number, parameters: unknown[], loader: Loader): Promise<unknown> {
    const parent = this.#loading.getStore()
    parameters[1] = parent
    let request = 0
    const onId = (id: number) => {
      request = id
      this.#loaders.set(id, { loader, within: AsyncLocalStorage.snapshot() })
    }
    this.#loadedHere.begin()
    try {
      return this.#loadedHere.valueOf(await this.#requests.ask(code, parameters, onId, parent !== undefined))
    } finally {
      this.#loaders.delete(request)
      this.#loadedHere.end()
    }
  }

  /** The owner asks for this request's loader to run. */
  async load(id: number, keys: readonly string[]): Promise<void> {
    const found = this.#loaders.get(id)
    const controller = new AbortController()
    this.#controllers.set(id, controller)
    try {
      if (found === undefined) throw new Error('The call that passed this loader has already ended.')
      const { loader, within } = found
      const context = { signal: controller.signal, staleValues: new Map() }
      const loaded = await within(() => this.#loading.run(id, () => loader(keys, context)))
      this.#requests.tell(OP.loaded, id, this.#loadedHere.toWire(id, loaded))
    } catch (error) {
      this.#requests.tell(OP.notLoaded, id, toWireError(error))
    } finally {
      this.#controllers.delete(id)
    }
  }

  /** The result of this request's loader is no longer wanted. */
  abort(id: number, wire: unknown): void {
    this.#controllers.get(id)?.abort(fromWireError(wire as WireError))
  }

  /** No result is wanted any longer: the client or the owner has ended. */
  end(reason: Error): void {
    for (const controller of this.#controllers.values()) controller.abort(reason)
  }
}
