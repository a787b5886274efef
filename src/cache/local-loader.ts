/**
 * The loaders of this thread's callers: what they return is checked and converted to its stored form. Before: `cache.ts` and
 * clients. After: `get-or-set.ts`, or the owner.
 */
import type { StoredValue } from '../core/model/stored-value.js'
import { ValueError } from '../errors.js'
import type { LoadContext, TtlOf } from './load-options.js'
import { ttlMsOf } from './load-options.js'
import { type Loaded, type LoadedByKey, type Loader, Unstorable } from './loads/loaded.js'

/** Converts values for the thread or process in which a loader runs. */
export interface Conversion {
  store(value: unknown, key: string): StoredValue
  /** Has what cannot be stored. */
  readonly owner: object
}

/** `getOrSet`: the loader starts on a later microtask, when the load is set up completely. */
export function loaderOfOne(
  loader: (key: string, context: LoadContext) => unknown,
  ttlOf: TtlOf | undefined,
  conversion: Conversion,
): Loader {
  return async ([key = ''], { signal }) => {
    await undefined
    return loadedOf([[key, await loader(key, { signal })]], ttlOf, conversion)
  }
}

/** Values as they are loaded, in stored form. `undefined` is not stored. */
export function loadedOf(
  pairs: Iterable<readonly [key: string, value: unknown]>,
  ttlOf: TtlOf | undefined,
  conversion: Conversion,
): LoadedByKey {
  const loaded = new Map<string, Loaded>()
  for (const [key, value] of pairs) {
    if (value === undefined) continue
    const ttlMs = ttlMsOf(value, ttlOf)
    loaded.set(key, { value: storable(key, value, conversion), ttlMs })
  }
  return loaded
}

function storable(key: string, value: unknown, { store, owner }: Conversion): Loaded['value'] {
  try {
    return store(value, key)
  } catch (error) {
    if (!(error instanceof ValueError)) throw error
    return new Unstorable(error, owner, value)
  }
}
