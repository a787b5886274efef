/**
 * (state, event) → state. The only writer of state. Before: the events were appended to the journal. After: the reply, then
 * the streams.
 *
 * {@link evolve} is the same function for an event that was just decided and for one that is read from the journal, so
 * recovery rebuilds the same state. It decides nothing and never reads a clock.
 *
 * Reads also change two things, which are not journaled one by one: the order of use, and the counts of hits and misses.
 */
import { CacheError } from '../../errors.js'
import { Counters } from '../model/counters.js'
import type { CacheEvent } from '../model/event.js'
import type { Extension } from '../model/extension.js'
import type { Limits } from '../model/limits.js'
import type { Note } from '../model/note.js'
import type { Slot } from '../model/state.js'
import type { StoredValue } from '../model/stored-value.js'
import type { Entries } from './entries.js'
import type { Replacement } from './replacement.js'
import type { State } from './state.js'

/** @param replacement For a `loaded` event: the rows of the file that it names. */
export function evolve(state: State, event: CacheEvent, replacement?: Replacement): void {
  switch (event.type) {
    case 'set':
      evolveSet(state, state.entries.find(event.key), event.key, event.value, event.expiresAtMs, event.extension)
      return
    case 'deleted':
      remove(state, event.key, 'deletes')
      return
    case 'expired':
      remove(state, event.key, 'expirations')
      return
    case 'evicted':
      evict(state, event.key)
      return
    case 'rescheduled':
      reschedule(state, event.key, event.expiresAtMs, event.freshUntilMs)
      return
    case 'cleared':
      replaceAll(state, state.emptyEntries(), NOTHING_COUNTED)
      return
    case 'loaded':
      if (replacement === undefined) throw new CacheError('INTERNAL', `The rows of ${event.file} are missing`)
      replaceAll(state, replacement.entries, replacement.counters)
      return
    case 'limited':
      if (state.undo.isRecording) state.undo.limited(state)
      evolveLimits(state, event)
      return
  }
}

/** A note that belongs to a frame. */
export function evolveNote(state: State, note: Note): void {
  const { answers, undo } = state
  if (undo.isSpeculative && undo.isRecording) undo.noted(answers, note)
  answers.evolve(note)
}

/** The limits, as an event, a snapshot or the first frame of a journal says. */
export function evolveLimits(state: State, limits: Limits): void {
  state.limit(limits)
  state.areLimitsJournaled = true
}

/** A `set` event. `slot`: the slot of its key, if there is an entry. */
export function evolveSet(
  state: State,
  slot: Slot | undefined,
  key: string,
  value: StoredValue,
  expiresAtMs: number,
  extension?: Extension,
): void {
  if (slot === undefined) addEntry(state, key, value, expiresAtMs, extension)
  else replaceEntry(state, slot, key, value, expiresAtMs, extension)
  state.counters.sets++
}

function replaceEntry(
  state: State,
  slot: Slot,
  key: string,
  value: StoredValue,
  expiresAtMs: number,
  extension: Extension | undefined,
): void {
  const { entries, undo } = state
  if (undo.isRecording) undo.replaced(entries, slot)
  const weight = entries.isWeighed ? state.weigh(key, value, extension?.tags) : 0
  entries.replace(slot, value, expiresAtMs, weight, extension)
  entries.order.use(slot)
}

function addEntry(
  state: State,
  key: string,
  value: StoredValue,
  expiresAtMs: number,
  extension: Extension | undefined,
): void {
  const { entries, undo } = state
  state.refuseBeyondMap(entries)
  const weight = entries.isWeighed ? state.weigh(key, value, extension?.tags) : 0
  const slot = entries.add(key, value, expiresAtMs, weight, extension)
  if (undo.isRecording) undo.added(slot, key)
}

/** A row of a snapshot, in which each key occurs once. Returns whether the key is indeed new. */
export function evolveRow(
  state: State,
  key: string,
  value: StoredValue,
  expiresAtMs: number,
  extension?: Extension,
): boolean {
  const { entries } = state
  const before = entries.size
  state.refuseBeyondMap(entries)
  entries.add(key, value, expiresAtMs, state.weigh(key, value, extension?.tags), extension)
  return entries.size > before
}

function remove(state: State, key: string, counter: 'deletes' | 'expirations'): void {
  const { entries, undo } = state
  const slot = entries.find(key)
  if (slot === undefined) return // the journal's checksums matched, so a newer daybook wrote this: nothing to remove
  if (undo.isRecording) undo.removed(entries, slot, counter)
  entries.remove(slot)
  state.counters[counter]++
}

function evict(state: State, key: string): void {
  const slot = state.entries.find(key)
  if (slot !== undefined) evolveEviction(state, slot)
}

/** An `evicted` event, by the slot of its key. */
export function evolveEviction(state: State, slot: Slot): void {
  if (state.undo.isRecording) state.undo.removed(state.entries, slot, 'evictions')
  state.evict(slot)
  state.counters.evictions++
}

function reschedule(state: State, key: string, expiresAtMs: number, freshUntilMs = Number.POSITIVE_INFINITY): void {
  const { entries, undo } = state
  const slot = entries.find(key)
  if (slot === undefined) return
  if (undo.isRecording) undo.rescheduled(entries, slot)
  entries.reschedule(slot, expiresAtMs, freshUntilMs)
}

function replaceAll(state: State, entries: Entries, counters: Readonly<Counters>): void {
  if (state.undo.isRecording) state.undo.replacedAll(state, counters)
  state.replaceEntries(entries)
  state.recount(counters)
  state.entries.order.begin(state.size)
}

/** A read, if `state.isReadPlain`. Otherwise see `cache/turns/reads.ts`. */
export function readPlain(state: State, key: string): StoredValue | undefined {
  const { entries, counters } = state
  const slot = entries.find(key)
  if (slot === undefined) {
    counters.misses++
    return undefined
  }
  entries.order.use(slot)
  counters.hits++
  return entries.valueAt(slot)
}

/** A read that found its entry. */
export function recordHit(state: State, slot: Slot): void {
  const { entries, undo } = state
  if (undo.isRecording) undo.touched(entries, slot, 'hits')
  entries.order.use(slot)
  state.counters.hits++
}

/** A use that is not a read. */
export function recordUse(state: State, slot: Slot): void {
  const { entries, undo } = state
  if (undo.isRecording) undo.touched(entries, slot, undefined)
  entries.order.use(slot)
  state.reordered()
}

export function recordMiss(state: State): void {
  if (state.undo.isRecording) state.undo.missed()
  state.counters.misses++
}

/**
 * Restores the order of use that a clean close wrote: each key in turn becomes the most recently used. Usually the order has
 * hardly changed, so the next key is that of the next entry. Checking that one first saves a lookup, which took half of the
 * time for a million keys.
 */
export function restoreRecency(state: State, keys: Iterable<string>): void {
  const { entries } = state
  let next = entries.order.first
  for (const key of keys) {
    const slot = next !== undefined && entries.keyAt(next) === key ? next : entries.find(key)
    if (slot === undefined) continue
    next = entries.order.next(slot)
    entries.order.moveToEnd(slot)
  }
}

const NOTHING_COUNTED: Readonly<Counters> = new Counters()
