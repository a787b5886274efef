/**
 * The pending requests of a client. The requests of one tick are one batch, sent when the tick ends. At most a few batches are
 * in flight; further requests wait here, in the thread that makes them. A client with pending requests keeps its thread alive;
 * an idle one does not.
 *
 * Before: remote-client. After: batch and the line, then answers.
 */

import { METHODS, type Method } from '../../../cache/methods.js'
import { outsideRequests } from '../../../durable/outside-requests.js'
import { nextTick, queueMicrotask } from '../../../durable/storage/event-loop.js'
import { CacheClosedError, type CacheError } from '../../../errors.js'
import type { Line } from '../line.js'
import { OPERATION_NAMES } from '../wire/codes.js'
import {
  ANSWERS,
  BATCH_BYTES_MAX,
  BATCH_REQUESTS_MAX,
  BATCHES_MAX,
  CLOSED,
  GREETING,
  LATER,
  LONG_CALLS_MAX,
  type Part,
} from '../wire/protocol.js'
import { fromWireError } from '../wire/wire-error.js'
import { LATER_TAG } from '../wire/wire-value.js'
import { answerOf, errorOf, isError } from './answers.js'
import { Batch, type Settle } from './batch.js'
import { checkVersion } from './greeting.js'

/** By code, for methods: whether the call takes longer than a turn. */
const IS_LONG = OPERATION_NAMES.map(
  (name) =>
    name === 'openPast' || name === 'nextPast' || (METHODS as Partial<Record<string, Method>>)[name]?.waits === true,
)

/** The errors when a line ends. Their messages depend on the kind of line. */
export interface Endings {
  /** The client was closed. */
  closed(): CacheClosedError
  /** The line broke. */
  lost(): CacheClosedError
}

export class Requests {
  readonly #line: Line
  readonly #endings: Endings
  /** Receives the parts of messages that are not answers. */
  onPart: (part: Part) => void = ignore
  /** Called once when no more messages can arrive, with the reason, which is also the error unless the client or the cache was closed. */
  onEnd: (error: CacheError | undefined, reason: CacheError) => void = ignore
  #nextId = 1
  #open: Batch
  /** Full batches that have to wait. */
  readonly #queue: Batch[] = []
  readonly #sent = new Map<number, Batch>()
  /** Requests whose answers arrive in separate messages. */
  readonly #later = new Map<number, Settle>()
  /** Such answers that arrived before the answers of their batch, which waits for the disk or is not done yet. */
  readonly #early = new Map<number, unknown>()
  #longCalls = 0
  readonly #longQueue: { begin: () => void; settle: Settle }[] = []
  #isFlushQueued = false
  /** A tick has ended, and not all of its requests could be sent. */
  #isHeldUp = false
  #isHeld = false
  #ended: CacheError | undefined
  isClosing = false

