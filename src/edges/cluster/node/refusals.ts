/** Why the calls of a node are rejected. Before: cluster-client and cluster-node. After: the caller. */
import { CacheClosedError, CacheError } from '../../../errors.js'

const ADVICE =
  'Check that a majority of the servers that keep the log runs and can be reached from here, or raise reconnectTimeout.'

export function nodeClosed(): CacheClosedError {
  return new CacheClosedError('This node of the cluster is closed', {
    consequence: 'Calls under way may or may not have taken effect.',
    advice: 'Call openCluster() again.',
  })
}

/** Too much waits. */
export function tooMuchWaits(): CacheError {
  return new CacheError('OWNER_UNAVAILABLE', 'The cluster has no leader, and the calls that wait hold 64 MiB', {
    advice: ADVICE,
  })
}

/** `obstacle` is what the engine refused meanwhile, if anything: it says what to do. */
export function noLeader(wasSent: boolean, obstacle?: CacheError): CacheError {
  return new CacheError('OWNER_UNAVAILABLE', 'The cluster had no leader in time, or this node could not reach it', {
    consequence: wasSent ? 'The call may have taken effect, at most once.' : 'Nothing was changed.',
    ...(obstacle === undefined ? { advice: ADVICE } : { advice: obstacle.message, cause: obstacle }),
  })
}

export function loadLost(): CacheError {
  return new CacheError('OUTCOME_UNKNOWN', 'The leader of the cluster was lost while it loaded a file', {
    consequence: 'The file has been loaded as a whole, or not at all.',
    advice: 'Read what you need, and load it again if it is not there.',
  })
}
