/**
 * The parts of a cache that a change passes through, put together. Before: `open.ts`; and `rehearsal.ts`, so that exactly these
 * functions have been called once.
 */
import type { EvictionPolicy } from '../core/evolve/eviction/policy.js'
import { State } from '../core/evolve/state.js'
import type { Clock } from '../core/model/clock.js'
import type { Limits } from '../core/model/limits.js'
import type { Journal } from '../durable/contract.js'
import { encodedBytes } from '../durable/format/encode-event.js'
import type { CacheClosedError } from '../errors.js'
import { type Isolation, restoreValue } from '../values/encode.js'
import { LoaderRun } from './loads/loader-run.js'
import { Loads } from './loads/loads.js'
import { Streams } from './streams/streams.js'
import { Cleanup } from './turns/cleanup.js'
import { ExpiryTimer } from './turns/expiry-timer.js'
import { Outbox } from './turns/outbox.js'
import { Reads } from './turns/reads.js'
import { Turns } from './turns/turns.js'

export interface AssemblyOptions {
  clock: Clock
  journal: Journal
  limits: Limits
  eviction: EvictionPolicy
  /** Instead of the limit of V8's Map. */
  entriesMax: number | undefined
  isolation: Isolation
  /** Why a read is refused when the cache is not open. */
  notOpen: () => CacheClosedError
  /** Called with failures that no call rejects with. */
  warn: (warning: Error) => void
}

export function assemble<V>({
  clock,
  journal,
  limits,
  eviction,
  entriesMax,
  isolation,
  notOpen,
  warn,
}: AssemblyOptions) {
  const state = new State({ ...limits, eviction, entriesMax, weigh: encodedBytes })
  const streams = new Streams<V>((stored) => restoreValue(stored, isolation))
  const expiry = new ExpiryTimer(clock, state, () => cleanup.runSlice())
  const outbox = new Outbox(streams, LoaderRun.outside)
  const turns = new Turns({ state, journal, outbox, expiry })
  const cleanup = new Cleanup({ state, clock, turns })
  const reads = new Reads({ state, clock, turns, cleanup, notOpen })
  const loads = new Loads({ clock, turns, reads, warn })
  return { state, streams, expiry, turns, cleanup, reads, loads }
}
