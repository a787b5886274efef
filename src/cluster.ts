/**
 * `daybook/cluster`, and its composition root: a cache over a replicated journal, the node around it, and the client that calls it. The
 * public names, listed explicitly.
 */
import { randomBytes } from 'node:crypto'
import { checkOptions } from './cache/arguments/arguments.js'
import { type Duration, toMilliseconds } from './cache/arguments/duration.js'
import type { Cache } from './cache/cache.js'
import { type CacheOptions, resolveOptions } from './cache/options.js'
import { journalClock } from './cache/system-clock.js'
import type { Clock } from './core/model/clock.js'
import { NEW_LIMITS } from './core/model/limits.js'
import { outsideRequests } from './durable/outside-requests.js'
import type { ClusterCache } from './edges/cluster/client/cluster-cache.js'
import { ClusterClient } from './edges/cluster/client/cluster-client.js'
import { ClusterClock, type Timers } from './edges/cluster/journal/cluster-clock.js'
import type { Settings } from './edges/cluster/journal/records.js'
import { ReplicatedJournal } from './edges/cluster/journal/replicated-journal.js'
import type { Engine } from './edges/cluster/log.js'
import { ClusterNode } from './edges/cluster/node/cluster-node.js'
import { CacheError, mustBe } from './errors.js'
import { openWithin } from './open.js'

export type { RemoteRemoval } from './cache/streams/removals.js'
export type { ClusterCache, ClusterGetOptions, ClusterRole, LocalCopy } from './edges/cluster/client/cluster-cache.js'
export type {
  Engine,
  Log,
  LogFollower,
  LogRecord,
  Position,
  SnapshotPointer,
  SnapshotStore,
  Wire,
} from './edges/cluster/log.js'
export { DamagedObjectError, LogConflict, UnservedError } from './edges/cluster/log.js'
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

/** Options of `openCache` that a node of a cluster cannot have. */
type OwnOptions =
  | 'directory'
  | 'onCorruption'
  | 'lock'
  | 'fsync'
  | 'history'
  | 'clock'
  | 'inspect'
  | 'random'
  | 'journal'
  | 'isolation'

/** The options of `openCache`, without those that concern a directory, or one process alone, and three more. */
export interface ClusterOptions extends Omit<CacheOptions, OwnOptions> {
  /** Of the cache: all nodes with this name on the same log share it. */
  name: string
  /** What keeps the log: `nats()` of `daybook/nats`, or `memoryLog()` of `daybook/testing`. */
  engine: Engine
  /** How long a call waits for a leader once this node has noticed that there is none, or that it is cut off. Default 10 s. */
  reconnectTimeout?: Duration | undefined
}

const OPTION_NAMES = Object.keys({
  name: true,
  engine: true,
  maxSize: true,
  maxBytes: true,
  ttl: true,
  cleanupInterval: true,
  statsInterval: true,
  compaction: true,
  eviction: true,
  onProgress: true,
  reconnectTimeout: true,
} satisfies Record<keyof ClusterOptions, true>)

/**
 * Opens a node of a cluster: it has a copy of the whole cache, and takes part in the election of the leader. Resolves when its copy has what
 * the log had when it was opened.
 *
 * @throws CacheError `OPTIONS_DIFFER` if an option differs from what the cluster has, or the log is that of another cache;
 * `UNSUPPORTED_VERSION` for the log of another version; `ENGINE_UNAVAILABLE` or `ENGINE_REFUSED` if the engine does not answer or refuses;
 * CorruptionError if the log is damaged; TypeError or RangeError for a wrong option.
 */
export function openCluster<V = unknown>(options: ClusterOptions): Promise<ClusterCache<V>> {
  return outsideRequests(() => openClusterWithin<V>(options))
}

/** Longer than any process runs. */
const FOREVER_MS = 2 ** 31 - 1

