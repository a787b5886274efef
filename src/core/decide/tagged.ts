/** `deleteTag` and `expireTag`. They look only at the entries that have one of the tags. */
import type { TagCommand } from '../model/command.js'
import type { CacheEvent } from '../model/event.js'
import { hasExpired } from '../model/expiry.js'
import type { ReadableState, Slot } from '../model/state.js'
import { isStale } from './stale.js'

export function decideTagged(state: ReadableState, { type, tags, prefix, nowMs }: TagCommand): CacheEvent[] {
  const events: CacheEvent[] = []
  for (const slot of slotsTagged(state, tags)) {
    const key = state.keyAt(slot)
    if (!key.startsWith(prefix)) continue
    const expiresAtMs = state.deadlineAt(slot)
    if (hasExpired(expiresAtMs, nowMs)) events.push({ type: 'expired', key })
    else if (type === 'deleteTag' || state.freshUntilAt(slot) === Number.POSITIVE_INFINITY)
      events.push({ type: 'deleted', key })
    else if (!isStale(state, slot, nowMs)) events.push({ type: 'rescheduled', key, expiresAtMs, freshUntilMs: nowMs })
  }
  return events
}

function slotsTagged(state: ReadableState, tags: readonly string[]): Iterable<Slot> {
  const [first] = tags
  if (tags.length === 1) return state.slotsTagged(first as string)
  const slots = new Set<Slot>()
  for (const tag of tags) for (const slot of state.slotsTagged(tag)) slots.add(slot)
  return slots
}
