/** What `openShared()` returns. */
import type { Observable } from 'rxjs'
import type { CloseOptions } from '../../../cache/arguments/arguments.js'
import type { CacheError } from '../../../errors.js'
import type { RemoteCache } from '../../remote/client/remote-cache.js'

/** What this process is, and which one owns the cache. */
export interface Role {
  /** `'reconnecting'`: the owner is gone, and there is no other one yet. Calls wait. */
  readonly role: 'owner' | 'client' | 'reconnecting'
  /** Of the owner; undefined while there is none. */
  readonly pid: number | undefined
  /**
   * `OWNER_STALLED`: the owner does not answer. Emitted again without it when it does. `OPTIONS_DIFFER`: this process has taken over,
   * with limits, a default ttl, eviction or history that are not its own.
   */
  readonly warning?: CacheError
}

/** A cache that several processes of one host share. */
export interface SharedCache<V = unknown> extends RemoteCache<V> {
  /** The present role, then each change. */
  readonly role$: Observable<Role>
  /** Closes this process's end. If it owns the cache, the cache is closed, and another process takes over. */
  close(options?: CloseOptions): Promise<void>
}
