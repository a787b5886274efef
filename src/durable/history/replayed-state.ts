/** What recovery replays to. Before: `replay`. After: `core/evolve`. */
import { evolve, evolveLimits, evolveRow, evolveSet, restoreRecency } from '../../core/evolve/evolve.js'
import { Replacement } from '../../core/evolve/replacement.js'
import type { State } from '../../core/evolve/state.js'
import { atOnce, restoreUse } from '../../core/evolve/use-order.js'
import { MalformedBytesError } from '../../values/bytes/byte-reader.js'
import type { JournalReceiver } from '../contract.js'
import { decodeUseOrder, useOrderCount } from '../format/use-order.js'

/** Rebuilds the state, with the same functions that changed it when the journal was written. */
export interface StateReceiver extends JournalReceiver {
  /** Restores the last order of use. Called once, after everything has been received. Earlier ones are not even decoded. */
  restoreOrder(): void
  /** The same in slices, for a state that nobody uses yet. */
  restoreOrderInSlices(pause: () => Promise<void> | undefined): Promise<void>
}

export function receiverFor(state: State, progress: JournalReceiver['progress']): StateReceiver {
  let order: Uint8Array | undefined
  const restoring = () =>
    restoreUse(state.entries, (count) => (order === undefined ? undefined : ranksOf(order, count)))
  return {
    row: (key, value, expiresAtMs, extension) => evolveRow(state, key, value, expiresAtMs, extension),
    set: (key, value, expiresAtMs, extension) => evolveSet(state, state.find(key), key, value, expiresAtMs, extension),
    event: (event, rows) => evolve(state, event, rows as Replacement | undefined), // what loadedRows() made
    loadedRows: () => new Replacement(state),
    limits: (limits) => evolveLimits(state, limits),
    noted: (note) => state.answers.evolve(note),
    reset: () => {
      evolve(state, { type: 'cleared' })
      state.answers.reset()
      state.areLimitsJournaled = false
      order = undefined
    },
    counters: (counters) => state.recount(counters),
    order: (bytes) => {
      state.entries.markUse()
      order = bytes
    },
    restoreOrder: () => atOnce(restoring()),
    restoreOrderInSlices: async (pause) => {
      for (const _ of restoring()) {
        const pausing = pause()
        if (pausing !== undefined) await pausing
      }
    },
    recency: (keys) => restoreRecency(state, keys),
    progress,
  }
}

/** Undefined if the order does not fit: the entries then stay in the order in which they were written. */
function ranksOf(order: Uint8Array, count: number): Uint32Array | undefined {
  try {
    return useOrderCount(order) === count ? decodeUseOrder(order) : undefined
  } catch (error) {
    if (error instanceof MalformedBytesError) return undefined
    throw error
  }
}
