/**
 * The loaders of this thread's callers: what they return is checked and converted to its stored form. Before: `cache.ts` and
 * clients. After: `get-or-set.ts`, or the owner.
 */
import type { StoredValue } from '../../core/model/stored-value.js'
import { ValueError } from '../../errors.js'
import { checkKey, listOf } from '../arguments/arguments.js'
import { type LoadContext, type LoadManyContext, type TtlOf, ttlMsOf } from './load-options.js'
import { type Loaded, type LoadedByKey, type Loader, type LoaderContext, Unstorable } from './loaded.js'

/** Converts values for the thread or process in which a loader runs. */
export interface Conversion {
  store(value: unknown, key: string): StoredValue
  restore(stored: StoredValue): unknown
  /** Has what cannot be stored. */
  readonly owner: object
}

/** A loader of one key, as its caller passed it. */
export type LoadOne = (key: string, context: LoadContext<never>) => unknown

/** A loader of several keys, as its caller passed it. */
export type LoadMany = (keys: string[], context: LoadManyContext<never>) => unknown

/** It starts on a later microtask, when the load is set up completely. */
export function loaderOfOne(loader: LoadOne, ttlOf: TtlOf | undefined, conversion: Conversion): Loader {
  return async ([key = ''], context) => {
    await undefined
    return loadedOf([[key, await loader(key, contextOfOne(key, context, conversion))]], ttlOf, conversion)
  }
}

/** The same for several keys. */
export function loaderOfMany(loadMissing: LoadMany, ttlOf: TtlOf | undefined, conversion: Conversion): Loader {
  return async (keys, context) => {
    await undefined
    const pairs = await loadMissing([...keys], contextOfMany(context, conversion))
    return loadedOf(pairsFor(keys, pairs), ttlOf, conversion)
  }
}

export function contextOfOne(
  key: string,
  { signal, staleValues }: LoaderContext,
  { restore }: Conversion,
): LoadContext<never> {
  const stored = staleValues.get(key)
  return { signal, staleValue: stored === undefined ? undefined : (restore(stored) as never) }
}

export function contextOfMany({ signal, staleValues }: LoaderContext, { restore }: Conversion): LoadManyContext<never> {
  return { signal, staleValues: new Map([...staleValues].map(([key, stored]) => [key, restore(stored) as never])) }
}

/** What a loader of several keys returned, without the keys that it was not asked for. @throws TypeError unless it is pairs. */
export function pairsFor(keys: readonly string[], pairs: unknown): [string, unknown][] {
  const asked = new Set(keys)
  return listOf(pairs, 'What loadMissing() returns').flatMap((pair): [string, unknown][] => {
    const [key, value] = listOf(pair, 'A pair that loadMissing() returns')
    checkKey(key)
    return asked.has(key) ? [[key, value]] : []
  })
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