/** @internal What tests replace. */
export interface ClusterSurroundings {
  /** A clock of this node's own, instead of the engine's. */
  clock?: Clock
  /** Those of the election and the lines, instead of the clock's. */
  timers?: Timers
  /** Draws who waits how long: a number from 0 to 1. */
  random?: () => number
  /** The id of the node. */
  node?: string
  /** 16 hexadecimal digits. */
  newId?: () => string
  open?: (options: CacheOptions) => Promise<Cache>
  /** Gets the node's parts. */
  onNode?: (node: ClusterNode) => void
}

/** @internal */
export async function openClusterWithin<V = unknown>(
  options: ClusterOptions,
  around: ClusterSurroundings = {},
): Promise<ClusterCache<V>> {
  checkOptions(options, OPTION_NAMES)
  const { name, engine, reconnectTimeout = 10, maxSize, maxBytes, ...own } = options
  if (typeof name !== 'string' || name === '') throw new TypeError(mustBe('name', 'a text that is not empty', name))
  if (typeof engine !== 'function') throw new TypeError(mustBe('engine', 'what nats() or memoryLog() returns', engine))
  const reconnectTimeoutMs = toMilliseconds(reconnectTimeout, 'reconnectTimeout')
  const resolved = resolveOptions({ ...own, maxSize, maxBytes })
  const newId = around.newId ?? (() => randomBytes(8).toString('hex'))
  const { open = openWithin, random = resolved.random } = around
  const ownClock = around.clock ?? engine.clock ?? journalClock
  const clock = new ClusterClock(ownClock, around.timers)
  const cacheClock: Clock = { ...ownClock, now: clock.now }
  const id = around.node ?? newId()
  const log = engine(name, id)
  const journal = new ReplicatedJournal({ log, name, node: id, clock, newId })
  // Others may be waiting for this node; and while it opens, nothing else may keep the process alive.
  const keepAlive = clock.setTimeout(() => undefined, FOREVER_MS, true)
  const release = () => clock.clearTimeout(keepAlive)
  try {
    const settings = await journal.prepare({
      name,
      ttlMs: resolved.ttlMs,
      eviction: resolved.eviction,
      maxSize: maxSize ?? NEW_LIMITS.maxSize,
      maxBytes: maxBytes ?? NEW_LIMITS.maxBytes,
    })
    if (own.ttl !== undefined) refuseDifferent('ttl', resolved.ttlMs / 1_000, settings.ttlMs / 1_000)
    if (own.eviction !== undefined) refuseDifferent('eviction', own.eviction, settings.eviction)
    const cache = await open({
      ...own,
      ...sharedOptions(settings),
      journal,
      clock: cacheClock,
      random,
      fsync: 'always',
    })
    const { journal: limits } = cache.stats()
    try {
      if (maxSize !== undefined) refuseDifferent('maxSize', maxSize, limits.maxSize)
      if (maxBytes !== undefined) refuseDifferent('maxBytes', maxBytes, limits.maxBytes)
    } catch (error) {
      await cache.close({ force: true })
      throw error
    }
    const { compaction } = resolved
    const node = new ClusterNode({ cache, journal, log, clock, node: id, compaction, newId, random })
    around.onNode?.(node)
    cache.lifecycle$.subscribe({ complete: release })
    const client = new ClusterClient<V>({ node, id, client: newId(), clock, reconnectTimeoutMs })
    return client as unknown as ClusterCache<V> // its `get` is defined by a loop
  } catch (error) {
    await journal.close().catch(() => undefined)
    release()
    throw error
  }
}

function sharedOptions({ ttlMs, eviction }: Settings): Pick<CacheOptions, 'ttl' | 'eviction'> {
  return { ttl: Number.isFinite(ttlMs) ? (`${ttlMs}ms` as Duration) : ttlMs, eviction }
}

function refuseDifferent(option: string, given: unknown, shared: unknown): void {
  if (given === shared) return
  throw new CacheError(
    'OPTIONS_DIFFER',
    `This node has the option ${option}: ${given}, and its cluster has ${shared}`,
    {
      consequence: 'This node was not opened.',
      advice: `Leave the option out${option.startsWith('max') ? ', or change it for all nodes with resize()' : ''}.`,
    },
  )
}
