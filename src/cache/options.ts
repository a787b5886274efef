import type { Clock } from '../core/model/clock.js'
import type { CompactionThresholds, FsyncPolicy, Journal } from '../durable/contract.js'
import { describe } from '../errors.js'
import type { Isolation } from '../values/encode.js'
import type { Inspector } from './actor/lifecycle.js'
import { type Duration, toMilliseconds } from './duration.js'
import { journalClock, systemClock } from './system-clock.js'

/** What `openCache` and `cacheLogic` take. An option that is `undefined` is not given. */
export interface CacheOptions {
  /** Where the journal lies; made if it is missing. Default `'journal'`, in the working directory. */
  directory?: string | undefined
  /** A journal of another kind instead of a directory: `memoryJournal()`, or your own. */
  journal?: Journal | undefined
  /** Entries: a positive integer or Infinity. Default 1000. Beyond it the least recently used entry is evicted. */
  maxSize?: number | undefined
  /** Encoded bytes of all keys and values together. Default Infinity. An entry larger than all of it is a RangeError. */
  maxBytes?: number | undefined
  /** How long an entry lives when `set` does not say. Default Infinity: for good. */
  ttl?: Duration | undefined
  /** When the journal is forced to disk: after every write, each second (the default), or only by `flush()` and `close()`. */
  fsync?: FsyncPolicy | undefined
  /** How often the background cleanup looks for expired entries that no timer met. Default 60 s; 0 turns it off. */
  cleanupInterval?: Duration | undefined
  /** The least time between two emissions of `stats$`. Default 1 s. */
  statsInterval?: Duration | undefined
  /**
   * When the journal is compacted by itself: when it has `journalBytes` (default 64 MiB) and `factor` times (default 1) the
   * bytes of the last snapshot. `segmentBytes` (default 64 MiB) is the size at which a new file is begun. `false`: only by `compact()`.
   */
  compaction?: Partial<CompactionThresholds> | false | undefined
  /** `'copy'` (the default): callers and cache never share an object. `'share'`: `get` returns the object that was set. */
  isolation?: Isolation | undefined
  /** Where the time comes from. `ManualClock` of `daybook/testing` is one that stands still. */
  clock?: Clock | undefined
  /** XState's inspector: told of every message and of the lifecycle. */
  inspect?: Inspector | undefined
  /** Called while the journal is read; both numbers are bytes. */
  onProgress?: ((progress: { done: number; total: number }) => void) | undefined
}

export interface ResolvedOptions {
  directory: string | undefined
  journal: Journal | undefined
  maxSize: number
  maxBytes: number
  ttlMs: number
  fsync: FsyncPolicy
  cleanupIntervalMs: number
  statsIntervalMs: number
  compaction: CompactionThresholds | false
  isolation: Isolation
  clock: Clock
  /** What the journal counts time by: its own clock, unless one was given. */
  journalClock: Clock
  inspect: Inspector | undefined
  onProgress: CacheOptions['onProgress']
}

const MIB = 1024 * 1024
const COMPACTION_DEFAULTS: CompactionThresholds = { journalBytes: 64 * MIB, factor: 1, segmentBytes: 64 * MIB }

/** @throws TypeError or RangeError that names the option and what was given. */
export function resolveOptions(options: CacheOptions = {}): ResolvedOptions {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`options must be an object, not ${describe(options)}.`)
  // Defaults are for what is undefined, and not for null: that is a mistake, and is told.
  const { directory, journal, clock = systemClock, inspect, onProgress } = options
  const { maxSize = 1000, maxBytes = Number.POSITIVE_INFINITY, ttl = Number.POSITIVE_INFINITY } = options
  const { fsync = 'everysec', isolation = 'copy', cleanupInterval = 60, statsInterval = 1 } = options
  if (directory !== undefined && (typeof directory !== 'string' || directory === ''))
    throw wrong('directory', 'a path', directory)
  if (journal !== undefined) {
    if (!hasMethods(journal, ['open', 'append', 'flush', 'compact', 'close']))
      throw wrong('journal', 'a Journal', journal)
    if (directory !== undefined) throw wrong('directory', 'left out when a journal is given', directory)
  }
  if (!hasMethods(clock, ['now', 'setTimeout', 'clearTimeout']))
    throw wrong('clock', '{ now(), setTimeout(), clearTimeout() }', clock)
  if (inspect !== undefined && typeof inspect !== 'function' && (typeof inspect !== 'object' || inspect === null))
    throw wrong('inspect', 'a function or an observer', inspect)
  if (onProgress !== undefined && typeof onProgress !== 'function') throw wrong('onProgress', 'a function', onProgress)
  const statsIntervalMs = toMilliseconds(statsInterval, 'statsInterval')
  if (statsIntervalMs === 0) throw new RangeError('statsInterval must be more than 0; 0 is not.')
  return {
    directory: journal === undefined ? (directory ?? 'journal') : undefined,
    journal,
    maxSize: limit('maxSize', maxSize),
    maxBytes: limit('maxBytes', maxBytes),
    ttlMs: toMilliseconds(ttl, 'ttl'),
    fsync: oneOf('fsync', fsync, ['always', 'everysec', 'never']),
    cleanupIntervalMs: off(toMilliseconds(cleanupInterval, 'cleanupInterval')),
    statsIntervalMs,
    compaction: resolveCompaction(options.compaction),
    isolation: oneOf('isolation', isolation, ['copy', 'share']),
    clock,
    journalClock: options.clock ?? journalClock,
    inspect,
    onProgress,
  }
}

function resolveCompaction(given: CacheOptions['compaction']): CompactionThresholds | false {
  if (given === false) return false
  if (given === undefined) return COMPACTION_DEFAULTS
  if (typeof given !== 'object' || given === null) throw wrong('compaction', 'false or an object of thresholds', given)
  const {
    journalBytes = COMPACTION_DEFAULTS.journalBytes,
    segmentBytes = COMPACTION_DEFAULTS.segmentBytes,
    factor = COMPACTION_DEFAULTS.factor,
  } = given
  if (typeof factor !== 'number') throw wrong('compaction.factor', 'a number', factor)
  if (!(factor >= 0)) throw new RangeError(`compaction.factor must be 0 or more; ${describe(factor)} is not.`)
  return {
    journalBytes: limit('compaction.journalBytes', journalBytes),
    segmentBytes: limit('compaction.segmentBytes', segmentBytes),
    factor,
  }
}

function limit(name: string, value: unknown): number {
  if (typeof value !== 'number') throw wrong(name, 'a positive integer or Infinity', value)
  if (value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && value > 0)) return value
  throw new RangeError(`${name} must be a positive integer or Infinity; ${describe(value)} is not.`)
}

function oneOf<T extends string>(name: string, value: T, allowed: readonly T[]): T {
  if (typeof value !== 'string') throw wrong(name, `one of ${allowed.join(', ')}`, value)
  if (!allowed.includes(value))
    throw new RangeError(`${name} must be one of ${allowed.join(', ')}; ${describe(value)} is not.`)
  return value
}

function off(intervalMs: number): number {
  return intervalMs === Number.POSITIVE_INFINITY ? 0 : intervalMs
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
  )
}

function wrong(name: string, expected: string, value: unknown): TypeError {
  return new TypeError(`${name} must be ${expected}; ${describe(value)} is not.`)
}
