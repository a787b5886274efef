/** The life of an entry: fresh until its ttl ends, then stale if it has a window for that, then expired. */
import { EPOCH_MS_MAX, hasExpired, NEVER } from '../model/expiry.js'
import { type Extension, extensionOf } from '../model/extension.js'
import type { ReadableState, Slot } from '../model/state.js'

/** Whether the ttl of an entry that has not expired has ended. A stale entry is absent unless it is asked for. */
export function isStale(state: ReadableState, slot: Slot, nowMs: number): boolean {
  return hasExpired(state.freshUntilAt(slot), nowMs)
}

/** A deadline, and the time of being stale before it, as events tell them. */
export interface Life {
  readonly expiresAtMs: number
  readonly extension: Extension | undefined
}

/** @throws RangeError for a stale window after a ttl that never ends, or one that ends too late. */
export function lifeOf(ttlEndsAtMs: number, staleMs: number | undefined, tags: readonly string[]): Life {
  if (staleMs === undefined) return { expiresAtMs: ttlEndsAtMs, extension: extensionOf(NEVER, tags) }
  refuseEndless(ttlEndsAtMs)
  const freshUntilMs = staleMs === 0 ? NEVER : ttlEndsAtMs
  return { expiresAtMs: endOfStale(ttlEndsAtMs, staleMs), extension: extensionOf(freshUntilMs, tags) }
}

/** @throws RangeError if a ttl never ends: an entry can be stale only after that. */
export function refuseEndless(ttlEndsAtMs: number): void {
  if (ttlEndsAtMs === NEVER)
    throw new RangeError('stale needs a ttl that ends. Nothing was changed: pass a finite ttl, or leave out stale.')
}

/** When an entry expires: its stale window begins when its ttl ends. @throws RangeError if no Date can represent that time. */
export function endOfStale(ttlEndsAtMs: number, staleMs: number): number {
  const endMs = ttlEndsAtMs + staleMs
  if (endMs <= EPOCH_MS_MAX || staleMs === NEVER) return endMs
  throw new RangeError(
    'stale must be short enough for the entry to expire before the year 275760. Nothing was changed: pass a shorter stale or ttl.',
  )
}

/** The deadline of an entry with another end of its ttl. Its stale window keeps its length. @throws as {@link endOfStale}. */
export function rescheduled(state: ReadableState, slot: Slot, ttlEndsAtMs: number): Moved {
  const freshUntilMs = state.freshUntilAt(slot)
  if (freshUntilMs === NEVER || ttlEndsAtMs === NEVER) return { expiresAtMs: ttlEndsAtMs }
  const expiresAtMs = endOfStale(ttlEndsAtMs, state.deadlineAt(slot) - freshUntilMs)
  return { expiresAtMs, freshUntilMs: ttlEndsAtMs }
}

interface Moved {
  readonly expiresAtMs: number
  readonly freshUntilMs?: number
}
