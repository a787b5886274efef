/** `memoize`: a function whose results are cached under a key made of its arguments. Before: callers. After: `getOrSet` of a cache or client. */
import { checkFunction, checkOptions } from '../arguments/arguments.js'
import { METHODS } from '../arguments/methods.js'
import type { LoadContext, LoadOptions } from './load-options.js'

/** What `memoize` needs: a cache, a client whose methods return promises, or a namespace of either. */
export interface MemoizeTarget<V> {
  getOrSet(
    key: string,
    loader: (key: string, context: LoadContext<V>) => V | PromiseLike<V>,
    options?: LoadOptions<V>,
  ): Promise<V>
  delete(key: string): boolean | Promise<boolean>
}

/** The options of `memoize`: those of `getOrSet`, and `key`. */
export interface MemoizeOptions<A extends readonly unknown[], R = unknown> extends LoadOptions<R> {
  /** Returns the key of the result for these arguments. */
  key: (...args: A) => string
}

/** What `memoize` returns. */
export interface Memoized<A extends readonly unknown[], R> {
  /** The cached result, or that of the function, as `getOrSet` resolves with it. */
  (...args: A): Promise<R>
  /** Removes the cached result for these arguments. Resolves with whether there was one. */
  delete(...args: A): Promise<boolean>
}

/**
 * Returns `fn` with the same arguments, its results cached: one call at a time for each key.
 * @throws TypeError if `fn` or `key` is not a function, or for an option that does not exist.
 */
export function memoize<V, A extends readonly unknown[], R extends V>(
  cache: MemoizeTarget<V>,
  fn: (...args: A) => R | PromiseLike<R>,
  options: MemoizeOptions<A, NoInfer<R>>,
): Memoized<A, R> {
  checkFunction(fn, 'fn')
  const { key, ...loadOptions } = checkOptions(options, ['key', ...METHODS.getOrSet.options])
  checkFunction(key, 'key')
  const call = async (...args: A) =>
    (await cache.getOrSet(key(...args), () => fn(...args), loadOptions as LoadOptions<unknown>)) as R
  return Object.assign(call, { delete: async (...args: A) => cache.delete(key(...args)) })
}
