/**
 * The answers that clients have not yet said they have. They are part of the state: notes write them, live and in recovery, and a
 * snapshot keeps them. `cleared` and `loaded` do not touch them. Before: `turns.ts`, and `replayed-state.ts`.
 */
import { type Answer, type AnsweredNote, bytesOf, type Note } from '../model/note.js'

interface Client {
  /** By number, ascending. */
  readonly answers: Map<number, Answer>
  /** It has all answers up to this number. */
  received: number
  bytes: number
}

export class Answers {
  readonly #clients = new Map<string, Client>()

  /** The answer that this command of a client got, if it took effect. */
  find(client: string, number: number): { readonly answer: Answer } | undefined {
    const answers = this.#clients.get(client)?.answers
    return answers?.has(number) === true ? { answer: answers.get(number) } : undefined
  }

  /** The client has said that it has all answers up to this number. */
  receivedBy(client: string): number {
    return this.#clients.get(client)?.received ?? 0
  }

  /** How many bytes of answers are kept for a client. */
  bytesFor(client: string): number {
    return this.#clients.get(client)?.bytes ?? 0
  }

  /** How many bytes, and how many answers, are kept for a client. */
  heldFor(client: string): { bytes: number; answers: number } {
    const held = this.#clients.get(client)
    return { bytes: held?.bytes ?? 0, answers: held?.answers.size ?? 0 }
  }

  get clients(): string[] {
    return [...this.#clients.keys()]
  }

  evolve(note: Note): void {
    if (note.type === 'forgotten') this.#clients.delete(note.client)
    else this.#add(note)
  }

  #add({ client, number, received, answer }: AnsweredNote): void {
    let held = this.#clients.get(client)
    if (held === undefined) {
      held = { answers: new Map(), received: 0, bytes: 0 }
      this.#clients.set(client, held)
    }
    if (received > held.received) {
      held.received = received
      for (const [old, kept] of held.answers) {
        if (old > received) break
        held.answers.delete(old)
        held.bytes -= bytesOf(kept)
      }
    }
    held.answers.set(number, answer)
    held.bytes += bytesOf(answer)
  }

  /** Notes from which the same answers result. */
  notes(): AnsweredNote[] {
    const notes: AnsweredNote[] = []
    for (const [client, { answers, received }] of this.#clients) {
      for (const [number, answer] of answers) notes.push({ type: 'answered', client, number, received, answer })
    }
    return notes
  }

  reset(): void {
    this.#clients.clear()
  }
}
