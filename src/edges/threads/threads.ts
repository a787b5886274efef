/** `daybook/threads`: what a worker imports. The public names, listed by hand. */
export { CacheClosedError, CacheError, CorruptionError, JournalWriteError, ValueError } from '../../errors.js'
export type { SyncThreadCache, ThreadCache, ThreadSetOptions } from '../remote/client/remote-cache.js'
export { connect } from '../remote/client/remote-client.js'
export type { Condition, Step, StepsResults } from '../remote/wire/steps.js'
export { connectSync } from './client/sync-client.js'
