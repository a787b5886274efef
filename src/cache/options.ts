import type { EvictionPolicy } from '../core/evolve/eviction/policy.js'
import type { Clock } from '../core/model/clock.js'
import type { CompactionThresholds, FsyncPolicy, Journal, Retention } from '../durable/contract.js'
import type { OnCorruption } from '../durable/recovery/recover.js'
import { mustBe } from '../errors.js'
import type { Isolation } from '../values/encode.js'
import type { Inspector } from './actor/actor-shapes.js'
import { checkClock, checkFunction, checkOptions, hasMethods } from './arguments/arguments.js'
import { type Duration, toMilliseconds } from './arguments/duration.js'
import { checkLimit, checkLimits } from './arguments/limit-options.js'
import { armedOutside, journalClock, systemClock } from './system-clock.js'
import type { GivenLimits } from './turns/limiting.js'

/** The options of `openCache` and `cacheLogic`. `undefined` means the default. */
export interface CacheOptions {
  /** The directory of the journal, created if it does not exist. Default `'journal'`, in the working directory. */
  directory?: string | undefined
  /** Instead of a directory: `memoryJournal()`, or a journal of your own. */
  journal?: Journal | undefined
  /**
   * What to do if the journal is damaged. `'refuse'` (default): reject with a CorruptionError and change nothing. `'salvage'`:
   * open with what is sound before the damage. `'reset'`: open empty. Both first move the damaged journal to `damaged-<time>/` in
   * the directory, and report it in `recovery.damage`. Not together with `journal`.
   */
  onCorruption?: OnCorruption | undefined
  /**
   * Whether the directory is locked, so that no other cache opens it. Default true. `false`, where the lock is not available
   * (the error is `LOCK_UNAVAILABLE`), is for those who know that nothing else opens it: two writers destroy a journal.
   */
  lock?: boolean | undefined
  /**
   * How many entries the cache holds: a positive integer or Infinity. Above it, an entry is evicted (see `eviction`). Default:
   * what this journal was last used with; 1000 for a new one. Only a value that is given can evict entries at opening.
   */
  maxSize?: number | undefined
  /**
   * Encoded bytes of all keys and values together. Default: what this journal was last opened with; Infinity for a new one.
   * Setting an entry that is larger throws a RangeError.
   */
  maxBytes?: number | undefined
  /**
   * Which entry is evicted. `'lru'` (default): the least recently used one, exactly. `'s3-fifo'`: by S3-FIFO, which often has more
   * hits, because entries that are used only once do not displace others (docs/eviction.md). Any journal can be opened with either.
   */
  eviction?: EvictionPolicy | undefined
  /** TTL for entries without their own. Default Infinity: they do not expire. */
  ttl?: Duration | undefined
  /** When the journal is forced to disk: after every write, every second (the default), or only by `flush()` and `close()`. */
  fsync?: FsyncPolicy | undefined
  /** How often a background cleanup looks for expired entries that no timer has removed. Default 60 s; 0 turns it off. */
  cleanupInterval?: Duration | undefined
  /** The minimum time between two emissions of `stats$`. Default 1 s. */
  statsInterval?: Duration | undefined
  /**
   * When the journal is compacted automatically: when it has at least `journalBytes` (default 64 MiB) and at least `factor`
   * (default 1) times the bytes of the last snapshot. A new segment begins at `segmentBytes` (default 64 MiB). `false`: only by `compact()`.
   */
  compaction?: Partial<CompactionThresholds> | false | undefined
  /**
   * How much of the past compaction keeps, for `at`, `history`, `diff`, `restore`, `fork` and `changesSince`: a duration, or
   * `{ keep, bytes }`, of which one may be omitted. `bytes` limits the files that only the past needs; the oldest are removed
   * first. Default: nothing beyond what the last compaction left.
   */
  history?: Duration | HistoryOptions | undefined
  /**
   * `'copy'` (default): callers and cache never share an object. `'share'`: `get` returns the object that was set. `'freeze'`: `get`
   * returns the cache's own copy, frozen with everything in it, or a copy if something in it cannot be frozen (a Map, a Set, a Date, bytes).
   */
  isolation?: Isolation | undefined
  /** The source of time and timers. Tests use `ManualClock` of `daybook/testing`. */
  clock?: Clock | undefined
  /** Draws the `jitter` of `getOrSet`: a number from 0 to 1. Default `Math.random`. */
  random?: (() => number) | undefined
  /** XState's inspector: receives every message and the lifecycle. */
  inspect?: Inspector | undefined
  /** Called while the journal is read; both numbers are bytes. */
  onProgress?: ((progress: { done: number; total: number }) => void) | undefined
}

