/**
 * (state, command) → events: everything that happens, in order. Pure: it changes nothing.
 * Before: `cache/` makes a command. After: the events are appended to the journal, then applied by `evolve/`.
 */
import { describe, ValueError } from '../../errors.js'
import type { Command, IncrementCommand, LimitCommand, SetCommand } from '../model/command.js'
import type { CacheEvent } from '../model/event.js'
import { hasExpired } from '../model/expiry.js'
import { type Extension, extensionOf, NO_TAGS, TAGS_MAX } from '../model/extension.js'
import { fits, type Limits } from '../model/limits.js'
import type { ReadableState, Slot } from '../model/state.js'
import type { StoredValue } from '../model/stored-value.js'
import { isStale, type Life, lifeOf, rescheduled } from './stale.js'
import { decideTagged } from './tagged.js'

/** @throws RangeError or ValueError for a change that is refused. */
export function decide(state: ReadableState, command: Command): CacheEvent[] {
  const events: CacheEvent[] = []
  switch (command.type) {
    case 'clear':
      events.push({ type: 'cleared' })
      return events
    case 'cleanup':
      removeExpired(state, command.nowMs, command.limit, events)
      return events
    case 'limit':
      return limit(state, command)
    case 'deleteTag':
    case 'expireTag':
      return decideTagged(state, command)
  }
  const { key, nowMs } = command
  const found = state.find(key)
  const isGone = found !== undefined && hasExpired(state.deadlineAt(found), nowMs)
  const slot = found === undefined || isGone || isStale(state, found, nowMs) ? undefined : found
  if (isGone) events.push({ type: 'expired', key })
  switch (command.type) {
    case 'set':
      if (command.only === (slot === undefined ? 'present' : 'absent')) break
      store(state, command, command.value, lifeToSet(state, command, slot), found, events)
      break
    case 'increment': {
      const value = sum(state, key, command.by, slot)
      store(state, command, value, lifeToKeep(state, command.expiresAtMs, slot), found, events)
      break
    }
    case 'delete':
      if (found !== undefined && !isGone) events.push({ type: 'deleted', key })
      break
    case 'expire':
      if (slot !== undefined)
        events.push({ type: 'rescheduled', key, ...rescheduled(state, slot, command.expiresAtMs) })
      break
    case 'persist':
      if (slot !== undefined && Math.min(state.deadlineAt(slot), state.freshUntilAt(slot)) !== Number.POSITIVE_INFINITY)
        events.push({ type: 'rescheduled', key, expiresAtMs: Number.POSITIVE_INFINITY })
  }
  return events
}

/** A command's return value: the sum of an increment, how many entries a tag command affected, or whether the command had an effect. */
export function replyTo(command: Command, events: readonly CacheEvent[]): unknown {
  const last = events.at(-1)
  switch (command.type) {
    case 'increment':
      return last?.type === 'set' ? last.value : undefined
    case 'set':
      return last?.type === 'set'
    case 'delete':
      return last?.type === 'deleted'
    case 'expire':
    case 'persist':
      return last?.type === 'rescheduled'
    case 'deleteTag':
    case 'expireTag': {
      let count = 0
      for (const { type } of events) if (type !== 'expired') count++
      return count
    }
    default:
      return undefined
  }
}

/**
 * Whether a `set` leads to its own event and nothing else, so that it need not be decided. `slot` is the key's slot; `nowMs` is
 * undefined if the clock has not been read.
 */
export function isSetAlone(state: ReadableState, slot: Slot | undefined, nowMs: number | undefined): boolean {
  if (state.maxBytes !== Number.POSITIVE_INFINITY) return false
  if (slot === undefined) {
    const { size } = state // a function call or two
    return size < state.maxSize && size < state.entriesMax
  }
  const deadlineMs = state.deadlineAt(slot)
  return deadlineMs === Number.POSITIVE_INFINITY || (nowMs !== undefined && !hasExpired(deadlineMs, nowMs))
}

