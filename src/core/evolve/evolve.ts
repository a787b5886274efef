/**
 * The only writer of state. Before: the journal was given the events. After: the reply, then the streams.
 *
 * {@link evolve} turns one event into a change, and it is the same function whether the event was decided a moment ago or
 * read back from the journal; so what recovery rebuilds is what was there. It never decides anything and never reads a clock.
 *
 * Beside events there are two things that a cache remembers of being read, which nobody journals one by one: that an entry
 * was used, and whether a read hit or missed.
 */
import { CacheError } from '../../errors.js'
import { Counters } from '../model/counters.js'
import type { CacheEvent } from '../model/event.js'
import type { Slot } from '../model/state.js'
import type { StoredValue } from '../model/stored-value.js'
import type { Entries } from './entries.js'
import type { Replacement } from './replacement.js'
import type { State } from './state.js'

/** @param replacement What a `loaded` event puts in place: the rows of the file that it names. */
export function evolve(state: State, event: CacheEvent, replacement?: Replacement): void {
  switch (event.type) {
    case 'set':
      evolveSet(state, state.entries.find(event.key), event.key, event.value, event.expiresAtMs)
      return
    case 'deleted':
      remove(state, event.key, 'deletes')
      return
    case 'expired':
      remove(state, event.key, 'expirations')
      return
    case 'evicted':
      remove(state, event.key, 'evictions')
      return
    case 'rescheduled':
      reschedule(state, event.key, event.expiresAtMs)
      return
    case 'cleared':
      replaceAll(state, state.emptyEntries(), NOTHING_COUNTED)
      return
    case 'loaded':
      if (replacement === undefined)
        throw new CacheError('INTERNAL', `${event.file} was not read before it was put in place.`)
      replaceAll(state, replacement.entries, replacement.counters)
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
  if (slot === undefined) addEntry(state, key, value, expiresAtMs)
  else {
    if (undo.isRecording) undo.replaced(entries, slot)
    entries.replace(slot, value, expiresAtMs, state.weigh(key, value))
    entries.recency.touch(slot)
  }
  state.counters.sets++
}

function addEntry(state: State, key: string, value: StoredValue, expiresAtMs: number): void {
  const { entries, undo } = state
  refuseBeyondMap(state)
  const slot = entries.add(key, value, expiresAtMs, state.weigh(key, value))
  if (undo.isRecording) undo.added(slot)
}

/** A `set` event of a snapshot, which tells each key once. Returns whether the key is indeed new. */
export function evolveRow(state: State, key: string, value: StoredValue, expiresAtMs: number): boolean {
  const { entries } = state
  const before = entries.size
  refuseBeyondMap(state)
  entries.add(key, value, expiresAtMs, state.weigh(key, value))
  return entries.size > before
}

/** `decide` lets no cache come here. A journal may: written by another program, or by a V8 whose Map holds more. */
function refuseBeyondMap({ entries, entriesMax }: State): void {
  if (entries.size < entriesMax) return
  throw new CacheError(
    'JOURNAL_UNREADABLE',
    `The journal holds more than ${entriesMax} entries, and one JavaScript Map cannot hold more. No file was changed; shorten the journal with "daybook repair --to".`,
  )
}

function remove(state: State, key: string, counter: 'deletes' | 'expirations' | 'evictions'): void {
  const { entries, undo } = state
  const slot = entries.find(key)
  if (slot === undefined) return // the journal's checksums held, so this is an event of a newer daybook: nothing to remove
  if (undo.isRecording) undo.removed(entries, slot, counter)
  entries.remove(slot)
  state.counters[counter]++
}

function reschedule(state: State, key: string, expiresAtMs: number): void {
  const { entries, undo } = state
  const slot = entries.find(key)
  if (slot === undefined) return
  if (undo.isRecording) undo.rescheduled(entries, slot)
  entries.reschedule(slot, expiresAtMs)
}

function replaceAll(state: State, entries: Entries, counters: Readonly<Counters>): void {
  if (state.undo.isRecording) state.undo.replacedAll(state)
  state.entries = entries
  state.counters.copyFrom(counters)
}

/** A read that found its entry: it is now the most recently used. */
export function recordHit(state: State, slot: Slot): void {
  const { entries, undo } = state
  if (undo.isRecording) undo.touched(entries, slot)
  entries.recency.touch(slot)
  state.counters.hits++
  state.isOrderJournaled = false
}

export function recordMiss(state: State): void {
  if (state.undo.isRecording) state.undo.missed()
  state.counters.misses++
}

/**
 * Restores the order of use that a clean close wrote down: every key in turn becomes the most recently used. Where the order is
 * mostly what it was, the next key is mostly that of the next entry: a glance at that one first saves finding each, which
 * took half of the time that a million keys in a journal's recency frames cost.
 */
export function restoreRecency(state: State, keys: Iterable<string>): void {
  const { entries } = state
  let next = entries.recency.oldest
  for (const key of keys) {
    const slot = next !== undefined && entries.keyAt(next) === key ? next : entries.find(key)
    if (slot === undefined) continue
    next = entries.recency.newerThan(slot)
    entries.recency.touch(slot)
  }
}

const NOTHING_COUNTED: Readonly<Counters> = new Counters()
