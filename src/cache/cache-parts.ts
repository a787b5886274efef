/** What `open.ts` puts together, and `cache.ts` is made of. */
import type { MessagePort } from 'node:worker_threads'
import type { State } from '../core/evolve/state.js'
import type { Journal } from '../durable/contract.js'
import type { Lifecycle } from './actor/lifecycle.js'
import type { Door } from './door/door.js'
import type { LookingBack } from './history/looking-back.js'
import type { Maintenance } from './lifecycle/maintenance.js'
import type { Opening } from './lifecycle/opening.js'
import type { SavedFiles } from './saved-files/saved-files.js'
import type { Streams } from './streams/streams.js'
import type { Cleanup } from './turns/cleanup.js'
import type { Reads } from './turns/reads.js'
import type { Turns } from './turns/turns.js'

export interface CacheParts<V> {
  state: State
  journal: Journal
  lifecycle: Lifecycle
  opening: Opening
  turns: Turns
  reads: Reads
  cleanup: Cleanup
  maintenance: Maintenance
  savedFiles: SavedFiles
  door: Door
  lookingBack: LookingBack
  streams: Streams<V>
  openPort: () => MessagePort
}
