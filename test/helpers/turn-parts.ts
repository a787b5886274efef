import { Cleanup } from '../../src/cache/turns/cleanup.js'
import { ExpiryTimer } from '../../src/cache/turns/expiry-timer.js'
import { Outbox } from '../../src/cache/turns/outbox.js'
import { Reads } from '../../src/cache/turns/reads.js'
import { Turns } from '../../src/cache/turns/turns.js'
import type { EvictionPolicy } from '../../src/core/evolve/eviction/policy.js'
import { State } from '../../src/core/evolve/state.js'
import type { CacheEvent } from '../../src/core/model/event.js'
import type { Journal } from '../../src/durable/contract.js'
import { CacheClosedError } from '../../src/errors.js'
import { CountingClock } from './counting-clock.js'

/** What turns, reads and the cleanup are made of, without a cache around them. `append` stands for the journal, and may throw. */
export function turnParts(eviction: EvictionPolicy = 'lru', maxSize = Number.POSITIVE_INFINITY) {
  const appended: (readonly CacheEvent[])[] = []
  const journal = {
    append(events: readonly CacheEvent[]): number {
      const first = appended.flat().length + 1
      appended.push([...events])
      return first
    },
  }
  const clock = new CountingClock()
  const state = new State({
    maxSize,
    eviction,
    maxBytes: Number.POSITIVE_INFINITY,
    weigh: () => 0,
  })
  state.startEvicting()
  const outbox = new Outbox({ isObserved: false, observesRemovals: false, deliver: () => undefined }, (task) => task())
  const expiry = new ExpiryTimer(clock, state, () => 'done')
  const turns = new Turns({ state, journal: journal as unknown as Journal, outbox, expiry }) // Turns calls nothing else of it
  state.isOpen = turns.isWritable = true
  const cleanup = new Cleanup({ state, clock, turns })
  const reads = new Reads({ state, clock, turns, cleanup, notOpen: () => new CacheClosedError('not open') })

  /** One turn; `ttlMs` from now. */
  function set(key: string, ttlMs = Number.POSITIVE_INFINITY): void {
    turns.record([{ type: 'set', key, value: key, expiresAtMs: clock.now() + ttlMs }], clock.now())
  }
  return { appended, journal, clock, state, turns, cleanup, reads, set }
}
