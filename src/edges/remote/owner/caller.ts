/** What the requests of one client may need of the session that serves it. */
import type { Cache } from '../../../cache/cache.js'
import type { Door } from '../../../cache/door.js'
import type { Wire } from '../wire/wire-value.js'
import type { ServedLoads } from './served-loads.js'
import type { ServedStreams } from './served-streams.js'

export interface Caller {
  readonly cache: Cache
  readonly door: Door
  readonly loads: ServedLoads
  readonly streams: ServedStreams
  readonly extras: Extras
  /** The number of the request that is being answered. */
  readonly currentId: number
  /** The client says that it will ask nothing more. */
  leave(): void
}

/** What only lines of one kind have, by name. */
export type Extras = Readonly<Record<string, (argument: unknown) => Wire>>

/**
 * Answers one request of a caller. Its arguments as they came: the first one (which SAME may stand for in the batch), and the
 * batch with the place of the first one in it.
 */
export type Operation = (caller: Caller, first: unknown, batch: readonly unknown[], at: number) => Wire | Promise<Wire>
