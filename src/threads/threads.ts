/** `daybook/threads`: what a worker imports. The public names, listed by hand. */
export { CacheClosedError, CacheError, CorruptionError, JournalWriteError, ValueError } from '../errors.js'
export type { Condition, Step, StepsResults } from './steps.js'
export { connectSync } from './sync-client.js'
export type { SyncThreadCache, ThreadCache, ThreadSetOptions } from './thread-cache.js'
export { connect } from './thread-client.js'
