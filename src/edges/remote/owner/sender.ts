/**
 * A session's outgoing messages: one for everything that a tick sends. Events of streams precede the answers that are sent
 * after them. Before: session and served-streams. After: write-gate, if there is one, and the line.
 */
import { queueMicrotask } from '../../../durable/storage/event-loop.js'
import type { Line } from '../line.js'
import type { Part } from '../wire/protocol.js'
import type { WriteGate } from './write-gate.js'

/** Corrects a part whose change could not be written. */
type Correct = (failure: Error) => void

export class Sender {
  readonly #line: Line
  readonly #onFailure: (error: Error) => void
  readonly #gate: WriteGate | undefined
  #parts: Part[] = []
  #corrections: Correct[] = []
  #transfer: object[] = []
  #isFlushQueued = false
  /** Whether parts wait until the current batch has been answered, however many ticks that takes. */
  isHeld = false
  isClosed = false
  /** Adds the pending events. */
  addEvents: () => void = () => undefined

  /** `onFailure` is called when a message cannot be sent. */
  constructor(line: Line, onFailure: (error: Error) => void, gate?: WriteGate) {
    this.#line = line
    this.#gate = gate
    this.#onFailure = onFailure
  }

  /** Whether messages wait until the journal has been written. */
  get isGated(): boolean {
    return this.#gate !== undefined
  }

  /** Adds a part to the next message. */
  post(part: Part, correct?: Correct): void {
    this.#parts.push(part)
    if (correct !== undefined) this.#corrections.push(correct)
    if (!this.isHeld) this.queueFlush()
  }

  /** Transfers a buffer with the next message. */
  transfer(object: object): void {
    this.#transfer.push(object)
  }

  /** Sends at the end of this tick, or sooner. */
  queueFlush(): void {
    if (this.#isFlushQueued || this.isClosed) return
    this.#isFlushQueued = true
    queueMicrotask(() => {
      this.#isFlushQueued = false
      if (!this.isHeld) this.send()
    })
  }

  send(): void {
    this.addEvents()
    if (this.#parts.length === 0 || this.isClosed) return
    const parts = this.#parts
    const transfer = this.#transfer
    this.#parts = []
    if (transfer.length > 0) this.#transfer = []
    if (this.#gate === undefined) {
      this.#post(parts, transfer)
      return
    }
    const corrections = this.#corrections
    if (corrections.length > 0) this.#corrections = []
    this.#gate.pass((failure) => {
      if (failure !== undefined) for (const correct of corrections) correct(failure)
      if (!this.isClosed) this.#post(parts, transfer)
    })
  }

  #post(parts: readonly Part[], transfer: readonly object[]): void {
    try {
      this.#line.post(parts, transfer.length === 0 ? undefined : transfer)
    } catch (error) {
      this.#onFailure(error as Error)
    }
  }

  /** Sends the pending parts and a last one. Nothing is sent after that. */
  close(last: Part): void {
    if (this.isClosed) return
    if (this.#gate === undefined) this.addEvents()
    else this.#parts = [] // what has not passed the gate is not sent
    try {
      this.#line.post([...this.#parts, last], this.#transfer)
    } catch {
      // The client sees the line close.
    }
    this.discard()
  }

  discard(): void {
    this.isClosed = true
    this.#parts = []
  }
}
