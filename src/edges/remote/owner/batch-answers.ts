/**
 * A batch that is being answered: its requests, in order, and the answers so far. A batch that takes long is suspended and
 * resumed later. Before: session. After: operations.
 */
import { AGAIN, SAME } from '../wire/codes.js'
import { ANSWERS, BATCH_REQUESTS_MAX, type Part } from '../wire/protocol.js'
import type { Wire } from '../wire/wire-value.js'
import { operationAt } from './operations.js'

/** Answers one request. Its first argument, or SAME in its place, is at index `at` of the batch. */
export interface Answerer {
  answer(id: number, code: number, first: unknown, batch: readonly unknown[], at: number): Wire
}

/** How many requests are answered between two readings of the clock, if none of them may take long. */
const REQUESTS_PER_LOOK = 128

export class BatchAnswers {
  /** The indexes in {@link part} of answers that must wait for the disk. */
  readonly changes: number[] = []
  readonly #awaitsDisk: boolean
  readonly #batch: readonly unknown[]
  readonly #part: [number, ...unknown[]]
  /** The next request: its index, and its number. */
  #at = 1
  #id: number
  /** The previous request: its index (0: none), and its first argument. */
  #last = 0
  #first: unknown

  /** `awaitsDisk`: whether changes must be durable before they are answered. */
  constructor(batch: readonly unknown[], awaitsDisk: boolean) {
    this.#awaitsDisk = awaitsDisk
    this.#batch = batch
    this.#id = batch[0] as number
    this.#part = [ANSWERS, this.#id]
  }

  get part(): Part {
    return this.#part
  }

  /** Replaces the answers to changes, except refusals. */
  refuseChanges(wire: Wire, isRefusal: (wire: unknown) => boolean): void {
    for (const index of this.changes) if (!isRefusal(this.#part[index])) this.#part[index] = wire
  }

  /** Answers requests until all are done, the time is up, or one is malformed. */
  advance(answerer: Answerer, untilMs: number): 'done' | 'unfinished' | 'nonsense' {
    const batch = this.#batch
    const part = this.#part
    for (let done = 0; this.#at < batch.length; done++) {
      const isAgain = batch[this.#at] === AGAIN && this.#last > 0
      const times = isAgain ? batch[this.#at + 1] : 1
      if (!isAgain) this.#last = this.#at
      const code = batch[this.#last] as number // if there is an operation
      const operation = operationAt(code)
      if (operation === undefined || !isCount(times)) return 'nonsense'
      const { arity, mustBeDurable, mayTakeLong } = operation
      if (!isAgain && arity > 0 && batch[this.#at + 1] !== SAME) this.#first = batch[this.#at + 1]
      for (let time = 0; time < times; time++) {
        part.push(answerer.answer(this.#id++, code, this.#first, batch, this.#last + 1))
        if (mustBeDurable && this.#awaitsDisk) this.changes.push(part.length - 1)
      }
      this.#at += isAgain ? 2 : 1 + arity
      const isLookDue = mayTakeLong || done % REQUESTS_PER_LOOK === REQUESTS_PER_LOOK - 1
      if (isLookDue && this.#at < batch.length && performance.now() >= untilMs) return 'unfinished'
    }
    return 'done'
  }
}

function isCount(times: unknown): times is number {
  return Number.isInteger(times) && (times as number) > 0 && (times as number) <= BATCH_REQUESTS_MAX
}
