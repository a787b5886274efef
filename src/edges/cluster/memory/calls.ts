/**
 * The calls of one node that wait for an answer: a message there, what it does there, a message back. Each ends once: with the
 * answer, after {@link TIMEOUT_MS}, or at `close`.
 */
import { ENGINE, type Network, TIMEOUT_MS } from './network.js'
import type { Place } from './place.js'

export class Calls {
  readonly #waiting = new Set<(error: Error) => void>()
  isClosed = false

  constructor(
    readonly network: Network,
    readonly place: Place,
  ) {}

  /** Asks the engine. `work` is done there when the message arrives, for each copy of it. */
  ask<Result>(what: string, work: (isRefused: boolean) => Result): Promise<Result> {
    return this.begin(what, (settle) => {
      const there = { from: this.place.name, to: ENGINE, what }
      const back = { from: ENGINE, to: this.place.name, what: `${what} answered` }
      this.network.send(there, ({ isCopy, isRefused }) => {
        const outcome = attempt(() => work(isRefused))
        if (!isCopy) this.network.send(back, () => this.place.run(() => settle(outcome)))
      })
    })
  }

  /** Runs `send` when the node runs, and waits until it settles the call. */
  begin<Result>(what: string, send: (settle: (outcome: () => Result) => void) => void): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.isClosed) throw new Error('The log is closed.')
      const { clock } = this.network
      const end = () => {
        clock.clearTimeout(timer)
        this.#waiting.delete(fail)
      }
      const fail = (error: Error) => {
        end()
        reject(error)
      }
      const giveUp = () => fail(new Error(`No answer came within ${TIMEOUT_MS} ms (${what}).`))
      const timer = clock.setTimeout(() => this.place.run(giveUp), TIMEOUT_MS)
      this.#waiting.add(fail)
      const settle = (outcome: () => Result) => {
        if (!this.#waiting.has(fail)) return
        end()
        try {
          resolve(outcome())
        } catch (error) {
          reject(error)
        }
      }
      this.place.run(() => send(settle))
    })
  }

  close(): void {
    this.isClosed = true
    for (const fail of [...this.#waiting]) fail(new Error('The log has been closed.'))
  }
}

/** The result of `work`, or its error, when it is called. */
function attempt<Result>(work: () => Result): () => Result {
  try {
    const result = work()
    return () => result
  } catch (error) {
    return () => {
      throw error
    }
  }
}