/**
 * The entry whose eviction makes room for a new one, if a `set` of a new key leads to this and to nothing else. `nowMs` is undefined
 * if the clock has not been read.
 */
export function victimOf(state: ReadableState, nowMs: number | undefined): Slot | undefined {
  const { size, maxSize, maxBytes, expiryBoundMs } = state
  if (size !== maxSize || maxBytes !== Number.POSITIVE_INFINITY) return undefined
  const mayHaveExpired =
    expiryBoundMs !== Number.POSITIVE_INFINITY && (nowMs === undefined || hasExpired(expiryBoundMs, nowMs))
  return mayHaveExpired ? undefined : state.byEviction().next()
}

/** The value after an increment. @throws ValueError if the value is not a finite number; RangeError beyond ±(2^53 − 1). */
export function sum(state: ReadableState, key: string, by: number, slot: Slot | undefined): number {
  const current = slot === undefined ? 0 : state.valueAt(slot)
  if (typeof current !== 'number' || !Number.isFinite(current)) {
    throw new ValueError(`Cannot increment ${describe(key)}: it holds ${kindOf(current)}, not a finite number`, {
      advice: 'Set a number first, or delete the key.',
    })
  }
  const result = slot === undefined ? by : current + by
  if (!Number.isFinite(result) || (Number.isInteger(result) && !Number.isSafeInteger(result))) {
    throw new RangeError(
      `Incrementing by ${by} would give ${result}, beyond ±(2^53 − 1), where integers are no longer exact. ` +
        'Nothing was changed. Increment by less, or set the value.',
    )
  }
  return result
}

function kindOf(value: unknown): string {
  if (typeof value === 'string') return 'text'
  if (typeof value === 'number') return String(value)
  if (value === null || typeof value === 'boolean') return String(value)
  return typeof value === 'bigint' ? 'a bigint' : 'an object'
}

/** The deadline, the stale window and the tags of what a `set` stores. `slot`: the live entry under the key. */
function lifeToSet(state: ReadableState, command: SetCommand, slot: Slot | undefined): Life {
  const { expiresAtMs, keepsDeadline = false, staleMs, tags = NO_TAGS } = command
  if (!keepsDeadline || slot === undefined) return lifeOf(expiresAtMs, staleMs, tags)
  const freshUntilMs = state.freshUntilAt(slot)
  const deadlineMs = state.deadlineAt(slot)
  if (staleMs !== undefined) return lifeOf(Math.min(freshUntilMs, deadlineMs), staleMs, tags)
  return { expiresAtMs: deadlineMs, extension: extensionOf(freshUntilMs, tags) }
}

/** Those of a live entry, which an increment keeps; of a new one, which ends at `expiresAtMs`. */
function lifeToKeep(state: ReadableState, expiresAtMs: number, slot: Slot | undefined): Life {
  if (slot === undefined) return lifeOf(expiresAtMs, undefined, NO_TAGS)
  const extension = extensionOf(state.freshUntilAt(slot), state.tagsAt(slot))
  return { expiresAtMs: state.deadlineAt(slot), extension }
}

/** Adds the removals that make room, then the `set` event. `found`: the entry under the key, live, stale or expired. */
function store(
  state: ReadableState,
  { key, nowMs }: SetCommand | IncrementCommand,
  value: StoredValue,
  { expiresAtMs, extension }: Life,
  found: Slot | undefined,
  events: CacheEvent[],
): void {
  const weight = state.weigh(key, value, extension?.tags)
  if (weight > state.maxBytes) {
    throw new RangeError(
      `The entry takes ${weight} bytes (encoded key, value and tags), more than maxBytes (${state.maxBytes}). ` +
        'Nothing was changed. Store less, or raise maxBytes.',
    )
  }
  let size = state.size + 1
  let bytes = state.bytes + weight
  if (found !== undefined) {
    size--
    bytes -= state.weightAt(found)
  }
  if (!fits(state, size, bytes)) size = makeRoom(state, size, bytes, found, nowMs, events)
  if (size > state.entriesMax) {
    throw new RangeError(
      `The cache holds ${state.size} entries, the most that it can. ` +
        'Nothing was changed. Delete entries, or open the cache with a maxSize.',
    )
  }
  if (extension === undefined) events.push({ type: 'set', key, value, expiresAtMs })
  else {
    refuseTooManyTags(state, extension)
    events.push({ type: 'set', key, value, expiresAtMs, extension })
  }
}

