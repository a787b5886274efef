/** The options of `getOrSet`, `getOrSetMany` and `memoize`. Before: callers. After: `get-or-set.ts`. */
import { NO_TAGS } from '../../core/model/extension.js'
import type { StoredValue } from '../../core/model/stored-value.js'
import { checkJitter, checkOptions, checkRefresh, checkTags } from '../arguments/arguments.js'
import { type Duration, toMilliseconds } from '../arguments/duration.js'
import { METHODS } from '../arguments/methods.js'

export interface LoadOptions<V = unknown> {
  /**
   * The ttl of the loaded entry, or a function of the loaded value that returns it: `undefined` means the default, and 0 that the
   * value is not stored. Default: the cache's `ttl`.
   */
  ttl?: Duration | ((value: V) => Duration | undefined) | undefined
  /**
   * How long the loaded entry stays after its ttl, stale: a call then gets the stale value at once and starts one reload in the
   * background; with `timeout` it waits for the reload, and gets the stale value if that fails or takes longer. Not with a ttl
   * that never ends; a ttl that is a function may return one, and its entry is never stale. Default: it does not stay.
   */
  stale?: Duration | undefined
  /** The tags of the loaded entry. `deleteTag` and `expireTag` also overrule a load that was started with one of them. */
  tags?: readonly string[] | undefined
  /**
   * From 0 to 1: the ttl is drawn at random from `ttl × (1 − jitter)` to `ttl × (1 + jitter)`, so that entries loaded together do not
   * expire together. Default 0.
   */
  jitter?: number | undefined
  /**
   * From 0 to 1: a hit after this share of the ttl has passed starts one reload in the background. The ttl is that of this call; if it
   * is a function, that of the stored value. Default: never.
   */
  refresh?: number | undefined
  /**
   * How long this call waits; the load continues after that. Default, and 0: not at all if there is a stale value, otherwise as
   * long as the load takes.
   */
  timeout?: Duration | undefined
  /**
   * How long the load may take. After that its signal is aborted, waiting calls get the stale value or reject, and the next call
   * loads again.
   */
  hardTimeout?: Duration | undefined
}

/** The second argument of a loader. */
export interface LoadContext<V = unknown> {
  /** Aborted when no call can get the value any more, because `hardTimeout` has passed or the cache is closed. */
  readonly signal: AbortSignal
  /** The value that the loaded one will replace, if the cache still has one: it is stale, or due for a `refresh`. */
  readonly staleValue: V | undefined
}

/** The second argument of a loader of several keys. */
export interface LoadManyContext<V = unknown> {
  /** Aborted when no call can get any of the values any more. */
  readonly signal: AbortSignal
  /** The values that the loaded ones will replace, by key. */
  readonly staleValues: ReadonlyMap<string, V>
}

/** What a loader of several keys returns: a Map, or pairs of keys and values. */
export type ManyLoaded<V> = Iterable<readonly [key: string, value: V]>

/** Checked options. */
export interface LoadCall {
  /** Undefined for the default, or if the ttl is a function. */
  readonly ttlMs: number | undefined
  /** Whether the ttl is a function, here or at a client. */
  readonly isTtlByValue: boolean
  readonly staleMs: number | undefined
  readonly tags: readonly string[]
  /** The ttl of a stored value, if the ttl is a function. Undefined for the default. */
  readonly ttlMsOf?: (value: StoredValue) => number | undefined
  readonly jitter: number
  readonly refresh: number | undefined
  readonly timeoutMs: number
  readonly hardTimeoutMs: number
}

/** A `ttl` that is a function. */
export type TtlOf = (value: never) => unknown

/** Separates a `ttl` that is a function from the checked options. Every option is read once. */
export function checkLoadOptions(options: LoadOptions<never>): { call: LoadCall; ttlOf: TtlOf | undefined } {
  const {
    ttl,
    stale,
    tags,
    jitter = 0,
    refresh,
    timeout = 0,
    hardTimeout = NEVER,
  } = checkOptions(options, METHODS.getOrSet.options)
  const ttlOf = typeof ttl === 'function' ? ttl : undefined
  checkJitter(jitter)
  checkRefresh(refresh)
  const call = {
    ttlMs: ttl === undefined || typeof ttl === 'function' ? undefined : toMilliseconds(ttl, 'ttl'),
    isTtlByValue: ttlOf !== undefined,
    staleMs: stale === undefined ? undefined : toMilliseconds(stale, 'stale'),
    tags: checkTags(tags) ?? NO_TAGS,
    jitter,
    refresh,
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
