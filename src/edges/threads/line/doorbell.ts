/**
 * What both ends of a port share: how many messages each has sent, and what the client does at its next wait. An end that expects a message
 * (a client its answer, an owner the next request of a client that awaits each call) can see it arrive and read it without the event loop,
 * which would go to sleep and have to be woken. Only within a budget: after that the event loop has its turn.
 */
import { availableParallelism } from 'node:os'
import { Patience } from './patience.js'

export const DOORBELL_BYTES = 12

/** Which counter belongs to which end. */
const OWNER = 0
const CLIENT = 1
/** What the client does at its next wait: `Patience.next`. */
const CLIENT_NEXT = 2

interface Side {
  readonly sends: number
  readonly receives: number
  /** How long messages may be read this way before the event loop has its turn. */
  readonly budgetMs: number
  /** How many times to poll for one message. */
  readonly looks: number
}

// The owner has other clients to serve; a waiting client has nothing else to do.
export const OWNER_SIDE: Side = { sends: OWNER, receives: CLIENT, budgetMs: 0.25, looks: 400 }
export const CLIENT_SIDE: Side = { sends: CLIENT, receives: OWNER, budgetMs: 0.5, looks: 1_500 }

export class Doorbell {
  readonly #counters: Int32Array
  readonly #side: Side
  readonly #patience: Patience
  #received: number
  /** When the event loop is next due; 0 if it has just run. */
  #untilMs = 0

  /** `sent` and `received`: the messages before the doorbell existed. */
  constructor(memory: SharedArrayBuffer, side: Side, sent = 0, received = 0) {
    this.#counters = new Int32Array(memory)
    this.#side = side
    this.#patience = new Patience(availableParallelism() > 1 ? side.looks : 0)
    this.#received = received
    Atomics.store(this.#counters, side.sends, sent)
    if (side === CLIENT_SIDE) Atomics.store(this.#counters, CLIENT_NEXT, this.#patience.next)
  }

  sent(): void {
    Atomics.add(this.#counters, this.#side.sends, 1)
  }

  received(): void {
    this.#received = (this.#received + 1) | 0
  }

  /** Called when the event loop has run. */
  turned(): void {
    this.#untilMs = 0
  }

  /** Polls briefly for the next message. */
  awaitMessage(): boolean {
    const nowMs = performance.now()
    if (this.#untilMs === 0) this.#untilMs = nowMs + this.#side.budgetMs
    else if (nowMs >= this.#untilMs) return false
    const counters = this.#counters
    const isThere = () => ((Atomics.load(counters, this.#side.receives) - this.#received) | 0) > 0
    if (this.#side !== CLIENT_SIDE) return this.#patience.awaitClient(isThere, Atomics.load(counters, CLIENT_NEXT))
    const isSeen = this.#patience.await(isThere)
    Atomics.store(counters, CLIENT_NEXT, this.#patience.next)
    return isSeen
  }
}
