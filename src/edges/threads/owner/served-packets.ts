/**
 * The owner's side of the memory that a synchronous client shares (line/sync-packet.ts). The client's next request often
 * comes within microseconds of its last answer, so the owner polls for it briefly; never for longer than BUDGET_MS at a time, so
 * that no other port and no timer waits long behind a worker that calls in a tight loop.
 */

import { availableParallelism } from 'node:os'
import { queueTask } from '../../../durable/storage/event-loop.js'
import type { Session } from '../../remote/owner/session.js'
import { ARITIES } from '../../remote/wire/codes.js'
import { LATER_TAG, type Wire } from '../../remote/wire/wire-value.js'
import { Patience } from '../line/patience.js'
import {
  ANSWERED,
  AWAKE,
  CLIENT_NEXT,
  IDLE,
  MESSAGES,
  REQUEST,
  SIGNAL,
  STATE,
  SyncPacket,
} from '../line/sync-packet.js'

const BUDGET_MS = 0.25
const LOOKS = availableParallelism() > 1 ? 400 : 0

export class ServedPackets {
  readonly #session: Session
  readonly #packet: SyncPacket
  readonly #words: Int32Array
  readonly #patience = new Patience(LOOKS)
  #isEnded = false

  constructor(session: Session, memory: SharedArrayBuffer) {
    this.#session = session
    this.#packet = new SyncPacket(memory)
    this.#words = this.#packet.words
  }

  /** Serves the pending request, and those that follow closely. */
  look(): void {
    const words = this.#words
    const untilMs = performance.now() + BUDGET_MS
    const isThere = () => Atomics.load(words, STATE) === REQUEST
    while (!this.#isEnded && isThere()) {
      Atomics.store(words, AWAKE, 1)
      do this.#serve()
      while (
        !this.#isEnded &&
        performance.now() < untilMs &&
        this.#patience.awaitClient(isThere, Atomics.load(words, CLIENT_NEXT))
      )
      Atomics.store(words, AWAKE, 0)
      // A request made before the client could see the new state has sent no message, so the owner looks once more.
      if (performance.now() < untilMs || !isThere()) continue
      queueTask(() => this.look())
      return
    }
  }

  #serve(): void {
    const packet = this.#packet
    packet.rewind()
    const id = packet.take()
    const code = packet.take()
    const arity = typeof code === 'number' ? ARITIES[code] : undefined
    if (typeof id !== 'number' || arity === undefined) {
      Atomics.store(this.#words, STATE, IDLE)
      this.#session.refuse('an unknown operation')
      return
    }
    const parameters: unknown[] = []
    for (let index = 0; index < arity; index++) parameters.push(packet.take())
    const session = this.#session
    const answer = session.answer(id, code as number, parameters[0], parameters, 0)
    if (session.mustBeDurable(code as number)) session.answerWhenDurable(id, answer)
    else if (this.#answerHere(id, answer)) return
    else if (!isLater(answer)) session.answerLater(id, answer)
    Atomics.store(this.#words, STATE, IDLE)
    session.sender.send()
  }

  #answerHere(id: number, answer: Wire): boolean {
    if (typeof answer === 'object' && answer !== null) return false
    const packet = this.#packet
    packet.rewind()
    if (!packet.put(id) || !packet.put(answer)) return false
    this.#session.sender.send() // a call's events before its answer
    Atomics.store(this.#words, STATE, ANSWERED)
    this.#ring()
    return true
  }

  /** A message has been sent over the port. */
  readonly signal = (): void => {
    Atomics.add(this.#words, MESSAGES, 1)
    this.#ring()
  }

  #ring(): void {
    Atomics.add(this.#words, SIGNAL, 1)
    Atomics.notify(this.#words, SIGNAL)
  }

  end(): void {
    this.#isEnded = true
    this.#ring() // a sleeping client wakes and finds the port closed
  }
}

function isLater(wire: Wire): boolean {
  return Array.isArray(wire) && wire[0] === LATER_TAG
}
