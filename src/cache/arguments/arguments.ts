/** Checks arguments, before anything is changed. */
import { types } from 'node:util'
import { endOfStale, refuseEndless } from '../../core/decide/stale.js'
import { EPOCH_MS_MAX } from '../../core/model/expiry.js'
import { describe, mustBe } from '../../errors.js'
import { type Duration, toMilliseconds } from './duration.js'
import { METHODS } from './methods.js'
import { suggest } from './suggestion.js'

/** How `set` and `setMany` store. */
export interface SetOptions {
  /**
   * How long the entry lives. Without this and `expiresAt`, the cache's default `ttl`. `'keep'`: an entry that is there keeps
   * its deadline, and a new one gets the default `ttl`.
   */
  ttl?: Duration | 'keep' | undefined
  /**
   * When the entry expires: a Date, or epoch milliseconds. Not together with `ttl`. If this is not in the future, nothing is
   * stored, and an entry that is there is deleted.
   */
  expiresAt?: Date | number | undefined
  /**
   * How long the entry stays after its ttl, stale: then only `get` with `stale: true` and `getOrSet` find it. It needs a ttl that
   * ends. Default: it does not stay.
   */
  stale?: Duration | undefined
  /** For `deleteTag` and `expireTag`. They replace the tags that the entry had. Default none. */
  tags?: readonly string[] | undefined
  /** Store only if the key is absent, or only if it is present. */
  only?: 'absent' | 'present' | undefined
}

/** An entry that `setMany` stores. Its own options replace the shared ones as a whole. */
export type EntryToSet<V> = readonly [key: string, value: V, options?: SetOptions | undefined]

/** How `get` reads. */
export interface GetOptions {
  /** Whether to return the value of a stale entry, too. It counts as a hit. Default false. */
  stale?: boolean | undefined
}

/** The last argument of `deleteTag` and `expireTag`. */
export interface TagOptions {
  /** Only entries whose keys begin with this: what a namespace passes. Default all. */
  prefix?: string | undefined
}

export interface CloseOptions {
  /** Close even if something cannot be written, which is then lost. Default false. */
  force?: boolean | undefined
}

export function checkForce(options: CloseOptions): boolean {
  const { force = false } = checkOptions(options, METHODS.close.options)
  if (typeof force !== 'boolean') throw new TypeError(mustBe('force', 'true or false', force))
  return force
}

export function checkKey(key: unknown): asserts key is string {
  if (typeof key !== 'string') throw notAKey(key)
}

/** A function of its own, to keep checkKey() small enough for V8 to inline. */
function notAKey(key: unknown): TypeError {
  return new TypeError(mustBe('A key', 'a string', key))
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
    throw new TypeError(mustBe(name, 'an iterable, like an array', iterable))
  }
  return [...(iterable as Iterable<unknown>)]
}

/** A ttl, where `'keep'` is one. */
export function checkTtl(ttl: unknown): void {
  if (ttl !== 'keep') toMilliseconds(ttl, 'ttl')
}

export function checkPattern(pattern: unknown): asserts pattern is string {
  if (typeof pattern !== 'string') throw new TypeError(mustBe('A pattern', 'a string', pattern))
}

export function checkFunction(value: unknown, name: string): void {
  if (typeof value !== 'function') throw new TypeError(mustBe(name, 'a function', value))
}

export function checkClock(clock: unknown): void {
  if (!hasMethods(clock, ['now', 'setTimeout', 'clearTimeout']))
    throw new TypeError(mustBe('clock', '{ now(), setTimeout(), clearTimeout() }', clock))
}

export function hasMethods(value: unknown, names: readonly string[]): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
  )
}

/**
 * Returns the options, for callers to destructure at once, so that a getter is read only once. `names`: those that exist.
 * A name that does not exist is refused, because a misspelt option that is ignored does harm without a sign.
 */
export function checkOptions<T>(options: T, names: readonly string[]): T {
  if (typeof options !== 'object' || options === null) throw notOptions(options)
  checkNames(options, names, 'option')
  return options
}

function notOptions(options: unknown): TypeError {
  return new TypeError(mustBe('options', 'an object, like { ttl: 10 }', options))
}

/** Refuses an own enumerable property, even one that is `undefined`, that is not among the names. */
export function checkNames(object: object, names: readonly string[], kind: 'option' | 'argument'): void {
  for (const name in object) {
    if (!names.includes(name) && Object.hasOwn(object, name)) throw unknownName(name, names, kind)
  }
}

function unknownName(name: string, names: readonly string[], kind: string): TypeError {
  const nearest = suggest(name, names)
  const advice = nearest === undefined ? '' : ` Did you mean ${nearest}?`
  return new TypeError(
    `${describe(name)} is not an ${kind} here.${advice} The ${kind}s are ${names.join(', ')}. Nothing was changed.`,
  )
}

export function checkOnly(only: unknown): void {
  if (only !== undefined && only !== 'absent' && only !== 'present') throw notOnly(only)
}

function notOnly(only: unknown): TypeError {
  return new TypeError(mustBe('only', "'absent' or 'present'", only))
}

