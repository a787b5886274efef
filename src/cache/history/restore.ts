/**
 * Makes entries as they were: the past is compared with the present, and the differences are one turn. Before: `looking-back.ts`, which has
 * read the past. After: `turns/turns`.
 */
import { refuseTooManyTags } from '../../core/decide/decide.js'
import type { KeyMatcher } from '../../core/decide/glob.js'
import type { State } from '../../core/evolve/state.js'
import type { CacheEvent, SetEvent } from '../../core/model/event.js'
import { hasExpired } from '../../core/model/expiry.js'
import { extensionOf } from '../../core/model/extension.js'
import type { Slot } from '../../core/model/state.js'
import { refuseTooLarge } from '../../durable/journal/pending-frames.js'
import { storedEntryIn } from '../turns/stored-entry.js'
import type { Turns } from '../turns/turns.js'
import { isSameEntry } from './same-value.js'

export interface RestoreResult {
  /** Entries that were set as they were. */
  set: number
  /** Entries that were deleted, because the key had none then, or it has expired since. */
  deleted: number
  /** Entries that are as they were. */
  unchanged: number
}

export interface RestoreParts {
  state: State
  turns: Turns
  /** The keys that are being loaded. */
  loading: () => string[]
}

/** @param pastMs What had expired then is left out. */
export function restorePast(
  { state, turns, loading }: RestoreParts,
  { past, pastMs, matches, nowMs }: { past: State; pastMs: number; matches: KeyMatcher; nowMs: number },
  isDryRun: boolean,
): RestoreResult {
  const isWanted = (slot: Slot | undefined): slot is Slot =>
    slot !== undefined && !hasExpired(past.deadlineAt(slot), Math.max(pastMs, nowMs))
  const result: RestoreResult = { set: 0, deleted: 0, unchanged: 0 }
  const removals: CacheEvent[] = []
  /** Of the past. */
  const unchanged = new Set<Slot>()
  let { size, bytes } = state
  for (const slot of slotsOf(state)) {
    const key = state.keyAt(slot)
    if (!matches(key)) continue
    const was = past.find(key)
    if (hasExpired(state.deadlineAt(slot), nowMs)) removals.push({ type: 'expired', key })
    else if (!isWanted(was)) {
      removals.push({ type: 'deleted', key })
      result.deleted++
    } else if (isSameEntry(storedEntryIn(state.entries, slot), storedEntryIn(past.entries, was))) {
      unchanged.add(was)
      result.unchanged++
      continue
    }
    // It is removed, or set below.
    bytes -= state.weightAt(slot)
    size--
  }
  const sets: SetEvent[] = []
  for (const slot of slotsOf(past)) {
    const key = past.keyAt(slot)
    if (unchanged.has(slot) || !isWanted(slot) || !matches(key)) continue
    const extension = extensionOf(past.freshUntilAt(slot), past.tagsAt(slot))
    const event = { type: 'set', key, value: past.valueAt(slot), expiresAtMs: past.deadlineAt(slot) } as const
    sets.push(extension === undefined ? event : { ...event, extension })
    bytes += state.weigh(key, event.value, extension?.tags)
    size++
  }
  result.set = sets.length
  refuseAbove(state, size, bytes, result)
  try {
    turns.transact(() => {
      for (const event of removals) turns.record([event], nowMs)
      for (const event of sets) {
        refuseTooManyTags(state, event.extension)
        turns.record([event], nowMs)
      }
      if (isDryRun) {
        refuseTooLarge([...removals, ...sets])
        throw DRY_RUN
      }
      // A value that a loader returns after this must not be stored, not even over an entry that is as it was.
      for (const key of loading().filter(matches)) turns.overrule(key)
    })
  } catch (error) {
    if (error === DRY_RUN) return result
    if (error instanceof RangeError) throw new RangeError(`${counted(result)}. ${error.message}`, { cause: error })
    throw error
  }
  return result
}

/** Undoes a dry run, which is refused for the same reasons as the real one. */
const DRY_RUN = new Error('dry run')

function refuseAbove(state: State, size: number, bytes: number, result: RestoreResult): void {
  const { maxSize, maxBytes, entriesMax } = state
  const most = Math.min(maxSize, entriesMax)
  const above =
    size > most ? `${size} entries, and it has room for ${most}` : `${bytes} bytes, above maxBytes (${maxBytes})`
  if (size <= most && bytes <= maxBytes) return
  throw new RangeError(
    `${counted(result)}: the cache would then hold ${above}. Nothing was changed: raise the limit, or restore fewer keys.`,
  )
}

function counted({ set, deleted, unchanged }: RestoreResult): string {
  return `restore() would set ${set} entries, delete ${deleted} and leave ${unchanged} as they are`
}

function* slotsOf(state: State): Generator<Slot, void, undefined> {
  const cursor = state.inOrder()
  for (let slot = cursor.next(); slot !== undefined; slot = cursor.next()) yield slot
}
