/**
 * The messages of one client, and when they are handled. A few batches are handled together and answered with one message; none
 * is handled for long before other clients have their turn. Before: the line. After: session.
 */
import { outsideRequests } from '../../../durable/outside-requests.js'
import { queueTask } from '../../../durable/storage/event-loop.js'
import type { Line, Taken } from '../line.js'
import { BATCHES_MAX } from '../wire/protocol.js'
import type { BatchAnswers } from './batch-answers.js'
import type { Sender } from './sender.js'

/** How long one client is served before the others have their turn. */
const WORK_MS = 2
/** The length of a batch of one or two requests: such a client usually awaits the answer and sends the next at once. */
const SHORT = 10

/** What an inbox calls to handle messages. */
export interface Handler {
  /** Handles a message, or resumes a batch. Returns the batch if its time was up before it was done. */
  handle(message: unknown, untilMs: number): BatchAnswers | undefined
  /** Called when there is nothing left to do for now. */
  rest(): void
}

export class Inbox {
  readonly #line: Line
  readonly #sender: Sender
  readonly #handler: Handler
  /** A suspended batch, resumed soon; messages that arrive meanwhile wait behind it. */
  #unfinished: BatchAnswers | undefined
  readonly #waiting: unknown[] = []
  #isClosed = false

  constructor(line: Line, sender: Sender, handler: Handler) {
    this.#line = line
    this.#sender = sender
    this.#handler = handler
    line.onMessage((message) => outsideRequests(this.#receive, message))
  }

  readonly #receive = (message: unknown): void => {
    if (this.#isClosed) return
    if (this.#isIdle) this.#doSome(message)
    else this.#waiting.push(message)
  }

  get #isIdle(): boolean {
    return this.#unfinished === undefined && this.#waiting.length === 0
  }

  #doSome(first: unknown): void {
    const untilMs = performance.now() + WORK_MS
    this.#sender.isHeld = true
    let next: Taken | undefined = { message: first }
    for (let count = 1; next !== undefined; count++) {
      this.#unfinished = this.#handler.handle(next.message, untilMs)
      if (this.#isClosed || this.#unfinished !== undefined || count >= BATCHES_MAX) break
      next = this.#waiting.length > 0 ? { message: this.#waiting.shift() } : this.#line.take?.()
    }
    this.#sender.isHeld = false
    this.#sender.send()
    if (Array.isArray(first) && first.length <= SHORT) this.#watch()
    if (!this.#isIdle) queueTask(this.#goOn)
    else if (!this.#isClosed) this.#handler.rest()
  }

  readonly #goOn = (): void => {
    if (!this.#isClosed && !this.#isIdle) this.#doSome(this.#unfinished ?? this.#waiting.shift())
  }

  /** Handles messages that follow closely. */
  #watch(): void {
    while (!this.#isClosed && this.#isIdle) {
      const next = this.#line.takeSoon?.()
      if (next === undefined) return
      this.#sender.isHeld = true
      this.#unfinished = this.#handler.handle(next.message, performance.now() + WORK_MS)
      this.#sender.isHeld = false
      this.#sender.send()
    }
  }

  close(): void {
    this.#isClosed = true
    this.#unfinished = undefined
    this.#waiting.length = 0
  }
}
