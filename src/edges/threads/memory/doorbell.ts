/**
 * Two counters that both ends of a port share: how many messages each has sent. While an answer is awaited, or the next request
 * of a client that awaits each of its calls, an end can see a message coming and take it without the event loop, which would go
 * to sleep and have to be woken. Never for long: after its budget the event loop has its turn.
 */
import { availableParallelism } from 'node:os'
import { Patience } from './patience.js'

export const DOORBELL_BYTES = 8

/** Whose counter is which. */
const OWNER = 0
const CLIENT = 1

interface Side {
  readonly sends: number
  readonly receives: number
  /** How long messages may be taken this way before everything else in this thread has its turn. */
  readonly budgetMs: number
  /** How often to look for one message. */
  readonly looks: number
}

// The owner has others to serve; a client that waits has nothing else to do.
export const OWNER_SIDE: Side = { sends: OWNER, receives: CLIENT, budgetMs: 0.25, looks: 400 }
export const CLIENT_SIDE: Side = { sends: CLIENT, receives: OWNER, budgetMs: 0.5, looks: 1_500 }

export class Doorbell {
  readonly #counters: Int32Array
  readonly #side: Side
  readonly #patience: Patience
  #received: number
  /** When the event loop is due; 0 while it has just had its turn. */
  #untilMs = 0

  /** `sent` and `received`: the messages before there was a doorbell. */
  constructor(memory: SharedArrayBuffer, side: Side, sent = 0, received = 0) {
    this.#counters = new Int32Array(memory)
    this.#side = side
    this.#patience = new Patience(availableParallelism() > 1 ? side.looks : 0)
    this.#received = received
    Atomics.store(this.#counters, side.sends, sent)
  }

  sent(): void {
    Atomics.add(this.#counters, this.#side.sends, 1)
  }

  received(): void {
    this.#received = (this.#received + 1) | 0
  }

  /** The event loop has had its turn. */
  turned(): void {
    this.#untilMs = 0
  }

  /** Looks for the next message for a moment. */
  awaitMessage(): boolean {
    const nowMs = performance.now()
    if (this.#untilMs === 0) this.#untilMs = nowMs + this.#side.budgetMs
    else if (nowMs >= this.#untilMs) return false
    return this.#patience.await(() => ((Atomics.load(this.#counters, this.#side.receives) - this.#received) | 0) > 0)
  }
}
