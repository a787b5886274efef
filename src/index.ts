/** The public names of daybook, listed by hand. */
export type { LifecycleState, LifecycleStateName } from './actor/lifecycle.js'
export type { CacheLogic, CacheSnapshot } from './actor/logic.js'
export type { SetOptions } from './cache/arguments.js'
export type { Cache } from './cache/cache.js'
export type { Duration } from './cache/duration.js'
export type { LoadResult, SaveOptions, SaveResult } from './cache/files.js'
export type { CacheMessage, CacheReply } from './cache/messages.js'
export type { CacheOptions } from './cache/options.js'
export {
  CacheClosedError,
  CacheError,
  CacheLockedError,
  CorruptionError,
  type ErrorCode,
  JournalWriteError,
  ValueError,
} from './errors.js'
export type {
  CompactionReport,
  CompactionRequest,
  CompactionThresholds,
  FsyncPolicy,
  Journal,
  JournalFigures,
  JournalHealth,
  JournalReceiver,
  JournalSession,
  RecoveryReport,
  SnapshotSource,
} from './journal/journal.js'
export type { Isolation } from './journal/value.js'
export type { Clock } from './model/clock.js'
export type { CacheEvent } from './model/event.js'
export type { StoredValue } from './model/stored-value.js'
export { cacheLogic, memoryJournal, openCache } from './open.js'
export type { SaveFormat } from './save/format.js'
export type { Change } from './streams/change.js'
export type { Eviction } from './streams/evictions.js'
export type { Expiration } from './streams/expirations.js'
export type { Stats } from './streams/stats.js'