/** As if all the tags were new: then no later step can find more. @throws RangeError for more tags than a cache can hold. */
export function refuseTooManyTags(state: ReadableState, extension: Extension | undefined): void {
  if (extension === undefined || state.tagCount + extension.tags.length <= TAGS_MAX) return
  throw new RangeError(
    `The entries have ${state.tagCount} different tags, and there can be ${TAGS_MAX}. Nothing was changed. Use fewer tags.`,
  )
}

/** New limits, and the removals that they need. */
function limit(state: ReadableState, { maxSize, maxBytes, atMost, nowMs }: LimitCommand): CacheEvent[] {
  const isWeighed = state.maxBytes !== Number.POSITIVE_INFINITY
  const weigh = (slot: Slot) =>
    isWeighed ? state.weightAt(slot) : state.measure(state.keyAt(slot), state.valueAt(slot), state.tagsAt(slot))
  let { bytes } = state
  if (!isWeighed && maxBytes !== Number.POSITIVE_INFINITY) {
    const cursor = state.inOrder()
    for (let slot = cursor.next(); slot !== undefined; slot = cursor.next()) bytes += weigh(slot)
  }
  const removals: CacheEvent[] = []
  makeRoom(state, state.size, bytes, undefined, nowMs, removals, { maxSize, maxBytes, atMost, weigh })
  if (removals.length >= atMost || (maxSize === state.maxSize && maxBytes === state.maxBytes)) return removals
  removals.unshift({ type: 'limited', maxSize, maxBytes })
  return removals
}

/** What {@link makeRoom} keeps to. */
interface Room extends Limits {
  /** Removals. */
  atMost: number
  weigh(slot: Slot): number
}

/**
 * Removes at most `atMost` entries, until `size` and `bytes` are within the limits: first expired entries in the
 * order of their deadlines, then live ones in the order of eviction. `own` is the entry that is being replaced, which is not
 * removed to make room for itself. Returns the new size.
 */
function makeRoom(
  state: ReadableState,
  size: number,
  bytes: number,
  own: Slot | undefined,
  nowMs: number,
  events: CacheEvent[],
  room?: Room,
): number {
  const limits = room ?? state
  const atMost = room?.atMost ?? Number.POSITIVE_INFINITY
  const expired = hasExpired(state.expiryBoundMs, nowMs) ? state.expired(nowMs) : undefined
  let cursor = expired ?? state.byEviction()
  while (!fits(limits, size, bytes) && events.length < atMost) {
    const slot = cursor.next()
    if (slot === undefined) {
      if (cursor !== expired) break
      cursor = state.byEviction()
      continue
    }
    // What has expired was removed before anything is evicted.
    if (slot === own || (cursor !== expired && hasExpired(state.deadlineAt(slot), nowMs))) continue
    events.push({ type: cursor === expired ? 'expired' : 'evicted', key: state.keyAt(slot) })
    size--
    bytes -= room === undefined ? state.weightAt(slot) : room.weigh(slot)
  }
  return size
}

function removeExpired(state: ReadableState, nowMs: number, looksMax: number, events: CacheEvent[]): void {
  const expired = state.expired(nowMs, looksMax)
  for (let slot = expired.next(); slot !== undefined; slot = expired.next())
    events.push({ type: 'expired', key: state.keyAt(slot) })
}
