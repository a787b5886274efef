/** `daybook/threads`: the module that a worker imports. The public names, listed explicitly. */

export type { RemoteRemoval } from '../../cache/streams/removals.js'
export {
  CacheClosedError,
  CacheError,
  CacheLockedError,
  CorruptionError,
  JournalWriteError,
  NotLeaderError,
  ValueError,
} from '../../errors.js'
export type { RemoteCache, RemoteNamespace } from '../remote/client/remote-cache.js'
export type { RemoteView } from '../remote/client/remote-past.js'
export type { Condition, Step, StepsResults } from '../remote/wire/steps.js'
export { connect } from './client/connect.js'
export { connectSync } from './client/sync-client.js'
export type { SyncNamespace, SyncThreadCache, ThreadCache, ThreadSetOptions } from './client/thread-cache.js'
