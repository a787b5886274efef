/**
 * A session's outgoing messages: one for everything that a tick sends. Events of streams precede the answers that are sent
 * after them. Before: session and served-streams. After: the line.
 */
import { queueMicrotask } from '../../../durable/storage/event-loop.js'
import type { Line } from '../line.js'
import type { Part } from '../wire/protocol.js'

export class Sender {
  readonly #line: Line
  readonly #onFailure: (error: Error) => void
  #parts: Part[] = []
  #transfer: object[] = []
  #isFlushQueued = false
  /** Whether parts wait until the current batch has been answered, however many ticks that takes. */
  isHeld = false
  isClosed = false
  /** Adds the pending events. */
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
    try {
      this.#line.post(parts, transfer.length === 0 ? undefined : transfer)
    } catch (error) {
      this.#onFailure(error as Error)
    }
  }

  /** Sends the pending parts and a last one. Nothing is sent after that. */
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