/** The option `history`. */
export interface HistoryOptions {
  /** Default Infinity. */
  keep?: Duration | undefined
  /** Bytes: a positive integer or Infinity, which is the default. */
  bytes?: number | undefined
}

/** The options of `memoryCache`: those of `openCache`, except what concerns files. */
export type MemoryCacheOptions = Omit<CacheOptions, (typeof OF_FILES)[number]>

const OF_FILES = ['directory', 'journal', 'lock', 'onCorruption', 'history'] as const

export interface ResolvedOptions {
  directory: string | undefined
  journal: Journal | undefined
  onCorruption: OnCorruption
  lock: boolean
  limits: GivenLimits
  eviction: EvictionPolicy
  ttlMs: number
  fsync: FsyncPolicy
  cleanupIntervalMs: number
  statsIntervalMs: number
  compaction: CompactionThresholds | false
  retention: Retention | undefined
  isolation: Isolation
  clock: Clock
  /** The journal's clock: that of the options, if they have one. */
  journalClock: Clock
  random: () => number
  inspect: Inspector | undefined
  onProgress: CacheOptions['onProgress']
}

const MIB = 1024 * 1024
const COMPACTION_DEFAULTS: CompactionThresholds = { journalBytes: 64 * MIB, factor: 1, segmentBytes: 64 * MIB }

const OPTION_NAMES = Object.keys({
  directory: true,
  journal: true,
  onCorruption: true,
  lock: true,
  maxSize: true,
  maxBytes: true,
  eviction: true,
  ttl: true,
  fsync: true,
  cleanupInterval: true,
  statsInterval: true,
  compaction: true,
  history: true,
  isolation: true,
  clock: true,
  random: true,
  inspect: true,
  onProgress: true,
} satisfies Record<keyof CacheOptions, true>)

/** @throws TypeError or RangeError that names the option and its value. */
export function resolveOptions(options: CacheOptions = {}): ResolvedOptions {
  checkOptions(options, OPTION_NAMES)
  // Defaults replace undefined, not null: null is refused.
  const { directory, journal, lock, clock = systemClock, random = Math.random, inspect, onProgress } = options
  const { ttl = Number.POSITIVE_INFINITY } = options
  const { eviction = 'lru', fsync = 'everysec', isolation = 'copy', cleanupInterval = 60, statsInterval = 1 } = options
  if (directory !== undefined && (typeof directory !== 'string' || directory === ''))
    throw wrongType('directory', 'a path', directory)
  if (journal !== undefined) {
    if (!hasMethods(journal, ['open', 'append', 'flush', 'compact', 'close']))
      throw wrongType('journal', 'a Journal', journal)
    if (directory !== undefined) throw wrongType('directory', 'omitted if there is a journal', directory)
    if (options.onCorruption !== undefined)
      throw wrongType('onCorruption', 'omitted if there is a journal', options.onCorruption)
    if (lock !== undefined) throw wrongType('lock', 'omitted if there is a journal', lock)
  }
  if (lock !== undefined && typeof lock !== 'boolean') throw wrongType('lock', 'true or false', lock)
  checkClock(clock)
  if (inspect !== undefined && typeof inspect !== 'function' && (typeof inspect !== 'object' || inspect === null))
    throw wrongType('inspect', 'a function or an observer', inspect)
  checkFunction(random, 'random')
  if (onProgress !== undefined) checkFunction(onProgress, 'onProgress')
  const ttlMs = toMilliseconds(ttl, 'ttl')
  if (ttlMs === 0) throw new RangeError(mustBe('ttl', 'more than 0, because no entry would be kept', ttl))
  const statsIntervalMs = toMilliseconds(statsInterval, 'statsInterval')
  if (statsIntervalMs === 0) throw new RangeError(mustBe('statsInterval', 'more than 0', statsInterval))
  return {
    directory: journal === undefined ? (directory ?? 'journal') : undefined,
    journal,
    onCorruption: resolveOnCorruption(options.onCorruption),
    lock: lock ?? true,
    limits: checkLimits(options),
    eviction: oneOf('eviction', eviction, ['lru', 's3-fifo']),
    ttlMs,
    fsync: oneOf('fsync', fsync, ['always', 'everysec', 'never']),
    cleanupIntervalMs: off(toMilliseconds(cleanupInterval, 'cleanupInterval')),
    statsIntervalMs,
    compaction: resolveCompaction(options.compaction),
    retention: resolveHistory(options.history),
    isolation: oneOf('isolation', isolation, ['copy', 'share', 'freeze']),
    clock: armedOutside(clock),
    journalClock: armedOutside(options.clock ?? journalClock),
    random,
    inspect,
    onProgress,
  }
}