  constructor(line: Line, endings: Endings) {
    this.#line = line
    this.#endings = endings
    this.#open = new Batch(this.#nextId)
    line.onMessage((message) => outsideRequests(this.#receive, message))
    line.onClose(() => outsideRequests(this.#lose))
  }

  // ── out ──

  /**
   * Makes a request and resolves with its answer. `onId` is called with the request's number once it has one. `isUrgent`: the
   * request does not wait for other long calls, because one of them waits for it.
   */
  ask(code: number, parameters: readonly unknown[], onId?: (id: number) => void, isUrgent = false): Promise<unknown> {
    if (this.#ended !== undefined || this.isClosing) return Promise.reject(this.#ended ?? this.#closed())
    if (IS_LONG[code] !== true) {
      onId?.(this.#nextId)
      return this.#promise(this.#add(code, parameters))
    }
    return new Promise((settle) => {
      const begin = () => {
        this.#longCalls++
        onId?.(this.#nextId)
        this.#join(this.#add(code, parameters), (outcome) => {
          this.#longCalls--
          settle(outcome)
          if (this.#ended === undefined) this.#longQueue.shift()?.begin()
        })
      }
      if (this.#longCalls < LONG_CALLS_MAX || isUrgent) begin()
      else this.#longQueue.push({ begin, settle })
    })
  }

  /** A fast path for the most common requests: a key, and at most one small argument. It creates no list. */
  askByKey(code: number, key: string, argument?: null | boolean | number | string): Promise<unknown> {
    if (this.#ended !== undefined || this.isClosing) return Promise.reject(this.#ended ?? this.#closed())
    const batch = this.#open
    batch.addByKey(code, key, argument)
    return this.#promise(batch)
  }

  /** Sends a request that needs no answer. */
  tell(code: number, ...parameters: unknown[]): void {
    if (this.#ended === undefined) this.#join(this.#add(code, parameters), ignore)
  }

  #add(code: number, parameters: readonly unknown[]): Batch {
    this.#open.add(code, parameters)
    return this.#open
  }

  #promise(batch: Batch): Promise<unknown> {
    const promise = new Promise(takeResolve)
    this.#join(batch, resolve)
    resolve = ignore // it would keep the promise, and the promise its request's async context
    return promise
  }

  /** The last request added is complete; `settle` receives its answer. */
  #join(batch: Batch, settle: Settle): void {
    batch.waiting.push(settle)
    this.#nextId++
    if (batch.waiting.length >= BATCH_REQUESTS_MAX || batch.bytes >= BATCH_BYTES_MAX) {
      this.#queue.push(batch)
      this.#open = new Batch(this.#nextId)
    }
    if (this.#isFlushQueued) return
    this.#isFlushQueued = true
    queueMicrotask(this.#queueFlush)
  }

  /** Runs after all microtasks of this tick, whatever kind of callback it began with. */
  readonly #queueFlush = (): void => nextTick(this.#flush)

  readonly #flush = (): void => {
    this.#isFlushQueued = false
    let last: Batch | undefined
    while (this.#sent.size < BATCHES_MAX && this.#ended === undefined) {
      let batch = this.#queue.shift()
      if (batch === undefined) {
        if (this.#open.waiting.length === 0) break
        batch = this.#open
        this.#open = new Batch(this.#nextId)
      }
      this.#sent.set(batch.firstId, batch)
      this.#line.post(batch.message, batch.transfer.length === 0 ? undefined : batch.transfer)
      last = batch
    }
    this.#isHeldUp = this.#queue.length > 0 || this.#open.waiting.length > 0
    // A single awaited call: its answer usually arrives sooner than going to sleep and waking up would take.
    if (last?.waiting.length === 1 && this.#sent.size === 1) {
      const taken = this.#line.takeSoon?.()
      if (taken !== undefined) outsideRequests(this.#receive, taken.message)
    }
    this.#hold()
  }

  #hold(): void {
    const isWaiting = this.#sent.size > 0 || this.#later.size > 0
    if (isWaiting === this.#isHeld) return
    this.#isHeld = isWaiting
    this.#line.hold(isWaiting)
  }

  // ── in ──

  readonly #receive = (message: unknown): void => {
    if (!Array.isArray(message)) {
      this.#lose() // it cannot be read
      return
    }
    for (const part of message as Part[]) {
      if (part[0] === ANSWERS) this.#answer(part)
      else if (part[0] === LATER) this.#answerLater(part[1] as number, part[2])
      else if (part[0] === CLOSED) this.#endByOwner(fromWireError(part[1] as unknown[]) as CacheError)
      else if (part[0] === GREETING) this.#greet(part)
      else this.onPart(part)
    }
    if (this.#isHeldUp && this.#sent.size < BATCHES_MAX) this.#flush()
    else this.#hold()
  }

  #greet(part: Part): void {
    try {
      checkVersion(part)
    } catch (error) {
      this.end(error as CacheError, false)
    }
  }

  #answer(part: Part): void {
    const firstId = part[1] as number
    const batch = this.#sent.get(firstId)
    if (batch === undefined) return
    this.#sent.delete(firstId)
    const { waiting } = batch
    for (let index = 0; index < waiting.length; index++) {
      const wire = part[index + 2]
      const settle = waiting[index] as Settle
      if (typeof wire !== 'object' || wire === null) settle(wire)
      else if ((wire as unknown[])[0] === LATER_TAG) this.#awaitLater(firstId + index, settle)
      else if (settle !== ignore) settle(outcomeOf(wire))
    }
  }

  #awaitLater(id: number, settle: Settle): void {
    if (!this.#early.has(id)) this.#later.set(id, settle)
    else settle(outcomeOf(this.#early.get(id)))
    this.#early.delete(id)
  }

  #answerLater(id: number, wire: unknown): void {
    const settle = this.#later.get(id)
    if (settle === undefined) this.#early.set(id, wire)
    this.#later.delete(id)
    settle?.(outcomeOf(wire))
  }

  // ── the end ──

  /** If the cache was closed, its streams have completed; any other reason is an error for them. */
  #endByOwner(error: CacheError): void {
    this.end(error, error instanceof CacheClosedError)
  }

  readonly #lose = (): void => this.end(this.#endings.lost(), false)

  #closed(): CacheClosedError {
    return this.#endings.closed()
  }

  /** No more messages can arrive: pending requests are rejected. `isOrderly`: the client or the cache was closed. */
  end(reason: CacheError = this.#closed(), isOrderly = true): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    const rejected = () => Promise.reject(reason)
    for (const { waiting } of [...this.#sent.values(), ...this.#queue, this.#open]) {
      for (const settle of waiting) if (settle !== ignore) settle(rejected())
    }
    for (const settle of this.#later.values()) if (settle !== ignore) settle(rejected())
    for (const { settle } of this.#longQueue) settle(rejected())
    this.#sent.clear()
    this.#later.clear()
    this.#early.clear()
    this.#queue.length = this.#longQueue.length = 0
    this.#open = new Batch(this.#nextId)
    this.onEnd(isOrderly ? undefined : reason, reason)
    this.#line.close()
  }
}

/** One function for all promises, instead of one closure for each. */
function takeResolve(resolveIt: Settle): void {
  resolve = resolveIt
}

let resolve: Settle

/** An answer that cannot be decoded is a refusal, of this call only. */
function outcomeOf(wire: unknown): unknown {
  try {
    return isError(wire) ? Promise.reject(errorOf(wire)) : answerOf(wire)
  } catch (error) {
    return Promise.reject(error)
  }
}

function ignore(): void {
  // Ignores the answer.
}
