/**
 * Numbered commands of clients in other processes. The frame of a change keeps the answer, so that a command that is asked again,
 * because its owner died before the answer arrived, takes effect once. Before: `edges/remote/owner/kept-answers.ts`. After:
 * `turns.ts`.
 */
import type { State } from '../../core/evolve/state.js'
import type { Answer, AnsweredNote, NumberedCommand } from '../../core/model/note.js'
import type { Turns } from './turns.js'

export class NumberedCommands {
  readonly #state: State
  readonly #turns: Turns

  constructor({ state, turns }: { state: State; turns: Turns }) {
    this.#state = state
    this.#turns = turns
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

  /**
   * Runs a command as one turn. If it changes anything, the frame of the change has the answer, which `keep` makes of the result; otherwise
   * `unchanged` gets it.
   */
  run<T>(
    command: NumberedCommand,
    run: () => T,
    keep: (result: T) => Answer,
    unchanged: (answer: Answer) => void = () => undefined,
  ): T {
    const turns = this.#turns
    return turns.transact(() => {
      const result = run()
      const answer = keep(result)
      if (turns.hasEvents) turns.note = { type: 'answered', ...command, answer }
      else unchanged(answer)
      return result
    })
  }

  /** Whether {@link note} can be called. */
  get areNotable(): boolean {
    return this.#state.isOpen && this.#turns.isWritable
  }

  /** Keeps the answer to a command that changed nothing. It is written with the next change. */
  note(note: AnsweredNote): void {
    this.#turns.noted(note)
  }

  /** The client will not ask again. */
  forget(client: string): void {
    if (this.areNotable) this.#turns.noted({ type: 'forgotten', client })
  }
}