/** @throws as {@link resolveOptions}; TypeError for an option that concerns files. */
export function resolveMemoryOptions(options: MemoryCacheOptions, journal: Journal): ResolvedOptions {
  checkOptions(options, OPTION_NAMES)
  const ofFiles = OF_FILES.find((name) => Object.hasOwn(options, name))
  if (ofFiles !== undefined) {
    throw new TypeError(
      `${ofFiles} is not an option of memoryCache(), which keeps its journal in memory. Nothing was changed: use openCache().`,
    )
  }
  return resolveOptions(Object.create(options, { journal: { value: journal } }) as CacheOptions)
}

function resolveOnCorruption(onCorruption: unknown = 'refuse'): OnCorruption {
  if (onCorruption === 'refuse' || onCorruption === 'salvage' || onCorruption === 'reset') return onCorruption
  throw wrongType('onCorruption', "'refuse', 'salvage' or 'reset'", onCorruption)
}

function resolveCompaction(compaction: CacheOptions['compaction']): CompactionThresholds | false {
  if (compaction === false) return false
  if (compaction === undefined) return COMPACTION_DEFAULTS
  if (typeof compaction !== 'object' || compaction === null)
    throw wrongType('compaction', 'false or an object of thresholds', compaction)
  checkOptions(compaction, Object.keys(COMPACTION_DEFAULTS))
  const {
    journalBytes = COMPACTION_DEFAULTS.journalBytes,
    segmentBytes = COMPACTION_DEFAULTS.segmentBytes,
    factor = COMPACTION_DEFAULTS.factor,
  } = compaction
  if (typeof factor !== 'number') throw wrongType('compaction.factor', 'a number', factor)
  if (!(factor >= 0)) throw new RangeError(mustBe('compaction.factor', 'at least 0', factor))
  return {
    journalBytes: checkLimit('compaction.journalBytes', journalBytes),
    segmentBytes: checkLimit('compaction.segmentBytes', segmentBytes),
    factor,
  }
}

function resolveHistory(history: CacheOptions['history']): Retention | undefined {
  if (history === undefined) return undefined
  if (typeof history !== 'object' || history === null)
    return { keepMs: toMilliseconds(history, 'history'), bytes: Number.POSITIVE_INFINITY }
  const { keep = Number.POSITIVE_INFINITY, bytes = Number.POSITIVE_INFINITY } = checkOptions(history, ['keep', 'bytes'])
  return { keepMs: toMilliseconds(keep, 'history.keep'), bytes: checkLimit('history.bytes', bytes) }
}

function oneOf<T extends string>(name: string, value: T, allowed: readonly T[]): T {
  const message = mustBe(name, `one of ${allowed.join(', ')}`, value)
  if (typeof value !== 'string') throw new TypeError(message)
  if (!allowed.includes(value)) throw new RangeError(message)
  return value
}

function off(intervalMs: number): number {
  return intervalMs === Number.POSITIVE_INFINITY ? 0 : intervalMs
}

function wrongType(name: string, expected: string, value: unknown): TypeError {
  return new TypeError(mustBe(name, expected, value))
}
