/**
 * `getOrSet` of a client. The owner says when this request's loader must run (owner/served-loads.ts). The loader is kept and run
 * here until it has answered.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { LoadContext } from '../../../cache/loads/loads.js'
import { storeValue } from '../../../values/encode.js'
import { OP } from '../wire/codes.js'
import { fromWireError, toWireError, type WireError } from '../wire/wire-error.js'
import { toWire } from '../wire/wire-value.js'
import { encodeCall } from './encode-call.js'
import type { Requests } from './requests.js'

/** Runs a task in the async context of the call that passed the loader. */
type Within = <R>(task: () => R) => R
type Loader = (key: string, context: LoadContext) => unknown

export class RemoteLoads {
  readonly #requests: Requests
  /** By request. */
  readonly #loaders = new Map<number, { key: string; loader: Loader; within: Within }>()
  /** Controllers of running loaders, by request. */
  readonly #controllers = new Map<number, AbortController>()
  /** The request whose loader made the current call. */
  readonly #loading = new AsyncLocalStorage<number>()

  constructor(requests: Requests) {
    this.#requests = requests
  }

  async getOrSet(key: string, loader: Loader, options: object | undefined): Promise<unknown> {
    const parameters = encodeCall('getOrSet', [key, loader, options])
    const parent = this.#loading.getStore()
    parameters[1] = parent
    let request = 0
    const onId = (id: number) => {
      request = id
      this.#loaders.set(id, { key, loader, within: AsyncLocalStorage.snapshot() })
    }
    try {
      return await this.#requests.ask(OP.getOrSet, parameters, onId, parent !== undefined)
    } finally {
      this.#loaders.delete(request)
    }
  }

  /** The owner asks for this request's loader to run. */
  async load(id: number): Promise<void> {
    const found = this.#loaders.get(id)
    const controller = new AbortController()
    this.#controllers.set(id, controller)
    try {
      if (found === undefined) throw new Error('The call that passed this loader has already ended.')
      const value = await found.within(() => this.#loading.run(id, async () => found.loader(found.key, controller)))
      this.#requests.tell(OP.loaded, id, value === undefined ? undefined : toWire(storeValue(value, 'copy')))
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
