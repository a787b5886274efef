/** What recovery replays to. Before: `replay`. After: `core/evolve`. */
import { evolve, evolveRow, evolveSet, restoreRecency } from '../../core/evolve/evolve.js'
import { Replacement } from '../../core/evolve/replacement.js'
import type { State } from '../../core/evolve/state.js'
import type { JournalReceiver } from '../contract.js'

/** A receiver that rebuilds the state, with the same functions that changed it when the journal was written. */
export function receiverFor(state: State, progress: JournalReceiver['progress']): JournalReceiver {
  return {
    row: (key, value, expiresAtMs) => evolveRow(state, key, value, expiresAtMs),
    set: (key, value, expiresAtMs) => evolveSet(state, state.find(key), key, value, expiresAtMs),
    event: (event, rows) => evolve(state, event, rows as Replacement | undefined), // what loadedRows() made
    loadedRows: () => new Replacement(state),
    reset: () => evolve(state, { type: 'cleared' }),
    counters: (counters) => state.recount(counters),
    recency: (keys) => restoreRecency(state, keys),
    progress,
  }
}
