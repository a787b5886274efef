/** Checks what callers give, before anything is changed. */
import { describe } from '../errors.js'
import { type Duration, EPOCH_MS_MAX, toMilliseconds } from './duration.js'

/** How `set` and `setMany` store. */
export interface SetOptions {
  /** How long the entry lives; the cache's default `ttl` when neither this nor `expiresAt` is given. */
  ttl?: Duration | undefined
  /** The moment at which it expires instead: a Date, or epoch milliseconds. Not together with `ttl`. */
  expiresAt?: Date | number | undefined
  /** Store only if the key is absent, or only if it is present. */
  only?: 'absent' | 'present' | undefined
}

export function checkKey(key: unknown): asserts key is string {
  if (typeof key !== 'string') throw noKey(key)
}

function noKey(key: unknown): TypeError {
  return new TypeError(`A key must be a string; ${describe(key)} is not. Nothing was changed.`)
}

export function checkKeys(keys: unknown): string[] {
  const list = listOf(keys, 'keys')
  for (const key of list) checkKey(key)
  return list as string[]
}

export function listOf(iterable: unknown, name: string): unknown[] {
  if (
    typeof iterable === 'string' ||
    typeof (iterable as Iterable<unknown> | undefined)?.[Symbol.iterator] !== 'function'
  ) {
    throw new TypeError(
      `${name} must be an iterable, like an array; ${describe(iterable)} is not. Nothing was changed.`,
    )
  }
  return [...(iterable as Iterable<unknown>)]
}

export function checkPattern(pattern: unknown): asserts pattern is string {
  if (typeof pattern !== 'string')
    throw new TypeError(`A pattern must be a string; ${describe(pattern)} is not. Nothing was changed.`)
}

export function checkFunction(value: unknown, name: string): void {
  if (typeof value !== 'function')
    throw new TypeError(`${name} must be a function; ${describe(value)} is not. Nothing was changed.`)
}

/** Returns the options; a caller takes them apart at once, so that a getter is read once. */
export function checkOptions<T>(options: T): T {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(
      `options must be an object, like { ttl: 10 }; ${describe(options)} is not. Nothing was changed.`,
    )
  }
  return options
}

export function checkOnly(only: unknown): void {
  if (only !== undefined && only !== 'absent' && only !== 'present') {
    throw new TypeError(`only must be 'absent' or 'present'; ${describe(only)} is neither. Nothing was changed.`)
  }
}

/** An increment: finite. */
export function checkBy(by: unknown): asserts by is number {
  if (typeof by !== 'number')
    throw new TypeError(`An increment must be a number; ${describe(by)} is not. Nothing was changed.`)
  if (!Number.isFinite(by)) throw new RangeError(`An increment must be finite; ${by} is not. Nothing was changed.`)
}

/** The deadline that `ttl` or `expiresAt` says, epoch milliseconds; `Infinity` for none. */
export function deadlineOf(
  ttl: SetOptions['ttl'],
  expiresAt: SetOptions['expiresAt'],
  defaultTtlMs: number,
  nowMs: number,
): number {
  if (expiresAt === undefined) return deadlineIn(ttl === undefined ? defaultTtlMs : toMilliseconds(ttl, 'ttl'), nowMs)
  if (ttl !== undefined) throw new TypeError('ttl and expiresAt cannot both be given: choose one. Nothing was changed.')
  const atMs = expiresAt instanceof Date ? expiresAt.getTime() : expiresAt
  if (typeof atMs !== 'number')
    throw new TypeError(
      `expiresAt must be a Date or epoch milliseconds; ${describe(expiresAt)} is neither. Nothing was changed.`,
    )
  if (atMs === Number.POSITIVE_INFINITY) return atMs
  if (!(Math.abs(atMs) <= EPOCH_MS_MAX))
    throw new RangeError(`expiresAt must be a valid moment; ${describe(expiresAt)} is not. Nothing was changed.`)
  return atMs
}

export function deadlineIn(ttlMs: number, nowMs: number): number {
  const deadlineMs = nowMs + ttlMs
  if (deadlineMs > EPOCH_MS_MAX && ttlMs !== Number.POSITIVE_INFINITY) {
    throw new RangeError(`ttl must end before the year 275760; ${ttlMs} ms from now does not. Nothing was changed.`)
  }
  return deadlineMs
}
