/** `daybook/threads`: what a worker imports. The public names, listed by hand. */
export { CacheClosedError, CacheError, CorruptionError, JournalWriteError, ValueError } from '../../errors.js'
export { connectSync } from './client/sync-client.js'
export type { SyncThreadCache, ThreadCache, ThreadSetOptions } from './client/thread-cache.js'
export { connect } from './client/thread-client.js'
export type { Condition, Step, StepsResults } from './wire/steps.js'
