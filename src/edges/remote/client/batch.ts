/**
 * The requests of one tick as a message: one flat array without repetitions (wire/protocol.ts). Also the callbacks for the
 * answers, and the approximate size in bytes.
 */
import { AGAIN, ARITIES, SAME } from '../wire/codes.js'
import { isValueTag } from '../wire/wire-value.js'

export type Settle = (outcome: unknown) => void

/** Bytes of at least this size are transferred instead of copied: they belong to the batch. */
const TRANSFER_BYTES_MIN = 16 * 1024

export class Batch {
  readonly message: unknown[]
  /** One for each request; a refusal is settled with a rejected promise. */
  readonly waiting: Settle[] = []
  readonly transfer: ArrayBuffer[] = []
  bytes = 0
  /** False for a long call that is asked again: it is no numbered command. */
  isNumbered = true
  /** A call that is never asked again once it was sent. It is alone in its batch. */
  isOnce = false
  /** When it began to wait for another line. */
  sinceMs = 0
  #sentMs: number | undefined
  /** The first argument of the last request. If the next request has the same one, SAME replaces it. */
  #first: unknown
  /** The rest of the last request, if AGAIN may replace the next one. */
  #code: number | undefined
  #argument: unknown
  #isRepeating = false

  constructor(readonly firstId: number) {
    this.message = [firstId]
  }

  /** Its message, if commands are numbered. `stamp`: the time; a batch that is sent again then says when it was first sent. */
  numbered(received: number, stamp: (() => number) | undefined): unknown[] {
    if (this.#sentMs !== undefined) return [received, this.message, this.#sentMs]
    this.#sentMs = stamp?.()
    return [received, this.message]
  }

  add(code: number, parameters: readonly unknown[]): void {
    const { message } = this
    message.push(code)
    const arity = ARITIES[code] as number // a valid code
    for (let index = 0; index < arity; index++) {
      const parameter = parameters[index]
      message.push(parameter)
      if (typeof parameter === 'string') this.bytes += parameter.length
      else if (typeof parameter === 'object' && parameter !== null) weigh(this, parameter)
    }
    if (arity > 0) this.#first = parameters[0]
    this.#code = undefined
  }

  /** The fast path: creates no list of parameters and abbreviates what equals the last request. */
  addByKey(code: number, key: string, argument: unknown): void {
    const { message } = this
    const isSameKey = key === this.#first
    if (isSameKey && code === this.#code && Object.is(argument, this.#argument)) {
      if (this.#isRepeating) (message[message.length - 1] as number)++
      else message.push(AGAIN, 1)
      this.#isRepeating = true
      return
    }
    if (isSameKey) message.push(code, SAME)
    else {
      message.push(code, key)
      this.bytes += key.length
    }
    if (argument !== undefined) {
      message.push(argument)
      if (typeof argument === 'string') this.bytes += argument.length
    }
    this.#code = code
    this.#first = key
    this.#argument = argument
    this.#isRepeating = false
  }
}

function weigh(batch: Batch, parameter: object): void {
  batch.bytes += 32
  if (!Array.isArray(parameter)) return
  const bytes: unknown = parameter[1]
  if (isValueTag(parameter[0]) && bytes instanceof Uint8Array) {
    batch.bytes += bytes.byteLength
    const buffer = bytes.buffer as ArrayBuffer
    if (bytes.byteLength >= TRANSFER_BYTES_MIN && !batch.transfer.includes(buffer)) batch.transfer.push(buffer)
    return
  }
  for (const item of parameter) {
    if (typeof item === 'object' && item !== null) weigh(batch, item)
    else batch.bytes += typeof item === 'string' ? item.length : 8
  }
}