/**
 * Returns how long an entry stays stale, in milliseconds; undefined if it does not.
 * @throws RangeError if its ttl never ends, or the entry would expire too late.
 */
export function staleFor(stale: unknown, ttlEndsAtMs: number): number | undefined {
  if (stale === undefined) return undefined
  const staleMs = toMilliseconds(stale, 'stale')
  refuseEndless(ttlEndsAtMs)
  endOfStale(ttlEndsAtMs, staleMs)
  return staleMs
}

/** Returns a copy without repetitions. */
export function checkTags(tags: unknown): readonly string[] | undefined {
  if (tags === undefined) return undefined
  if (!Array.isArray(tags)) throw new TypeError(mustBe('tags', 'an array of strings', tags))
  const list = [...tags] // read once
  for (const tag of list) if (typeof tag !== 'string') throw new TypeError(mustBe('A tag', 'a string', tag))
  return [...new Set(list)]
}

/** What `stale` may be where a value is read. */
export function checkWantsStale(stale: unknown): asserts stale is boolean | undefined {
  if (stale !== undefined && typeof stale !== 'boolean') throw new TypeError(mustBe('stale', 'true or false', stale))
}

/** The share of a ttl by which it may be drawn longer or shorter. */
export function checkJitter(jitter: unknown): void {
  if (jitter === undefined) return
  if (typeof jitter !== 'number') throw new TypeError(mustBe('jitter', 'a number from 0 to 1', jitter))
  if (!(jitter >= 0 && jitter <= 1)) throw new RangeError(mustBe('jitter', 'a number from 0 to 1', jitter))
}

/** The share of a ttl after which a hit starts a reload. */
export function checkRefresh(refresh: unknown): void {
  if (refresh === undefined) return
  if (typeof refresh !== 'number') throw new TypeError(mustBe('refresh', 'a number from 0 to 1', refresh))
  if (!(refresh >= 0 && refresh <= 1)) throw new RangeError(mustBe('refresh', 'a number from 0 to 1', refresh))
}

export function checkBy(by: unknown): asserts by is number {
  if (typeof by !== 'number') throw new TypeError(mustBe('An increment', 'a number', by))
  if (!Number.isFinite(by)) throw new RangeError(mustBe('An increment', 'finite', by))
}

/** The deadline that a `set` asks for; with `ttl: 'keep'`, that of a new entry. */
export function deadlineToSet(
  ttl: SetOptions['ttl'],
  expiresAt: SetOptions['expiresAt'],
  defaultTtlMs: number,
  nowMs: number,
): number {
  if (ttl !== 'keep') return deadlineOf(ttl, expiresAt, defaultTtlMs, nowMs)
  if (expiresAt !== undefined) throw exclude('ttl', 'expiresAt')
  return deadlineIn(defaultTtlMs, nowMs)
}

export function exclude(one: string, other: string): TypeError {
  return new TypeError(`${one} and ${other} exclude each other. Nothing was changed: pass one of them.`)
}

/** The deadline that `ttl` or `expiresAt` asks for, in epoch milliseconds; `Infinity` for none. */
export function deadlineOf(
  ttl: Duration | undefined,
  expiresAt: SetOptions['expiresAt'],
  defaultTtlMs: number,
  nowMs: number,
): number {
  if (expiresAt === undefined) return deadlineIn(ttl === undefined ? defaultTtlMs : toMilliseconds(ttl, 'ttl'), nowMs)
  if (ttl !== undefined) throw exclude('ttl', 'expiresAt')
  return deadlineAt(expiresAt, nowMs)
}

/** A function of its own, because V8 only inlines short ones. */
function deadlineAt(expiresAt: Date | number, nowMs: number): number {
  const atMs = types.isDate(expiresAt) ? expiresAt.getTime() : expiresAt // of any realm: tests run in vm contexts
  if (typeof atMs !== 'number') throw new TypeError(mustBe('expiresAt', 'a Date or epoch milliseconds', expiresAt))
  if (atMs === Number.POSITIVE_INFINITY) return atMs
  if (!(Math.abs(atMs) <= EPOCH_MS_MAX)) throw new RangeError(mustBe('expiresAt', 'a valid time', expiresAt))
  if (typeof expiresAt === 'number' && atMs < SECONDS_MAX && nowMs >= SECONDS_MAX && atMs * 1_000 > nowMs) {
    throw new RangeError(
      `expiresAt must be in milliseconds; ${atMs} looks like seconds. Pass ${atMs} * 1000, or a Date. Nothing was changed.`,
    )
  }
  return atMs
}

/** As epoch seconds: the year 5138. As epoch milliseconds: 1973. */
const SECONDS_MAX = 1e11

export function deadlineIn(ttlMs: number, nowMs: number): number {
  const deadlineMs = nowMs + ttlMs
  if (deadlineMs > EPOCH_MS_MAX && ttlMs !== Number.POSITIVE_INFINITY) throw tooLate(ttlMs)
  return deadlineMs
}

function tooLate(ttlMs: number): RangeError {
  return new RangeError(`ttl must end before the year 275760; ${ttlMs} ms from now does not. Nothing was changed.`)
}
