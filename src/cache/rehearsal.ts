/**
 * V8 compiles a function when it is first called, which takes far more stack than `reserveStack` reserves. So everything that
 * runs after an append, and everything that undoes a turn, is called once before the first cache is used. Before: `open.ts`.
 */
import { FrozenRows } from '../core/evolve/frozen-rows.js'
import { State } from '../core/evolve/state.js'
import type { Clock } from '../core/model/clock.js'
import type { CacheEvent } from '../core/model/event.js'
import type { Journal } from '../durable/contract.js'
import { Loads } from './loads.js'
import { systemClock } from './system-clock.js'
import { ExpiryTimer } from './turns/expiry-timer.js'
import { Outbox } from './turns/outbox.js'
import { Turns } from './turns/turns.js'

const EVENTS: readonly CacheEvent[] = [
  { type: 'set', key: 'a', value: 1, expiresAtMs: 1 },
  { type: 'set', key: 'a', value: 2, expiresAtMs: 2 },
  { type: 'set', key: 'b', value: 3, expiresAtMs: 1 },
  { type: 'rescheduled', key: 'a', expiresAtMs: 3 },
  { type: 'limited', maxSize: 9, maxBytes: Number.POSITIVE_INFINITY },
  { type: 'limited', maxSize: 9, maxBytes: 99 },
  { type: 'evicted', key: 'a' },
  { type: 'expired', key: 'b' },
  { type: 'set', key: 'c', value: 4, expiresAtMs: Number.POSITIVE_INFINITY },
  { type: 'deleted', key: 'c' },
  { type: 'cleared' },
]

let isDone = false

export function rehearse(): void {
  if (isDone) return
  isDone = true
  const clock: Clock = { now: () => 0, setTimeout: () => 0, clearTimeout: () => undefined }
  const journal = { append: () => 1, appendSet: () => 1 } as unknown as Journal // Turns calls no other method
  for (const isObserved of [false, true]) {
    const state = new State({ maxSize: 9, maxBytes: isObserved ? 99 : Number.POSITIVE_INFINITY, weigh: () => 1 })
    let isDelivered = false
    const deliver = () => {
      if (isDelivered) return
      isDelivered = true
      throw overflow()
    }
    const outbox = new Outbox({ isObserved, observesRemovals: isObserved, deliver }, (task) => loads.outside(task))
    const expiry = new ExpiryTimer(clock, state, () => 'done')
    const turns = new Turns({ state, journal, outbox, expiry })
    const loads = new Loads({ clock, turns, reads: undefined as never })
    const rows = new FrozenRows(state)
    state.isOpen = turns.isWritable = true
    turns.set('a', 1, 5, 0)
    turns.set('a', 1, 4, 0)
    turns.increment('a', 1)
    turns.listener = () => {
      turns.listener = loads.onTurn
      throw overflow()
    }
    turns.run({ type: 'delete', key: 'x', nowMs: 0 })
    for (const event of EVENTS) {
      turns.record([event], 0)
      turns.listener = loads.onTurn // which removes itself while nothing is loaded
    }
    try {
      turns.transact(() => {
        for (const event of EVENTS) turns.record([event], 0)
        turns.run({ type: 'delete', key: 'x', nowMs: 0 })
        throw isObserved
      })
    } catch {
      // Everything was undone.
    }
    rows.release()
  }
  systemClock.clearTimeout(systemClock.setTimeout(() => undefined, 1))
}

/** As V8 throws it. What was interrupted is then done again on a later tick. */
function overflow(): RangeError {
  return new RangeError('Maximum call stack size exceeded')
}
