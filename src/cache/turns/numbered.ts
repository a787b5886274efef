/**
 * Numbered commands of clients in other processes. The frame of a change keeps the answer, so that a command that is asked again,
 * because its owner died before the answer arrived, takes effect once. Before: `edges/remote/owner/kept-answers.ts`. After:
 * `turns.ts`.
 */
import { GATE, type State } from '../../core/evolve/state.js'
import type { Answer, Note, NumberedCommand } from '../../core/model/note.js'
import type { Journal } from '../../durable/contract.js'
import type { Turns } from './turns.js'

export class NumberedCommands {
  readonly #state: State
  readonly #turns: Turns
  readonly #journal: Journal

  constructor({ state, turns, journal }: { state: State; turns: Turns; journal: Journal }) {
    this.#state = state
    this.#turns = turns
    this.#journal = journal
  }

  /** The clients for which answers are kept. */
  get clients(): string[] {
    return this.#state.answers.clients
  }

  /** The answer that a command got, if it has taken effect. */
  find(client: string, number: number): { readonly answer: Answer } | undefined {
    return this.#state.answers.find(client, number)
  }

  receivedBy(client: string): number {
    return this.#state.answers.receivedBy(client)
  }

  /** How many bytes of answers are kept for a client. */
  bytesFor(client: string): number {
    return this.#state.answers.bytesFor(client)
  }

  /** Runs a command as one turn. If it changes anything, the frame of the change has the answer, which `keep` makes of the result. */
  run<T>(command: NumberedCommand, run: () => T, keep: (result: T) => Answer): T {
    return this.#turns.transact(() => {
      const result = run()
      this.#turns.note = { type: 'answered', ...command, answer: keep(result) }
      return result
    })
  }

  /**
   * The same for a command that is a turn of one step, whose reply is a primitive and the answer: a plain `set`, or an increment. The
   * answer is then known before the append, and nothing is kept to be undone.
   */
  runOne<T>({ client, number, received }: NumberedCommand, run: () => T, keep: (result: T) => Answer): T {
    const turns = this.#turns
    // What an inspector calls must not take the note.
    if (turns.isOpen || (this.#state.gate & GATE.isInspected) !== 0)
      return this.run({ client, number, received }, run, keep)
    turns.note = { type: 'answered', client, number, received, answer: true }
    try {
      return run()
    } finally {
      turns.note = undefined
    }
  }

  /** The client will not ask again. */
  forget(client: string): void {
    if (!this.#state.isOpen || !this.#turns.isWritable) return
    const note: Note = { type: 'forgotten', client }
    this.#journal.append([], note)
    this.#state.answers.evolve(note)
  }
}
