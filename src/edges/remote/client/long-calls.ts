/**
 * The calls of a client that take longer than a turn: at most LONG_CALLS_MAX have begun, the others wait here. Their answers arrive in
 * messages of their own. Before and after: requests.
 */
import type { CacheError } from '../../../errors.js'
import { LONG_CALLS_MAX } from '../wire/protocol.js'
import { outcomeOf } from './answers.js'
import { Batch, type Settle } from './batch.js'

interface LongCall {
  readonly code: number
  readonly parameters: readonly unknown[]
  readonly settle: Settle
  /** Makes the request, and returns its number. */
  begin(settle: Settle): number
}

export class LongCalls {
  /** Whether the owner may change, so that what it has begun must be asked again. */
  readonly #isRenewable: boolean
  readonly #queue: LongCall[] = []
  #begun = 0
  /** Those that may have to be asked again, by number. */
  readonly #calls = new Map<number, LongCall>()
  /** Those whose answers arrive in separate messages. */
  readonly #later = new Map<number, Settle>()
  /** Such answers that arrived before the answers of their batch, which waits for the disk or is not done yet. */
  readonly #early = new Map<number, unknown>()
  #isEnded = false

  constructor(isRenewable: boolean) {
    this.#isRenewable = isRenewable
  }

  /** How many the owner has begun. */
  get pending(): number {
    return this.#later.size
  }

  /** `isUrgent`: the call does not wait for others, because one of them waits for it. */
  ask(call: LongCall, isUrgent: boolean): void {
    if (this.#begun < LONG_CALLS_MAX || isUrgent) this.#begin(call)
    else this.#queue.push(call)
  }

  #begin(call: LongCall): void {
    this.#begun++
    const id = call.begin((outcome) => {
      this.#begun--
      this.#calls.delete(id)
      call.settle(outcome)
      const next = this.#isEnded ? undefined : this.#queue.shift()
      if (next !== undefined) this.#begin(next)
    })
    if (this.#isRenewable) this.#calls.set(id, call)
  }

  /** The owner has begun it. */
  awaitAnswer(id: number, settle: Settle): void {
    if (!this.#early.has(id)) this.#later.set(id, settle)
    else settle(outcomeOf(this.#early.get(id)))
    this.#early.delete(id)
  }

  answer(id: number, wire: unknown): void {
    const settle = this.#later.get(id)
    if (settle === undefined) this.#early.set(id, wire)
    this.#later.delete(id)
    settle?.(outcomeOf(wire))
  }

  /** The line is gone, and with it the answers of the batches whose other answers have not arrived. */
  forgetEarly(): void {
    this.#early.clear()
  }

  /** The requests that another owner has to begin again, each as a batch of its own. */
  again(): Batch[] {
    const batches: Batch[] = []
    for (const [id, settle] of this.#later) {
      const { code, parameters } = this.#calls.get(id) as LongCall // it is not settled
      const batch = new Batch(id)
      batch.add(code, parameters)
      batch.waiting.push(settle)
      batch.isNumbered = false
      batches.push(batch)
    }
    this.#later.clear()
    return batches
  }

  /** Rejects those that have begun and for which there is a reason. */
  expire(reason: (code: number) => CacheError | undefined): void {
    for (const [id, settle] of this.#later) {
      const error = reason((this.#calls.get(id) as LongCall).code)
      if (error === undefined) continue
      this.#later.delete(id)
      settle(Promise.reject(error))
    }
  }

  end(reason: unknown): void {
    this.#isEnded = true
    for (const settle of this.#later.values()) settle(Promise.reject(reason))
    for (const { settle } of this.#queue) settle(Promise.reject(reason))
    this.#later.clear()
    this.#early.clear()
    this.#calls.clear()
    this.#queue.length = 0
  }
}
