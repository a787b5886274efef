/**
 * Fourth stop on the path of a message. Before: `decide/`. After: `journal/`.
 *
 * The only writer of state. {@link evolve} turns one event into a change, and it is the same function whether the event
 * was decided a moment ago or read back from the journal; so what recovery rebuilds is what was there. It never decides
 * anything and never reads a clock.
 *
 * Beside events there are two things that a cache remembers of being read, which nobody journals one by one: that an entry
 * was used, and whether a read hit or missed.
 */
import { CacheError } from '../errors.js'
import type { CacheEvent } from '../model/event.js'
import type { Slot } from '../model/state.js'
import type { StoredValue } from '../model/stored-value.js'
import type { Replacement } from './replacement.js'
import type { State } from './state.js'

/** @param replacement What a `loaded` event puts in place: the rows of the file that it names. */
export function evolve(state: State, event: CacheEvent, replacement?: Replacement): void {
  const { entries, counters, undo } = state
  switch (event.type) {
    case 'set': {
      evolveSet(state, entries.find(event.key), event.key, event.value, event.expiresAtMs)
      return
    }
    case 'deleted':
      counters.deletes++
      remove(state, event.key, 'deletes')
      return
    case 'expired':
      counters.expirations++
      remove(state, event.key, 'expirations')
      return
    case 'evicted':
      counters.evictions++
      remove(state, event.key, 'evictions')
      return
    case 'rescheduled': {
      const slot = entries.find(event.key)
      if (slot === undefined) return
      if (undo.isRecording) undo.rescheduled(entries, slot)
      entries.reschedule(slot, event.expiresAtMs)
      return
    }
    case 'cleared':
      if (undo.isRecording) undo.replacedAll(state)
      state.entries = state.emptyEntries()
      counters.reset()
      return
    case 'loaded':
      if (replacement === undefined)
        throw new CacheError('INTERNAL', `${event.file} was not read before it was put in place.`)
      if (undo.isRecording) undo.replacedAll(state)
      state.entries = replacement.entries
      counters.copyFrom(replacement.counters)
      return
  }
}

/** A `set` event whose entry, if there is one, was found already. */
export function evolveSet(
  state: State,
  slot: Slot | undefined,
  key: string,
  value: StoredValue,
  expiresAtMs: number,
): void {
  const { entries, undo } = state
  const weight = state.weigh(key, value)
  state.counters.sets++
  if (slot === undefined) {
    const added = entries.add(key, value, expiresAtMs, weight)
    if (undo.isRecording) undo.added(added)
  } else {
    if (undo.isRecording) undo.replaced(entries, slot)
    entries.replace(slot, value, expiresAtMs, weight)
    entries.recency.touch(slot)
  }
}

function remove(state: State, key: string, counter: 'deletes' | 'expirations' | 'evictions'): void {
  const slot = state.entries.find(key)
  if (slot === undefined) return // the journal's checksums held, so this is an event of a newer daybook: nothing to remove
  if (state.undo.isRecording) state.undo.removed(state.entries, slot, counter)
  state.entries.remove(slot)
}

/** A read that found its entry: it is now the most recently used. */
export function recordHit(state: State, slot: Slot): void {
  state.counters.hits++
  const { entries, undo } = state
  state.isOrderJournaled = false
  if (undo.isRecording) undo.touched(entries, slot)
  entries.recency.touch(slot)
}

export function recordMiss(state: State): void {
  state.counters.misses++
  if (state.undo.isRecording) state.undo.missed()
}

/** Restores the order of use that a clean close wrote down: every key in turn becomes the most recently used. */
export function restoreRecency(state: State, keys: Iterable<string>): void {
  for (const key of keys) {
    const slot = state.entries.find(key)
    if (slot !== undefined) state.entries.recency.touch(slot)
  }
}
