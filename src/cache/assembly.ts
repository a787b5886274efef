/**
 * The parts of a cache that a change passes through, put together. Before: `open.ts`; and `rehearsal.ts`, so that exactly these
 * functions have been called once.
 */
import type { EvictionPolicy } from '../core/evolve/eviction/policy.js'
import { GATE, State } from '../core/evolve/state.js'
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
import { FrameTime } from './turns/frame-time.js'
import { Outbox } from './turns/outbox.js'
import { Reads } from './turns/reads.js'
import { Following } from './turns/replica.js'
import { SpeculativeAppends } from './turns/speculative-appends.js'
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
  clock: ownClock,
  journal,
  limits,
  eviction,
  entriesMax,
  isolation,
  notOpen,
  warn,
}: AssemblyOptions) {
  const isSpeculative = journal.isSpeculative === true
  const time = new FrameTime()
  const clock = isSpeculative ? time.over(ownClock) : ownClock
  const state = new State({ ...limits, eviction, entriesMax, weigh: encodedBytes })
  const streams = new Streams<V>(
    (stored) => restoreValue(stored, isolation),
    (isObserved) => state.close(GATE.isObserved, isObserved),
  )
  const expiry = new ExpiryTimer(clock, state, () => cleanup.runSlice())
  const outbox = new Outbox(streams, LoaderRun.outside)
  const appends = isSpeculative ? new SpeculativeAppends(journal, state.undo) : journal
  const turns = new Turns({ state, journal: appends, outbox, expiry })
  if (isSpeculative) {
    state.undo.isSpeculative = true
    outbox.awaitCommits()
  }
  const replica = new Following({ state, turns, outbox, time, now: () => clock.now() })
  const cleanup = new Cleanup({ state, clock, turns })
  const reads = new Reads({ state, clock, turns, cleanup, notOpen })
  const loads = new Loads({ clock, turns, reads, warn })
  return { clock, time, state, streams, expiry, turns, replica, cleanup, reads, loads }
}
