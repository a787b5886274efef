/**
 * `getOrSet` and `getOrSetMany` of a client. The owner says when this request's loader must run (owner/served-loads.ts). The loader is kept and run
 * here until it has answered.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { LoadOptions } from '../../../cache/loads/load-options.js'
import type { Loader } from '../../../cache/loads/loaded.js'
import { type LoadMany, type LoadOne, loaderOfMany, loaderOfOne } from '../../../cache/loads/local-loader.js'
import { OP } from '../wire/codes.js'
import { fromWireError, toWireError, type WireError } from '../wire/wire-error.js'
import { encodeLoad } from './encode-load.js'
import { LoadedHere, staleValuesOf } from './loaded-here.js'
import type { Requests } from './requests.js'

/** Runs a task in the async context of the call that passed the loader. */
type Within = <R>(task: () => R) => R

/** A loader that runs, and the one that has called what runs it. */
interface Running {
  readonly client: RemoteLoads
  readonly request: number
  readonly outer: Running | undefined
}

/** One for all clients: Node keeps each of them, and every promise and timer costs more with each. */
const running = new AsyncLocalStorage<Running>()

export class RemoteLoads {
  readonly #requests: Requests
  readonly #loadedHere = new LoadedHere()
  /** By request. */
  readonly #loaders = new Map<number, { loader: Loader; within: Within }>()
  /** Controllers of running loaders, by request. */
  readonly #controllers = new Map<number, AbortController>()

  constructor(requests: Requests) {
    this.#requests = requests
  }

  getOrSet(key: string, loader: LoadOne, options: LoadOptions<never> | undefined): Promise<unknown> {
    const { parameters, ttlOf, due } = encodeLoad('getOrSet', key, loader, options)
    const load = loaderOfOne(loader, ttlOf, this.#loadedHere.conversion)
    return this.#ask(OP.getOrSet, parameters, load, (answer) => {
      this.#reload(due([[key, answer]]), load)
      return this.#loadedHere.valueOf(answer)
    })
  }

  getOrSetMany(
    keys: Iterable<string>,
    loadMissing: LoadMany,
    options: LoadOptions<never> | undefined,
  ): Promise<Map<string, unknown>> {
    const { parameters, ttlOf, due } = encodeLoad('getOrSetMany', keys, loadMissing, options)
    const load = loaderOfMany(loadMissing, ttlOf, this.#loadedHere.conversion)
    return this.#ask(OP.getOrSetMany, parameters, load, (answer) => {
      const pairs = [...(answer as Iterable<[string, unknown]>)]
      this.#reload(due(pairs), load)
      return new Map(pairs.map(([key, each]) => [key, this.#loadedHere.valueOf(each)]))
    })
  }

  /** In the background: the owner emits what fails. */
  #reload(parameters: unknown[] | undefined, load: Loader): void {
    if (parameters !== undefined) this.#ask(OP.reload, parameters, load, () => undefined).catch(() => undefined)
  }

  /** The request whose loader made the current call. */
  get #loading(): number | undefined {
    let each = running.getStore()
    while (each !== undefined && each.client !== this) each = each.outer
    return each?.request
  }

  /** Makes a request whose second argument is a loader. */
  async #ask<T>(code: number, parameters: unknown[], loader: Loader, read: (answer: unknown) => T): Promise<T> {
    const parent = this.#loading
    parameters[1] = parent
    let request = 0
    const onId = (id: number) => {
      request = id
      this.#loaders.set(id, { loader, within: AsyncLocalStorage.snapshot() })
    }
    this.#loadedHere.begin()
    try {
      return read(await this.#requests.ask(code, parameters, onId, parent !== undefined))
    } finally {
      this.#loaders.delete(request)
      this.#loadedHere.end()
    }
  }

  /** The owner asks for this request's loader to run. If an owner before it has, what that run returns is not wanted any more. */
  async load(id: number, keys: readonly string[], stale: readonly unknown[], lease: number): Promise<void> {
    const found = this.#loaders.get(id)
    const controller = new AbortController()
    this.#controllers.get(id)?.abort(new Error('The owner of the cache that asked for this value is gone.'))
    this.#controllers.set(id, controller)
    try {
      if (found === undefined) throw new Error('The call that passed this loader has already ended.')
      const { loader, within } = found
      const context = { signal: controller.signal, staleValues: staleValuesOf(stale) }
      const loaded = await within(() =>
        running.run({ client: this, request: id, outer: running.getStore() }, () => loader(keys, context)),
      )
      this.#requests.tell(OP.loaded, id, this.#loadedHere.toWire(id, loaded), lease)
    } catch (error) {
      this.#requests.tell(OP.notLoaded, id, toWireError(error), lease)
    } finally {
      if (this.#controllers.get(id) === controller) this.#controllers.delete(id)
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
