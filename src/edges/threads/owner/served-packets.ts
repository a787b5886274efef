/**
 * The owner's side of the memory that a synchronous client shares (sync-packet.ts). The client's next request often comes
 * within microseconds of its last answer, so the owner looks out for it a moment before it goes on; never for longer than
 * BUDGET_MS in one go, so that no other port and no timer waits long behind a worker that calls in a tight loop.
 */
import { availableParallelism } from 'node:os'
import { isSharedArrayBuffer } from 'node:util/types'
import { shown } from '../../../errors.js'
import type { ServedPort } from '../../remote/owner/session.js'
import { ARITIES } from '../../remote/wire/protocol.js'
import { LATER_TAG, type Wire } from '../../remote/wire/wire-value.js'
import { Patience } from '../memory/patience.js'
import {
  ANSWERED,
  AWAKE,
  IDLE,
  MEMORY_BYTES,
  MESSAGES,
  POSTED,
  REQUEST,
  SIGNAL,
  STATE,
  SyncPacket,
} from '../memory/sync-packet.js'

/** How long to serve one port before looking at anything else. */
export const BUDGET_MS = 0.25
const LOOKS = availableParallelism() > 1 ? 400 : 0

export class ServedMemory {
  readonly #host: ServedPort
  readonly #packet: SyncPacket
  readonly #words: Int32Array
  readonly #patience = new Patience(LOOKS)
  readonly #messagePatience = new Patience(LOOKS)
  #received = 0
  #isEnded = false

  constructor(host: ServedPort, memory: unknown) {
    if (!isSharedArrayBuffer(memory) || memory.byteLength !== MEMORY_BYTES)
      throw new TypeError(`${shown(memory)} is no memory to share. Nothing was changed.`)
    this.#host = host
    this.#packet = new SyncPacket(memory)
    this.#words = this.#packet.words
  }

  /** Serves the request that is there, and those that follow closely. */
  look(): void {
    const words = this.#words
    const untilMs = performance.now() + BUDGET_MS
    const isThere = () => Atomics.load(words, STATE) === REQUEST
    while (!this.#isEnded && isThere()) {
      Atomics.store(words, AWAKE, 1)
      do this.#serve()
      while (!this.#isEnded && performance.now() < untilMs && this.#patience.await(isThere))
      Atomics.store(words, AWAKE, 0)
      // A request that came before the client could see that has sent no message: it is looked for once more.
      if (performance.now() < untilMs || !isThere()) continue
      setImmediate(() => this.look())
      return
    }
  }

  /** A message of an asynchronous client has been handled. */
  received(): void {
    this.#received = (this.#received + 1) | 0
  }

  /** Whether its next message comes at once, before `untilMs`. */
  awaitMessage(untilMs: number): boolean {
    if (this.#isEnded || performance.now() >= untilMs) return false
    return this.#messagePatience.await(() => ((Atomics.load(this.#words, POSTED) - this.#received) | 0) > 0)
  }

  #serve(): void {
    const packet = this.#packet
    packet.rewind()
    const id = packet.take()
    const code = packet.take()
    const arity = ARITIES[code as number]
    if (typeof id !== 'number' || arity === undefined) {
      Atomics.store(this.#words, STATE, IDLE)
      this.#host.refuse('an operation that there is not')
      return
    }
    const parameters: unknown[] = []
    for (let index = 0; index < arity; index++) parameters.push(packet.take())
    const answer = this.#host.answer(id, code as number, parameters[0], parameters, 0)
    if (this.#host.mustBeDurable(code as number)) this.#host.answerLaterWhenDurable(id, answer)
    else if (this.#answerHere(id, answer)) return
    else if (!isLater(answer)) this.#host.answerLater(id, answer)
    Atomics.store(this.#words, STATE, IDLE)
    this.#host.sendNow()
  }

  #answerHere(id: number, answer: Wire): boolean {
    if (typeof answer === 'object' && answer !== null) return false
    const packet = this.#packet
    packet.rewind()
    if (!packet.put(id) || !packet.put(answer)) return false
    this.#host.sendNow() // events before the answer of the call that they are of
    Atomics.store(this.#words, STATE, ANSWERED)
    this.#ring()
    return true
  }

  /** A message has been sent over the port. */
  signal(): void {
    Atomics.add(this.#words, MESSAGES, 1)
    this.#ring()
  }

  #ring(): void {
    Atomics.add(this.#words, SIGNAL, 1)
    Atomics.notify(this.#words, SIGNAL)
  }

  end(): void {
    this.#isEnded = true
    this.#ring() // who sleeps finds the port closed
  }
}

function isLater(wire: Wire): boolean {
  return Array.isArray(wire) && wire[0] === LATER_TAG
}
