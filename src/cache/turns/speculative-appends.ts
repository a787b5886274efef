/**
 * The appends of a journal that may take them back: each tells the undo log that a turn begins. Before: `turns.ts`. After: the journal.
 * Other journals are called without this, so that they pay nothing for it.
 */
import type { UndoLog } from '../../core/evolve/undo.js'
import type { Journal } from '../../durable/contract.js'

/** What a turn needs of a journal. */
export type Appends = Pick<Journal, 'append' | 'appendSet'>

export class SpeculativeAppends implements Appends {
  readonly #journal: Appends
  readonly #undo: UndoLog
  readonly appendSet?: NonNullable<Appends['appendSet']>

  constructor(journal: Appends, undo: UndoLog) {
    this.#journal = journal
    this.#undo = undo
    if (journal.appendSet !== undefined) this.appendSet = this.#appendSet
  }

  readonly append: Appends['append'] = (events, note) => {
    const first = note === undefined ? this.#journal.append(events) : this.#journal.append(events, note)
    this.#undo.appended(first + Math.max(events.length, 1) - 1) // a note alone is written with the next event
    return first
  }

  readonly #appendSet: NonNullable<Appends['appendSet']> = (key, value, expiresAtMs, evicted) => {
    const first = this.#journal.appendSet?.(key, value, expiresAtMs, evicted) as number // called only if there is one
    this.#undo.appended(evicted === undefined ? first : first + 1)
    return first
  }
}
