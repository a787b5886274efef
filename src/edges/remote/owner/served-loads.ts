/**
 * `getOrSet` for a client. The cache decides whose loader runs, as it does for callers in its own thread (cache/loads/loads.ts). The
 * loader that it calls for a client asks the client to run its own (client/remote-loads.ts); the owner's side of these loads is
 * kept here. If the client ends before it has answered, the load fails with `LOADER_GONE` for all waiting calls; the next call
 * loads again.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { randomInt } from 'node:crypto'
import { listOf } from '../../../cache/arguments/arguments.js'
import {
  type Loaded,
  type LoadedByKey,
  type LoaderContext,
  type Result,
  Unstorable,
} from '../../../cache/loads/loaded.js'
import { CacheError, describe } from '../../../errors.js'
import { ABORT, LOAD, type Part } from '../wire/protocol.js'
import { fromWireError, toWireError } from '../wire/wire-error.js'
import { toStored, toWire, UNSENT, type Wire } from '../wire/wire-value.js'

interface Lease {
  /** No other one has it, of another owner neither: a client that asks again may answer what that owner asked of it. */
  number: number
  keys: readonly string[]
  resolve(loaded: LoadedByKey): void
  reject(error: unknown): void
  /** Runs a call in the async context of the loader, so that a load that would wait for itself is refused. */
  within: <R>(call: () => R) => R
}

export class ServedLoads {
  /** By number of the request that passed the loader. */
  readonly #leases = new Map<number, Lease>()
  readonly #post: (part: Part) => void
  #nextLease = randomInt(2 ** 47)

  constructor(post: (part: Part) => void) {
    this.#post = post
  }

  /**
   * Called by the cache, as the loader, and at once: the client is asked before its request is answered. Fails if the number is in
   * use: only one of the two could be answered.
   */
  lease(keys: readonly string[], id: number, { signal, staleValues }: LoaderContext): Promise<LoadedByKey> {
    return new Promise((resolve, reject) => {
      if (this.#leases.has(id)) throw new TypeError(`Request ${id} is already loading. Nothing was stored.`)
      const number = this.#nextLease++
      this.#leases.set(id, { number, keys, resolve, reject, within: AsyncLocalStorage.snapshot() })
      const stale = keys.flatMap((key) => (staleValues.has(key) ? [key, toWire(staleValues.get(key))] : []))
      this.#post([LOAD, id, keys, stale, number])
      signal.addEventListener('abort', () => {
        if (this.#take(id, number) !== undefined) this.#post([ABORT, id, toWireError(signal.reason)])
      })
    })
  }

  within<R>(parent: unknown, call: () => R): R {
    const lease = this.#leases.get(parent as number)
    return lease === undefined ? call() : lease.within(call)
  }

  /** The client's loader has returned: [key, value, ttl in milliseconds, key, …]. */
  loaded(id: number, rows: unknown, number: unknown): void {
    const lease = this.#take(id, number)
    try {
      lease?.resolve(this.#read(id, listOf(rows, 'What was loaded')))
    } catch (error) {
      lease?.reject(error)
    }
  }

  #read(id: number, rows: readonly unknown[]): LoadedByKey {
    const loaded = new Map<string, Loaded>()
    for (let at = 0; at < rows.length; at += 3) {
      const [key, wire, ttlMs] = rows.slice(at, at + 3) as [string, Wire, number | undefined]
      if (ttlMs !== undefined && !(ttlMs >= 0)) throw new RangeError('A client sent a wrong ttl. Nothing was stored.')
      const [tag, ...rest] = Array.isArray(wire) ? wire : [undefined]
      const value = tag === UNSENT ? new Unstorable(fromWireError(rest) as Error, this, id) : toStored(wire)
      loaded.set(key, { value, ttlMs })
    }
    return loaded
  }

  /** The answer to a call: a value that could not be sent here is still at the client. */
  toWire(key: string, result: Result): Wire {
    if (!(result instanceof Unstorable)) return toWire(result)
    if (result.owner !== this) throw result.error
    return [UNSENT, result.value, key, ...toWireError(result.error)]
  }

  failed(id: number, wire: unknown, number: unknown): void {
    const lease = this.#take(id, number)
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

  #take(id: number, number: unknown): Lease | undefined {
    const lease = this.#leases.get(id)
    if (lease?.number !== number) return undefined
    this.#leases.delete(id)
    return lease
  }

  /** Called when the client has gone. */
  abandon(): void {
    for (const { keys, reject } of this.#leases.values()) {
      reject(new CacheError('LOADER_GONE', `The client that was loading ${keys.map(describe).join(', ')} is gone`))
    }
    this.#leases.clear()
  }
}
