/** New limits: one turn, with the removals that they need. Before: `lifecycle/opening.ts`. After: `turns.ts`. */
import { decide } from '../../core/decide/decide.js'
import type { State } from '../../core/evolve/state.js'
import type { Clock } from '../../core/model/clock.js'
import type { CacheEvent } from '../../core/model/event.js'
import type { Limits } from '../../core/model/limits.js'
import type { Turns } from './turns.js'

/** Limits of which each may be omitted: then that one stays as it is. */
export interface GivenLimits {
  readonly maxSize: number | undefined
  readonly maxBytes: number | undefined
}

export interface LimitingParts {
  state: State
  clock: Clock
  turns: Turns
}

interface Removed {
  readonly evicted: number
  readonly expired: number
}

/**
 * Makes these the limits. Returns how many entries were removed. If their removals do not fit in one frame, there are several turns,
 * of which the last one has the new limits.
 */
export function applyLimits({ state, clock, turns }: LimitingParts, given: GivenLimits) {
  const limits: Limits = { maxSize: given.maxSize ?? state.maxSize, maxBytes: given.maxBytes ?? state.maxBytes }
  let removed: Removed = { evicted: 0, expired: 0 }
  for (let atMost = Number.POSITIVE_INFINITY; ; ) {
    const nowMs = clock.now()
    const events = decide(state, { type: 'limit', ...limits, atMost, nowMs })
    if (events.length === 0) return removed
    const isLast = events.length < atMost
    const counted = count(events, removed) // now: an error after the turn would hide that it has taken effect
    try {
      turns.record(events, nowMs)
    } catch (error) {
      if (!(error instanceof RangeError) || events.length === 1) throw error
      atMost = Math.ceil(events.length / 2)
      continue
    }
    if (isLast) return counted
    removed = counted
  }
}

function count(events: readonly CacheEvent[], before: Removed): Removed {
  const removed = { evicted: before.evicted, expired: before.expired }
  for (const { type } of events) if (type === 'expired' || type === 'evicted') removed[type]++
  return removed
}
