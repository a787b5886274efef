/**
 * Numbered commands of clients in other processes. The frame of a change keeps the answer, so that a command that is asked again,
 * because its owner died before the answer arrived, takes effect once. Before: `edges/remote/owner/kept-answers.ts`. After:
 * `turns.ts`.
 */
import type { State } from '../../core/evolve/state.js'
import type { Answer, NumberedCommand } from '../../core/model/note.js'
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
    return this.#state.answers.heldFor(client).bytes
  }

  /** Runs a command as one turn. If it changes anything, the frame of the change has the answer, which `keep` makes of the result. */
  run<T>(command: NumberedCommand, run: () => T, keep: (result: T) => Answer): T {
    return this.#turns.transact(() => {
      const result = run()
      this.#turns.note = { type: 'answered', ...command, answer: keep(result) }
      return result
    })
  }

  /** The client will not ask again. */
  forget(client: string): void {
    if (!this.#state.isOpen || !this.#turns.isWritable) return
    this.#turns.noted({ type: 'forgotten', client })
  }
}
