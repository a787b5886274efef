/**
 * Third stop on the path of a message. Before: `cache/` made a command. After: `evolve/`.
 *
 * What a command comes to, as a pure function of the state and the command: {@link decideRemoval} says what has to go
 * first (an entry that has expired, or one that makes room), one event at a time until there is nothing left to remove;
 * then {@link decide} says what happens.
 */
import { ValueError } from '../../errors.js'
import type { Command, IncrementCommand, SetCommand } from '../model/command.js'
import type { CacheEvent, RemovedEvent } from '../model/event.js'
import type { ReadableState, Slot } from '../model/state.js'

/** Expiry is `now >= deadline`: with a ttl of 10 s an entry is there at 9.999 s and gone at 10.000 s. */
export function isExpired(state: ReadableState, slot: Slot, nowMs: number): boolean {
  return nowMs >= state.deadlineAt(slot)
}

/** The entry under a key, if it has not expired. */
export function findLive(state: ReadableState, key: string, nowMs: number): Slot | undefined {
  const slot = state.find(key)
  return slot === undefined || isExpired(state, slot, nowMs) ? undefined : slot
}

/** The entry that is longest past its deadline, if any is. */
export function decideExpiry(state: ReadableState, nowMs: number): RemovedEvent | undefined {
  const slot = state.nextToExpire
  return slot !== undefined && isExpired(state, slot, nowMs) ? { type: 'expired', key: state.keyAt(slot) } : undefined
}

/** What must be removed before `command` can be decided. Ask again until the answer is `undefined`. */
export function decideRemoval(state: ReadableState, command: Command): RemovedEvent | undefined {
  if (command.type === 'clear') return undefined
  const slot = state.find(command.key)
  if (slot !== undefined && isExpired(state, slot, command.nowMs)) return { type: 'expired', key: command.key }
  switch (command.type) {
    case 'set':
      if (command.only === (slot === undefined ? 'present' : 'absent')) return undefined
      return decideRoom(state, command, slot)
    case 'increment':
      return decideRoom(state, command, slot)
    default:
      return undefined
  }
}

/**
 * Room for one more entry, or for a heavier value: an expired entry goes before a live one is evicted, and the least
 * recently used live one is evicted first. An entry that is only replaced evicts nobody, unless it outgrows `maxBytes`.
 */
function decideRoom(
  state: ReadableState,
  command: SetCommand | IncrementCommand,
  existing: Slot | undefined,
): RemovedEvent | undefined {
  const isFull = existing === undefined && state.size >= state.maxSize
  if (!isFull && (state.maxBytes === Number.POSITIVE_INFINITY || fits(state, command, existing))) return undefined
  const expired = decideExpiry(state, command.nowMs)
  if (expired !== undefined) return expired
  let victim = state.oldest
  if (victim !== undefined && victim === existing) victim = state.newerThan(victim)
  return victim === undefined ? undefined : { type: 'evicted', key: state.keyAt(victim) }
}

function fits(state: ReadableState, command: SetCommand | IncrementCommand, existing: Slot | undefined): boolean {
  const value = command.type === 'set' ? command.value : sum(state, command, existing)
  const weight = state.weigh(command.key, value)
  if (weight > state.maxBytes) {
    throw new RangeError(
      `The entry weighs ${weight} bytes (encoded key and value), more than all of maxBytes (${state.maxBytes}). ` +
        'Nothing was changed: store less, or raise maxBytes.',
    )
  }
  return state.bytes - (existing === undefined ? 0 : state.weightAt(existing)) + weight <= state.maxBytes
}

/** What happens, once nothing is in the way; `undefined` when nothing does. Throws for what must not happen. */
export function decide(state: ReadableState, command: Command): CacheEvent | undefined {
  if (command.type === 'clear') return { type: 'cleared' }
  const { key } = command
  const slot = state.find(key)
  switch (command.type) {
    case 'set':
      if (command.only === (slot === undefined ? 'present' : 'absent')) return undefined
      return { type: 'set', key, value: command.value, expiresAtMs: command.expiresAtMs }
    case 'increment': {
      const value = sum(state, command, slot)
      return { type: 'set', key, value, expiresAtMs: slot === undefined ? command.expiresAtMs : state.deadlineAt(slot) }
    }
    case 'delete':
      return slot === undefined ? undefined : { type: 'deleted', key }
    case 'expire':
      return slot === undefined ? undefined : { type: 'rescheduled', key, expiresAtMs: command.expiresAtMs }
    case 'persist':
      if (slot === undefined || state.deadlineAt(slot) === Number.POSITIVE_INFINITY) return undefined
      return { type: 'rescheduled', key, expiresAtMs: Number.POSITIVE_INFINITY }
    default:
      return undefined
  }
}

function sum(state: ReadableState, command: IncrementCommand, slot: Slot | undefined): number {
  const current = slot === undefined ? 0 : state.valueAt(slot)
  if (typeof current !== 'number' || !Number.isFinite(current)) {
    throw new ValueError(
      `Cannot increment ${JSON.stringify(command.key).slice(0, 80)}: it holds ${kindOf(current)}, not a finite number. ` +
        'Nothing was changed: set a number first, or delete the key.',
    )
  }
  const result = slot === undefined ? command.by : current + command.by
  if (!Number.isFinite(result) || (Number.isInteger(result) && !Number.isSafeInteger(result))) {
    throw new RangeError(
      `Incrementing by ${command.by} would take the value to ${result}, past ±(2^53 − 1), where whole numbers are no longer exact. ` +
        'Nothing was changed: increment by less, or set the value.',
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
