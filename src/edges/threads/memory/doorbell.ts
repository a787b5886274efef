/**
 * Two counters that an asynchronous client shares with its owner: what each has sent. Between a call that is awaited and its
 * answer either side can see the other's message coming, and take it without the event loop, which would go to sleep and be
 * woken for it. Never for long: after BUDGET_MS the event loop has its turn.
 */
import { availableParallelism } from 'node:os'
import { Patience } from './patience.js'
import { MEMORY_BYTES, MESSAGES, POSTED } from './sync-packet.js'

/** How long calls may go on before the timers and everything else in this thread have their turn. */
const BUDGET_MS = 0.5
const LOOKS = availableParallelism() > 1 ? 1_500 : 0

export class Doorbell {
  readonly memory = new SharedArrayBuffer(MEMORY_BYTES)
  readonly #words = new Int32Array(this.memory)
  readonly #patience = new Patience(LOOKS)
  #received = 0
  /** When the event loop is due; 0 while it has just had its turn. */
  #untilMs = 0

  posted(): void {
    Atomics.add(this.#words, POSTED, 1)
  }

  received(): void {
    this.#received = (this.#received + 1) | 0
  }

  /** A message came by way of the event loop. */
  turned(): void {
    this.#untilMs = 0
  }

  /** Looks for the owner's next message, for a moment. */
  awaitMessage(): boolean {
    const nowMs = performance.now()
    if (this.#untilMs === 0) this.#untilMs = nowMs + BUDGET_MS
    else if (nowMs >= this.#untilMs) return false
    return this.#patience.await(() => Atomics.load(this.#words, MESSAGES) !== this.#received)
  }
}
