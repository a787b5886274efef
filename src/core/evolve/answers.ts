/**
 * The answers that clients have not yet said they have. They are part of the state: notes write them, live and in recovery, and a
 * snapshot keeps them. `cleared` and `loaded` do not touch them. Before: `turns.ts`, and `replayed-state.ts`.
 */
import { type Answer, type AnsweredNote, bytesOf, type Note } from '../model/note.js'

interface Client {
  /** By number, ascending if `isSorted`. */
  answers: Map<number, Answer>
  /** False after a note was undone, until the next one. */
  isSorted: boolean
  /** It has all answers up to this number. */
  received: number
  bytes: number
}

/** What a note is about to change, by value. */
export interface AnswersBefore {
  readonly client: string
  /** Undefined if nothing is kept for the client. */
  readonly received: number | undefined
  readonly bytes: number
  /** The number that the note adds. */
  readonly added: number | undefined
  /** What the note removes, ascending. */
  readonly removed: readonly (readonly [number, Answer])[]
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
      held = { answers: new Map(), isSorted: true, received: 0, bytes: 0 }
      this.#clients.set(client, held)
    }
    sort(held)
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

  /** What {@link restore} needs to undo a note that {@link evolve} gets next. */
  before(note: Note): AnswersBefore {
    const { client } = note
    const held = this.#clients.get(client)
    const added = note.type === 'answered' ? note.number : undefined
    if (held === undefined) return { client, received: undefined, bytes: 0, added, removed: [] }
    sort(held)
    const removed: [number, Answer][] = []
    const upTo = note.type === 'answered' ? note.received : Number.POSITIVE_INFINITY
    for (const entry of held.answers) {
      if (entry[0] > upTo) break
      removed.push(entry)
    }
    if (added !== undefined && added > upTo && held.answers.has(added)) removed.push([added, held.answers.get(added)])
    return { client, received: held.received, bytes: held.bytes, added, removed }
  }

  /** Undoes a note. Every later one has been undone. */
  restore({ client, received, bytes, added, removed }: AnswersBefore): void {
    if (received === undefined) {
      this.#clients.delete(client)
      return
    }
    const { answers = new Map<number, Answer>() } = this.#clients.get(client) ?? {}
    if (added !== undefined) answers.delete(added)
    for (const [number, answer] of removed) answers.set(number, answer)
    this.#clients.set(client, {
      answers,
      isSorted: removed.length === 0 && (this.#clients.get(client)?.isSorted ?? true),
      received,
      bytes,
    })
  }

  /** Notes from which the same answers result. */
  notes(): AnsweredNote[] {
    const notes: AnsweredNote[] = []
    for (const [client, held] of this.#clients) {
      sort(held)
      const { answers, received } = held
      for (const [number, answer] of answers) notes.push({ type: 'answered', client, number, received, answer })
    }
    return notes
  }

  reset(): void {
    this.#clients.clear()
  }
}

function sort(held: Client): void {
  if (held.isSorted) return
  held.answers = new Map([...held.answers].sort(([one], [other]) => one - other))
  held.isSorted = true
}
