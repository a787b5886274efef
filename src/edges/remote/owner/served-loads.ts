/**
 * `getOrSet` for a client. The cache decides whose loader runs, as it does for callers in its own thread (cache/loads/loads.ts). The
 * loader that it calls for a client asks the client to run its own (client/remote-loads.ts); the owner's side of these loads is
 * kept here. If the client ends before it has answered, the load fails with `LOADER_GONE` for all waiting calls; the next call
 * loads again.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Loaded } from '../../../cache/loads/loads.js'
import { CacheError, describe } from '../../../errors.js'
import { ABORT, LOAD, type Part } from '../wire/protocol.js'
import { fromWireError, toWireError } from '../wire/wire-error.js'
import { toStored } from '../wire/wire-value.js'

interface Lease {
  key: string
  resolve(value: Loaded): void
  reject(error: unknown): void
  /** Runs a call in the async context of the loader, so that a load that would wait for itself is refused. */
  within: <R>(call: () => R) => R
}

export class ServedLoads {
  /** By number of the getOrSet request. */
  readonly #leases = new Map<number, Lease>()
  readonly #post: (part: Part) => void

  constructor(post: (part: Part) => void) {
    this.#post = post
  }

  /** Called by the cache, as the loader. Fails if the number is in use: only one of the two could be answered. */
  lease(key: string, id: number, signal: AbortSignal): Promise<Loaded> {
    return new Promise((resolve, reject) => {
      if (this.#leases.has(id)) throw new TypeError(`Request ${id} is already loading. Nothing was stored.`)
      this.#leases.set(id, { key, resolve, reject, within: AsyncLocalStorage.snapshot() })
      this.#post([LOAD, id])
      signal.addEventListener('abort', () => {
        if (this.#take(id) !== undefined) this.#post([ABORT, id, toWireError(signal.reason)])
      })
    })
  }

  within<R>(parent: unknown, call: () => R): R {
    const lease = this.#leases.get(parent as number)
    return lease === undefined ? call() : lease.within(call)
  }

  loaded(id: number, wire: unknown): void {
    const lease = this.#take(id)
    try {
      lease?.resolve(wire === undefined ? undefined : toStored(wire))
    } catch (error) {
      lease?.reject(error)
    }
  }

  failed(id: number, wire: unknown): void {
    const lease = this.#take(id)
    try {
      lease?.reject(fromWireError(wire as unknown[]))
    } catch {
      lease?.reject(
        new CacheError('INTERNAL', 'The loader failed with an error that could not be sent', {
          consequence: 'Nothing was stored.',
          advice: 'Throw an Error that structuredClone() accepts.',
        }),
      )
    }
  }

  #take(id: number): Lease | undefined {
    const lease = this.#leases.get(id)
    this.#leases.delete(id)
    return lease
  }

  /** Called when the client has gone. */
  abandon(): void {
    for (const { key, reject } of this.#leases.values()) {
      reject(new CacheError('LOADER_GONE', `The client that was loading ${describe(key)} is gone`))
    }
    this.#leases.clear()
  }
}
