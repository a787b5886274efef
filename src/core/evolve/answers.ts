/**
 * The answers that clients have not yet said they have. They are part of the state: notes write them, live and in recovery, and a
 * snapshot keeps them. `cleared` and `loaded` do not touch them. Before: `turns.ts`, and `replayed-state.ts`.
 */
import { type Answer, type AnsweredNote, bytesOf, type Note } from '../model/note.js'

/** In arrays, because a client that has many calls under way removes and adds as many answers at a time, always at the ends. */
class Client {
  /** The numbers of the commands, ascending. */
  readonly numbers: number[] = []
  /** The answer to each. */
  readonly answers: Answer[] = []
  /** It has all answers up to this number. */
  received = 0
  bytes = 0

  /** Where a number is, or belongs. */
  placeOf(number: number): number {
    const { numbers } = this
    let high = numbers.length
    if (high === 0 || (numbers[high - 1] as number) < number) return high // usually it is the newest
    for (let low = 0; low < high; ) {
      const middle = (low + high) >>> 1
      if ((numbers[middle] as number) < number) low = middle + 1
      else high = middle
    }
    return high
  }

  set(number: number, answer: Answer): void {
    const place = this.placeOf(number)
    if (this.numbers[place] === number) {
      this.bytes += bytesOf(answer) - bytesOf(this.answers[place])
      this.answers[place] = answer
      return
    }
    this.bytes += bytesOf(answer)
    if (place === this.numbers.length) {
      this.numbers.push(number)
      this.answers.push(answer)
      return
    }
    this.numbers.splice(place, 0, number)
    this.answers.splice(place, 0, answer)
  }

  delete(number: number): void {
    const place = this.placeOf(number)
    if (this.numbers[place] === number) this.#remove(place, 1)
  }

  receive(number: number): void {
    if (number <= this.received) return
    this.received = number
    this.#remove(0, this.placeOf(number + 1))
  }

  #remove(place: number, count: number): void {
    for (let at = place; at < place + count; at++) this.bytes -= bytesOf(this.answers[at])
    this.numbers.splice(place, count)
    this.answers.splice(place, count)
  }
}

/** What a note is about to change, by value. */
export interface AnswersBefore {
  readonly client: string
  /** Undefined if nothing is kept for the client. */
  readonly received: number | undefined
  /** The number that the note adds. */
  readonly added: number | undefined
  /** What the note removes, ascending. */
  readonly removed: readonly (readonly [number, Answer])[]
}

export class Answers {
  readonly #clients = new Map<string, Client>()

  /** The answer that this command of a client got, if it took effect. */
  find(client: string, number: number): { readonly answer: Answer } | undefined {
    const held = this.#clients.get(client)
    if (held === undefined) return undefined
    const place = held.placeOf(number)
    return held.numbers[place] === number ? { answer: held.answers[place] } : undefined
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
    const held = this.#of(client)
    held.receive(received)
    held.set(number, answer)
  }

  #of(client: string): Client {
    let held = this.#clients.get(client)
    if (held === undefined) this.#clients.set(client, (held = new Client()))
    return held
  }

  /** What {@link restore} needs to undo a note that {@link evolve} gets next. */
  before(note: Note): AnswersBefore {
    const { client } = note
    const held = this.#clients.get(client)
    const added = note.type === 'answered' ? note.number : undefined
    if (held === undefined) return { client, received: undefined, added, removed: [] }
    const { numbers, answers, received } = held
    const removed: [number, Answer][] = []
    const upTo = note.type === 'answered' ? note.received : Number.POSITIVE_INFINITY
    const end = held.placeOf(upTo + 1)
    for (let at = 0; at < end; at++) removed.push([numbers[at] as number, answers[at]])
    if (added !== undefined) {
      const place = held.placeOf(added)
      if (place >= end && numbers[place] === added) removed.push([added, answers[place]])
    }
    return { client, received, added, removed }
  }

  /** Undoes a note. Every later one has been undone. */
  restore({ client, received, added, removed }: AnswersBefore): void {
    if (received === undefined) {
      this.#clients.delete(client)
      return
    }
    const held = this.#of(client)
    if (added !== undefined) held.delete(added)
    for (const [number, answer] of removed) held.set(number, answer)
    held.received = received
  }

  /** Notes from which the same answers result. */
  notes(): AnsweredNote[] {
    const notes: AnsweredNote[] = []
    for (const [client, { numbers, answers, received }] of this.#clients)
      for (const [place, number] of numbers.entries())
        notes.push({ type: 'answered', client, number, received, answer: answers[place] })
    return notes
  }

  reset(): void {
    this.#clients.clear()
  }
}
