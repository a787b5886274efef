/** The function of a `transact`, which must not be async: a turn cannot wait. Before: `cache.ts`. */
import { checkFunction } from './arguments.js'

/** @throws TypeError unless it is a function, or if it is an async one. */
export function checkSynchronous(fn: () => unknown): void {
  checkFunction(fn, 'fn')
  if (Object.prototype.toString.call(fn) === '[object AsyncFunction]') throw asyncTransaction()
}

/** @throws TypeError if the function returns a promise. */
export function callSynchronously<T>(fn: () => T): T {
  const result = fn()
  if (typeof (result as PromiseLike<unknown> | undefined)?.then !== 'function') return result
  Promise.resolve(result).catch(() => undefined) // the call is refused either way
  throw asyncTransaction()
}

function asyncTransaction(): TypeError {
  return new TypeError(
    'transact() needs a synchronous function; this one is async (or returned a promise), and a turn cannot wait. Nothing was changed: await first, then call transact().',
  )
}
