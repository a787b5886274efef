/** The options of `getOrSet`, `getOrSetMany` and `memoize`. Before: callers. After: `get-or-set.ts`. */
import { checkJitter, checkOptions } from './arguments.js'
import { type Duration, toMilliseconds } from './duration.js'
import { METHODS } from './methods.js'

export interface LoadOptions<V = unknown> {
  /**
   * The ttl of the loaded entry, or a function of the loaded value that returns it: `undefined` means the default, and 0 that the
   * value is not stored. Default: the cache's `ttl`.
   */
  ttl?: Duration | ((value: V) => Duration | undefined) | undefined
  /**
   * From 0 to 1: the ttl is drawn at random from `ttl × (1 − jitter)` to `ttl × (1 + jitter)`, so that entries loaded together do not
   * expire together. Default 0.
   */
  jitter?: number | undefined
  /** How long this call waits; the load continues after that. Default, and 0: as long as the load takes. */
  timeout?: Duration | undefined
  /** How long the load may take. After that its signal is aborted, waiting calls reject, and the next call loads again. */
  hardTimeout?: Duration | undefined
}

/** The second argument of a loader. */
export interface LoadContext {
  /** Aborted when no call can get the value any more, because `hardTimeout` has passed or the cache is closed. */
  readonly signal: AbortSignal
}

/** Checked options. */
export interface LoadCall {
  /** Undefined for the default, or if the ttl is a function. */
  readonly ttlMs: number | undefined
  readonly jitter: number
  readonly timeoutMs: number
  readonly hardTimeoutMs: number
}

/** A `ttl` that is a function. */
export type TtlOf = (value: never) => unknown

/** Separates a `ttl` that is a function from the checked options. Every option is read once. */
export function checkLoadOptions(options: LoadOptions<never>): { call: LoadCall; ttlOf: TtlOf | undefined } {
  const { ttl, jitter = 0, timeout = 0, hardTimeout = NEVER } = checkOptions(options, METHODS.getOrSet.options)
  const ttlOf = typeof ttl === 'function' ? ttl : undefined
  checkJitter(jitter)
  const call = {
    ttlMs: ttl === undefined || typeof ttl === 'function' ? undefined : toMilliseconds(ttl, 'ttl'),
    jitter,
    timeoutMs: toMilliseconds(timeout, 'timeout') || NEVER,
    hardTimeoutMs: toMilliseconds(hardTimeout, 'hardTimeout'),
  }
  return { call, ttlOf }
}

/** The ttl of a value in milliseconds; undefined for the default. */
export function ttlMsOf(value: unknown, ttlOf: TtlOf | undefined): number | undefined {
  const ttl = ttlOf?.(value as never)
  return ttl === undefined ? undefined : toMilliseconds(ttl, 'What ttl() returns')
}

const NEVER = Number.POSITIVE_INFINITY
