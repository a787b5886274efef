/** What a loader returns, in the form in which it is stored. Before: `local-loader.ts`, and clients. After: `loads.ts`. */
import type { StoredValue } from '../../core/model/stored-value.js'

/** Loads several keys. A key that is missing in the result is not stored; its calls resolve with `undefined`. */
export type Loader = (keys: readonly string[], context: LoaderContext) => Promise<LoadedByKey>

export interface LoaderContext {
  /** Aborted when no call can get a value of this loader any more. */
  readonly signal: AbortSignal
  /** The values that the loaded ones replace, by key. */
  readonly staleValues: ReadonlyMap<string, StoredValue>
}

export type LoadedByKey = ReadonlyMap<string, Loaded>

export interface Loaded {
  readonly value: StoredValue | Unstorable
  /** Instead of the ttl of the request. 0: the value is not stored. */
  readonly ttlMs: number | undefined
}

/** A value that cannot be stored. Calls in the thread or process that has it still get it. */
export class Unstorable {
  /** Why it cannot be stored: what other callers get. */
  readonly error: Error
  /** Who has the value. */
  readonly owner: object
  /** The value, or what the owner finds it by. */
  readonly value: unknown

  constructor(error: Error, owner: object, value: unknown) {
    this.error = error
    this.owner = owner
    this.value = value
  }
}

/** What a call gets for a key. */
export type Result = StoredValue | Unstorable | undefined
