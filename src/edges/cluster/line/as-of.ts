/**
 * Every message of a leader says as of which position of the log it is, and is delivered once the node that asked has applied that itself:
 * what a caller has seen in an answer, it also sees in its own copy. Before: wire-line. After: a session, and a client.
 */
import type { Line } from '../../remote/line.js'
import type { Position } from '../log.js'

/** The leader's end. */
export function positioned(line: Line, position: () => Position): Line {
  return {
    post: (message) => line.post([position(), message]),
    onMessage: (listener) => line.onMessage(listener),
    onClose: (listener) => line.onClose(listener),
    hold: (isHeld) => line.hold(isHeld),
    close: () => line.close(),
  }
}

/** The other end. */
export class AppliedLine implements Line {
  readonly #line: Line
  readonly #position: () => Position
  readonly #waiting: [Position, unknown][] = []
  #listener: (message: unknown) => void = () => undefined
  #isClosed = false

  constructor(line: Line, position: () => Position) {
    this.#line = line
    this.#position = position
    line.onClose(() => {
      this.#isClosed = true
      this.#waiting.length = 0
    })
  }

  post(message: unknown): void {
    this.#line.post(message)
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#listener = listener
    this.#line.onMessage((message) => {
      this.#waiting.push(Array.isArray(message) ? (message as [Position, unknown]) : [0, undefined])
      this.deliver()
    })
  }

  /** Delivers what this node has caught up with. */
  deliver(): void {
    while (!this.#isClosed) {
      const [next] = this.#waiting
      if (next === undefined || next[0] > this.#position()) return
      this.#waiting.shift()
      this.#listener(next[1])
    }
  }

  onClose(listener: () => void): void {
    this.#line.onClose(listener)
  }

  hold(isHeld: boolean): void {
    this.#line.hold(isHeld)
  }

  close(): void {
    this.#line.close()
  }
}
