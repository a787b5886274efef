/**
 * `daybook/processes`, and its composition root: gives `edges/processes` a way to open the cache. The public names, listed
 * explicitly.
 */
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { checkOptions } from './cache/arguments/arguments.js'
import { type Duration, toMilliseconds } from './cache/arguments/duration.js'
import type { Cache } from './cache/cache.js'
import { type CacheOptions, resolveOptions } from './cache/options.js'
import type { Retention } from './durable/contract.js'
import { outsideRequests } from './durable/outside-requests.js'
import type { OwnerPreference } from './edges/processes/client/seek.js'
import type { SharedCache } from './edges/processes/client/shared-cache.js'
import { join } from './edges/processes/client/shared-client.js'
import { type KeptOptions, keptOptions, type OwnerGreeting } from './edges/processes/greeting.js'
import { CacheError, mustBe } from './errors.js'
import { openWithin } from './open.js'

export type { RemoteRemoval } from './cache/streams/removals.js'
export type { Role, SharedCache } from './edges/processes/client/shared-cache.js'
export type { RemoteCache, RemoteNamespace } from './edges/remote/client/remote-cache.js'
export type { Condition, Step, StepsResults } from './edges/remote/wire/steps.js'
export {
  CacheClosedError,
  CacheError,
  CacheLockedError,
  CorruptionError,
  JournalWriteError,
  NotLeaderError,
  ValueError,
} from './errors.js'
export type { OwnerPreference }

/** Options of `openCache` that cannot be shared. */
type OwnOptions = 'clock' | 'inspect' | 'random' | 'journal' | 'isolation' | 'lock'

/**
 * The options of `openCache`, without what only one process can have, and two more. They are those of the process that owns the
 * cache first. Whoever takes over keeps its limits, default ttl, eviction and history.
 */
export interface SharedOptions extends Omit<CacheOptions, OwnOptions> {
  /** Only true, the default: by the lock of the directory the processes agree on one owner. */
  lock?: true | undefined
  /** How long a call waits for an owner when there is none. Default 10 s. */
  reconnectTimeout?: Duration | undefined
  /**
   * Whether this process may own the cache. `'may'` (default): if no other one wants to within 200 ms. `'prefer'`: at once. `'never'`: it
   * only asks. A running owner stays the owner.
   */
  owner?: OwnerPreference | undefined
}

const OPTION_NAMES = Object.keys({
  directory: true,
  onCorruption: true,
  lock: true,
  maxSize: true,
  maxBytes: true,
  ttl: true,
  fsync: true,
  cleanupInterval: true,
  statsInterval: true,
  compaction: true,
  eviction: true,
  history: true,
  onProgress: true,
  reconnectTimeout: true,
  owner: true,
} satisfies Record<keyof SharedOptions, true>)

const PREFERENCES: readonly unknown[] = ['may', 'prefer', 'never'] satisfies OwnerPreference[]

/**
 * A cache that any number of processes of this host share: one of them owns the directory, the others ask it, and when it ends
 * another one takes over. Every process calls this with the same directory.
 *
 * @throws CacheError `OWNER_UNAVAILABLE` if there is no owner within `reconnectTimeout`, and this process may or can not be it;
 * what `openCache()` throws; TypeError or RangeError for a wrong option.
 */
export function openShared<V = unknown>(options: SharedOptions = {}): Promise<SharedCache<V>> {
  return outsideRequests(() => openSharedWithin<V>(options))
}

/** @internal `open` replaces what opens the cache in this process, for tests. */
export async function openSharedWithin<V = unknown>(
  options: SharedOptions,
  open: (options: CacheOptions) => Promise<Cache> = openWithin,
): Promise<SharedCache<V>> {
  checkOptions(options, OPTION_NAMES)
  const { reconnectTimeout = 10, owner: preference = 'may', ...own } = options
  const reconnectTimeoutMs = toMilliseconds(reconnectTimeout, 'reconnectTimeout')
  if (!PREFERENCES.includes(preference)) throw new TypeError(mustBe('owner', "'may', 'prefer' or 'never'", preference))
  if (own.lock !== undefined && own.lock !== true) throw new TypeError(mustBe('lock', 'true or omitted', own.lock))
  const resolved = resolveOptions(own)
  const directory = resolve(resolved.directory as string) // there is no journal
  return join<V>({
    directory,
    client: randomBytes(8).toString('hex'),
    preference,
    reconnectTimeoutMs,
    async open(before: OwnerGreeting | undefined) {
      if (before === undefined) return { cache: await open({ ...own, directory }), kept: resolved }
      const kept = keptOptions(before)
      const { maxSize, maxBytes, ...rest } = own
      const { eviction, retention } = kept
      const history = retention && { keep: durationOf(retention.keepMs), bytes: retention.bytes }
      const cache = await open({ ...rest, ttl: durationOf(kept.ttlMs), eviction, history, directory })
      return { cache, kept, warning: differing({ ...resolved, maxSize, maxBytes }, cache, kept) }
    },
  })
}

function durationOf(ms: number): Duration {
  return Number.isFinite(ms) ? `${ms}ms` : ms
}

/** A warning if a process took over a cache that is not what its options say. */
function differing(
  own: Pick<CacheOptions, 'maxSize' | 'maxBytes'> & KeptOptions,
  cache: Cache,
  { ttlMs, eviction, retention }: KeptOptions,
): CacheError | undefined {
  const { maxSize, maxBytes } = own
  const { journal } = cache.stats()
  const differences = [
    ...(maxSize === undefined || maxSize === journal.maxSize ? [] : [`maxSize is ${journal.maxSize}, not ${maxSize}`]),
    ...(maxBytes === undefined || maxBytes === journal.maxBytes
      ? []
      : [`maxBytes is ${journal.maxBytes}, not ${maxBytes}`]),
    ...(own.ttlMs === ttlMs ? [] : [`ttl is ${ttlMs / 1_000}, not ${own.ttlMs / 1_000}`]),
    ...(own.eviction === eviction ? [] : [`eviction is ${eviction}, not ${own.eviction}`]),
    ...(isDeepStrictEqual(own.retention, retention)
      ? []
      : [`history is ${historyText(retention)}, not ${historyText(own.retention)}`]),
  ]
  if (differences.length === 0) return undefined
  return new CacheError('OPTIONS_DIFFER', `This process has taken over the cache: ${differences.join(', ')}`)
}

function historyText(retention: Retention | undefined): string {
  if (retention === undefined) return 'none'
  const { keepMs, bytes } = retention
  return Number.isFinite(bytes) ? `${keepMs / 1_000} s and ${bytes} bytes` : `${keepMs / 1_000} s`
}
