/** What `openCluster()` returns. */
import type { Observable } from 'rxjs'
import type { CloseOptions, GetOptions } from '../../../cache/arguments/arguments.js'
import type { Cache } from '../../../cache/cache.js'
import type { RemoteCache } from '../../remote/client/remote-cache.js'

/** What this node is, and which one leads. */
export interface ClusterRole {
  readonly role: 'leader' | 'follower'
  /** The id of the node that leads; undefined while none does. */
  readonly leader: string | undefined
  /** Every leader's time in office has a number: 1, 2, 3, … */
  readonly term: number
  /** Milliseconds since this node last had the newest record of the log, by its own clock. */
  readonly lagMs: number
}

/** The copy of the cache that this node has, which is read without waiting. It may be behind by what is on its way. */
export interface LocalCopy<V = unknown>
  extends Pick<
    Cache<V>,
    'get' | 'peek' | 'has' | 'ttl' | 'getMany' | 'hasMany' | 'keys' | 'entries' | 'scan' | 'size' | 'stats'
  > {}

export interface ClusterGetOptions extends GetOptions {
  /** `'linearizable'` (default): what no other node can have overtaken. `'local'`: what this node's copy has. */
  consistency?: 'linearizable' | 'local' | undefined
}

/**
 * A cache that several nodes share, each with a copy of it. A call resolves when a majority of the log has its change, and this node has
 * applied it. The streams have the same events with the same sequences on every node.
 */
export interface ClusterCache<V = unknown> extends Omit<RemoteCache<V>, 'get'> {
  /** The value; by default read by the leader, so that it is never older than a change that was acknowledged before this call. */
  get(key: string, options?: ClusterGetOptions): Promise<V | undefined>
  readonly local: LocalCopy<V>
  /** The present role, then each change; while this node hears nothing, each second. */
  readonly role$: Observable<ClusterRole>
  /** Closes this node. If it leads, another one does from then on. */
  close(options?: CloseOptions): Promise<void>
}
