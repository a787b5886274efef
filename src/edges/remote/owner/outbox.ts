/**
 * The way out of a session: one message for all that a tick has to say. Events of streams come before the answers that are
 * given after them. Before: batch-answers and served-streams. After: the line.
 */
import type { Line } from '../line.js'
import type { Part } from '../wire/protocol.js'

export class Outbox {
  readonly #line: Line
  readonly #onFailure: (error: Error) => void
  #parts: Part[] = []
  #transfer: object[] = []
  #isFlushQueued = false
  /** Whether parts wait until the present batch has been answered, however many ticks may end meanwhile. */
  isHeld = false
  isClosed = false
  /** Adds the events that are waiting. */
  addEvents: () => void = () => undefined

  /** `onFailure` is called when a message cannot be sent. */
  constructor(line: Line, onFailure: (error: Error) => void) {
    this.#line = line
    this.#onFailure = onFailure
  }

  /** Adds a part to the next message. */
  post(part: Part): void {
    this.#parts.push(part)
    if (!this.isHeld) this.queueFlush()
  }

  /** Hands something over with the next message. */
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
    try {
      this.#line.post(parts, transfer.length === 0 ? undefined : transfer)
    } catch (error) {
      this.#onFailure(error as Error)
    }
  }

  /** Sends what is there and a last part, and nothing more. */
  close(last: Part): void {
    if (this.isClosed) return
    this.addEvents()
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
