/** The public names of daybook, listed by hand. */
export type { LifecycleState, LifecycleStateName } from './cache/actor/lifecycle.js'
export type { CacheLogic, CacheSnapshot } from './cache/actor/logic.js'
export type { CacheReply } from './cache/actor/messages.js'
export type { CloseOptions, EntryToSet, GetOptions, SetOptions } from './cache/arguments/arguments.js'
export type { Duration } from './cache/arguments/duration.js'
export type { KeyPattern } from './cache/arguments/key-pattern.js'
export type { ResizeOptions } from './cache/arguments/limit-options.js'
export type { Cache, CacheMessage, Entry, Namespace } from './cache/cache.js'
export type { ScanOptions, ScanResult } from './cache/door/scans.js'
export type {
  AtOptions,
  Difference,
  DiffOptions,
  KeyHistoryOptions,
  RestoreOptions,
} from './cache/history/looking-back.js'
export type { PastChange } from './cache/history/past-change.js'
export type { RestoreResult } from './cache/history/restore.js'
export type { View } from './cache/history/view.js'
export type { When } from './cache/history/when.js'
export type { LoadContext, LoadManyContext, LoadOptions, ManyLoaded } from './cache/loads/load-options.js'
export { type Memoized, type MemoizeOptions, type MemoizeTarget, memoize } from './cache/loads/memoize.js'
export type { CacheOptions, HistoryOptions, MemoryCacheOptions } from './cache/options.js'
export type { LoadResult, SaveOptions, SaveResult } from './cache/saved-files/save-options.js'
export type { Change } from './cache/streams/change.js'
export type { Eviction } from './cache/streams/evictions.js'
export type { Expiration } from './cache/streams/expirations.js'
export type { Removal, RemovalReason } from './cache/streams/removals.js'
export type { Stats } from './cache/streams/stats.js'
export { escapePattern } from './core/decide/glob.js'
export type { EvictionPolicy } from './core/evolve/eviction/policy.js'
export type { Clock } from './core/model/clock.js'
export type { CacheEvent } from './core/model/event.js'
export type { Extension } from './core/model/extension.js'
export type { Limits } from './core/model/limits.js'
export type { StoredValue } from './core/model/stored-value.js'
export type {
  CompactionReport,
  CompactionRequest,
  CompactionThresholds,
  ForeignFrame,
  FsyncPolicy,
  Journal,
  JournalFigures,
  JournalHealth,
  JournalReceiver,
  JournalSession,
  RecoveredDamage,
  RecoveryReport,
  Replica,
  Retention,
  SnapshotSource,
} from './durable/contract.js'
export type { Fork } from './durable/recovery/fork-journal.js'
export type { OnCorruption } from './durable/recovery/recover.js'
export {
  CacheClosedError,
  CacheError,
  CacheLockedError,
  CorruptionError,
  type ErrorCode,
  JournalWriteError,
  NotLeaderError,
  ValueError,
} from './errors.js'
export type { SaveFormat } from './files/format.js'
export { cacheLogic, memoryCache, memoryJournal, openCache } from './open.js'
export type { Isolation } from './values/encode.js'
