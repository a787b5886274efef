import type { Entries } from '../../core/evolve/entries.js'
import type { Slot } from '../../core/model/state.js'
import type { StoredValue } from '../../core/model/stored-value.js'
import { type Times, timesOf } from './times.js'

/** An entry with its times and its tags. */
export interface StoredEntry extends Times {
  readonly value: StoredValue
  readonly tags: string[]
}

/** An entry as `entry()` returns it, now or in the past. */
export function storedEntryIn(entries: Entries, slot: Slot): StoredEntry {
  const times = timesOf(entries.deadlines.get(slot), entries.windows.get(slot))
  return { value: entries.valueAt(slot), ...times, tags: [...entries.tags.of(slot)] }
}
