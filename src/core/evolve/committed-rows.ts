/** The rows as of the last commit, while later turns may still be taken back. Before: `cache/turns/replica.ts`. After: a snapshot. */
import { Counters } from '../model/counters.js'
import { type Extension, extensionOf, NO_TAGS } from '../model/extension.js'
import type { Limits } from '../model/limits.js'
import type { AnsweredNote, Note } from '../model/note.js'
import type { Slot } from '../model/state.js'
import type { StoredValue } from '../model/stored-value.js'
import type { Answers, AnswersBefore } from './answers.js'
import type { Entries } from './entries.js'
import { FrozenRows, type Row } from './frozen-rows.js'
import type { State } from './state.js'
import { recounted, type Step } from './undo.js'

/**
 * Frozen rows of the present, and over them the rows that the uncommitted turns have changed, as they were: each step of the undo log,
 * latest first, says what one key had before.
 */
export class CommittedRows {
  readonly count: number
  readonly counters = new Counters()
  readonly limits: Limits | undefined
  readonly notes: readonly AnsweredNote[]
  readonly #rows: FrozenRows
  /** By key: the row that it had, or `undefined` if it had none. */
  readonly #before = new Map<string, Row | undefined>()

  constructor(state: State) {
    let { entries, limits } = state
    this.counters.copyFrom(state.counters)
    const noted: Step[] = []
    for (const step of state.undo.uncommitted()) {
      const { key, value, deadlineMs, extension } = step
      if (step.counter !== undefined) this.counters[step.counter]--
      if (step.change === 'added') this.#before.set(key, undefined)
      else if (step.change === 'replaced' || step.change === 'removed')
        this.#before.set(key, rowOf(key, value, deadlineMs, extension))
      else if (step.change === 'rescheduled') {
        const row = this.#before.get(key) ?? rowIn(entries, key)
        const tags = row.extension?.tags ?? NO_TAGS
        this.#before.set(key, rowOf(key, row.value, deadlineMs, extensionOf(step.freshUntilMs, tags)))
      } else if (step.change === 'replaced all') {
        entries = step.entries as Entries // replacedAll() has set them
        this.#before.clear()
        this.counters.copyFrom(recounted(step, this.counters))
      } else if (step.change === 'limited') limits = step.limits
      else if (step.change === 'noted') noted.push(step)
    }
    let size = entries.size
    for (const [key, row] of this.#before) {
      const isThere = entries.find(key) !== undefined
      if (row === undefined && isThere) size--
      else if (row !== undefined && !isThere) size++
    }
    this.count = size
    this.limits = state.areLimitsJournaled ? limits : undefined
    this.notes = notesBefore(state.answers, noted)
    this.#rows = new FrozenRows({ entries, counters: state.counters })
  }

  read(): Row | undefined {
    for (let row = this.#rows.read(); row !== undefined; row = this.#rows.read()) {
      if (!this.#before.has(row.key)) return row
      const before = this.#before.get(row.key)
      this.#before.delete(row.key)
      if (before !== undefined) return before
    }
    for (const [key, row] of this.#before) {
      this.#before.delete(key)
      if (row !== undefined) return row
    }
    return undefined
  }

  release(): void {
    this.#rows.release()
    this.#before.clear()
  }
}

/** The answers without those of the uncommitted turns: their notes are undone, and applied again. Latest first. */
function notesBefore(answers: Answers, noted: readonly Step[]): AnsweredNote[] {
  for (const step of noted) answers.restore(step.answers as AnswersBefore) // noted() has set both
  const notes = answers.notes()
  for (const step of noted.toReversed()) answers.evolve(step.note as Note)
  return notes
}

function rowOf(key: string, value: StoredValue, expiresAtMs: number, extension: Extension | undefined): Row {
  return extension === undefined ? { key, value, expiresAtMs } : { key, value, expiresAtMs, extension }
}

function rowIn(entries: Entries, key: string): Row {
  const slot = entries.find(key) as Slot // no later turn has changed it
  return rowOf(key, entries.valueAt(slot), entries.deadlines.get(slot), entries.extensionAt(slot))
}
