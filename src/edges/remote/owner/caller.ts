/** The parts of a session that operations use. */
import type { Cache } from '../../../cache/cache.js'
import type { Door } from '../../../cache/door/door.js'
import type { StagedRows } from '../../../cache/saved-files/saved-files.js'
import type { ReceivedRows } from '../../../durable/contract.js'
import type { Wire } from '../wire/wire-value.js'
import type { ServedLoads } from './served-loads.js'
import type { ServedPast } from './served-past.js'
import type { ServedStreams } from './served-streams.js'

export interface Caller {
  readonly cache: Cache
  readonly door: Door
  readonly loads: ServedLoads
  readonly streams: ServedStreams
  readonly past: ServedPast
  readonly extras: Extras
  /** Reads what a client has staged, if this kind of line can. */
  readonly readStaged: ReadStaged | undefined
  /** The number of the request that is being answered. */
  readonly currentId: number
  /** Called when the client says that it will send no more requests. */
  leave(): void
}

/** Passes on the rows of a staged file. */
export type ReadStaged = (staged: StagedRows, rows: ReceivedRows) => Promise<void>

/** Operations that only lines of one kind have, by name. */
export type Extras = Readonly<Record<string, (argument: unknown) => Wire>>

/**
 * Answers one request of a caller. `first` is its first argument (which the batch may abbreviate to SAME); the others follow
 * index `at` of the batch.
 */
export type Operation = (caller: Caller, first: unknown, batch: readonly unknown[], at: number) => Wire | Promise<Wire>
