/** The state at a place in the past, or only the entries that match. Before: `looking-back.ts`. After: `durable/history/past`. */
import type { KeyMatcher } from '../../core/decide/glob.js'
import type { Entries } from '../../core/evolve/entries.js'
import { State } from '../../core/evolve/state.js'
import type { Sequence } from '../../core/model/sequence.js'
import type { Slot } from '../../core/model/state.js'
import type { JournalReceiver } from '../../durable/contract.js'
import { encodedBytes } from '../../durable/format/encode-event.js'
import type { Past } from '../../durable/history/past.js'
import { receiverFor } from '../../durable/history/replayed-state.js'
import { slices } from '../../durable/history/slices.js'

/** @param matches Without it: everything, in the order of use. */
export async function readPast(past: Past, sequence: Sequence, matches: KeyMatcher | undefined): Promise<State> {
  const state = emptyState()
  const receiver = receiverFor(state, () => undefined)
  await past.readAt(sequence, matches === undefined ? receiver : onlyMatching(receiver, matches))
  await receiver.restoreOrderInSlices(slices())
  return state
}

export function emptyState(): State {
  return new State({ maxSize: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY, weigh: encodedBytes })
}

/** Passes on what concerns these keys. An order of use is that of all entries, so it is omitted. */
export function onlyMatching(receiver: JournalReceiver, matches: KeyMatcher): JournalReceiver {
  return {
    ...receiver,
    row: (key, ...entry) => !matches(key) || receiver.row(key, ...entry),
    set: (key, ...entry) => {
      if (matches(key)) receiver.set(key, ...entry)
    },
    event: (event, rows) => {
      if (!('key' in event) || matches(event.key)) receiver.event(event, rows)
    },
    loadedRows: () => {
      const rows = receiver.loadedRows()
      const add = rows.add.bind(rows)
      rows.add = (key, ...entry) => !matches(key) || add(key, ...entry)
      return rows
    },
    order: () => undefined,
    recency: () => undefined,
  }
}

/** The slot of an entry that is neither stale nor expired at that time. */
export function findLive(state: State, key: string, nowMs: number): Slot | undefined {
  const slot = state.find(key)
  return slot !== undefined && nowMs < state.liveUntilAt(slot) ? slot : undefined
}

/** When an entry becomes stale or expires. */
export function liveUntilIn({ deadlines, windows }: Entries, slot: Slot): number {
  return Math.min(deadlines.get(slot), windows.get(slot))
}
