/**
 * A client's end of the port. What is asked in one tick is one batch and leaves when the tick ends; a few batches are on the
 * way at most, and what a flood asks beyond that waits here, in the worker that makes it. A client that waits for an answer
 * keeps its worker alive; one that doesn't, doesn't.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { METHODS, type Method } from '../../../cache/methods.js'
import { CacheClosedError, type CacheError } from '../../../errors.js'
import { Doorbell } from '../../threads/memory/doorbell.js'
import {
  ANSWERS,
  BATCH_BYTES_MAX,
  BATCH_REQUESTS_MAX,
  BATCHES_MAX,
  CLOSED,
  GREETING,
  LATER,
  LONG_CALLS_MAX,
  REMOTE_METHODS,
} from '../wire/protocol.js'
import { fromWireError } from '../wire/wire-error.js'
import { LATER_TAG } from '../wire/wire-value.js'
import { answerOf, errorOf, isError } from './answers.js'
import { Batch, type Settle } from './batch.js'

type Parts = readonly (readonly [number, ...unknown[]])[]

/** By code, for those that are methods: whether it takes longer than a turn. */
const IS_LONG = REMOTE_METHODS.map((name) => (METHODS[name] as Method).waits === true)

export class Line {
  readonly #port: MessagePort
  readonly bell = new Doorbell()
  readonly #onPart: (part: readonly [number, ...unknown[]]) => void
  readonly #onEnd: (error: CacheError | undefined) => void
  #nextId = 1
  #open: Batch
  /** Full batches for which there is no room on the way. */
  readonly #queue: Batch[] = []
  readonly #sent = new Map<number, Batch>()
  /** Requests whose answers come in messages of their own. */
  readonly #later = new Map<number, Settle>()
  /** Such answers that have overtaken their batch, which waits for the disk or is not done yet. */
  readonly #early = new Map<number, unknown>()
  #longCalls = 0
  readonly #longQueue: (() => void)[] = []
  #isFlushQueued = false
  /** A tick has ended, and not all that it asked could leave. */
  #isHeldUp = false
  #isReferenced = false
  #ended: CacheError | undefined
  isClosing = false

  /** `onPart` gets what is no answer; `onEnd` is told once that nothing more will come, and why if it was not asked for. */
  constructor(
    port: MessagePort,
    onPart: (part: readonly [number, ...unknown[]]) => void,
    onEnd: (error: CacheError | undefined) => void,
  ) {
    this.#port = port
    this.#onPart = onPart
    this.#onEnd = onEnd
    this.#open = new Batch(this.#nextId)
    port.on('message', this.#receiveByLoop)
    port.on('messageerror', () => this.end(gone(), false))
    port.on('close', () => this.end(gone(), false))
    port.unref()
  }

  // ── out ──

  /**
   * Asks, and promises the answer. `onId` is told the number of the request when it has one. `isUrgent`: not to wait for
   * other long calls, because one of them waits for it.
   */
  ask(code: number, parameters: readonly unknown[], onId?: (id: number) => void, isUrgent = false): Promise<unknown> {
    if (this.#ended !== undefined || this.isClosing) return Promise.reject(this.#ended ?? closing())
    if (IS_LONG[code] !== true) return this.#promise(this.#add(code, parameters))
    return new Promise((settle) => {
      const begin = () => {
        this.#longCalls++
        onId?.(this.#nextId)
        this.#join(this.#add(code, parameters), (outcome) => {
          this.#longCalls--
          settle(outcome)
          if (this.#ended === undefined) this.#longQueue.shift()?.()
        })
      }
      if (this.#longCalls < LONG_CALLS_MAX || isUrgent) begin()
      else this.#longQueue.push(Object.assign(begin, { settle }))
    })
  }

  /** The short way for what is asked most: a key, and a small argument at most. No list is made for it. */
  askOfKey(code: number, key: string, argument?: null | boolean | number | string): Promise<unknown> {
    if (this.#ended !== undefined || this.isClosing) return Promise.reject(this.#ended ?? closing())
    const batch = this.#open
    batch.addOfKey(code, key, argument)
    return this.#promise(batch)
  }

  /** Says something that nobody waits for. */
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
    return promise
  }

  /** The request that was added last is complete: `settle` gets what it comes to. */
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

  /** After all microtasks of this tick, whichever kind of callback it began with. */
  readonly #queueFlush = (): void => process.nextTick(this.#flush)

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
      this.#port.postMessage(batch.message, batch.transfer.length === 0 ? undefined : batch.transfer)
      this.bell.posted()
      last = batch
    }
    this.#isHeldUp = this.#queue.length > 0 || this.#open.waiting.length > 0
    // One call, awaited, and nothing else under way: its answer mostly comes sooner than a sleep and a wake-up take.
    if (last?.waiting.length === 1 && this.#sent.size === 1 && this.bell.awaitMessage()) {
      const next = receiveMessageOnPort(this.#port) as { message: Parts } | undefined
      if (next !== undefined) this.#receive(next.message)
    }
    this.#reference()
  }

  #reference(): void {
    const isWaiting = this.#sent.size > 0 || this.#later.size > 0
    if (isWaiting === this.#isReferenced) return
    this.#isReferenced = isWaiting
    if (isWaiting) this.#port.ref()
    else this.#port.unref()
  }

  // ── in ──

  readonly #receiveByLoop = (parts: Parts): void => {
    this.bell.turned()
    this.#receive(parts)
  }

  #receive(parts: Parts): void {
    if (parts[0]?.[0] !== GREETING) this.bell.received()
    for (const part of parts) {
      if (part[0] === ANSWERS) this.#answer(part)
      else if (part[0] === LATER) this.#answerLater(part[1] as number, part[2])
      else if (part[0] === CLOSED) this.#endByOwner(fromWireError(part[1] as unknown[]) as CacheError)
      else this.#onPart(part)
    }
    if (this.#isHeldUp && this.#sent.size < BATCHES_MAX) this.#flush()
    else this.#reference()
  }

  #answer(part: readonly unknown[]): void {
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

  /** A cache that was closed has completed its streams; anything else is an error to them. */
  #endByOwner(error: CacheError): void {
    this.end(error, error instanceof CacheClosedError)
  }

  /** Nothing more will come. Whatever is still waiting is settled. `isOrderly`: that is no surprise to anybody. */
  end(reason: CacheError = closing(), isOrderly = true): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    const rejected = () => Promise.reject(reason)
    for (const { waiting } of [...this.#sent.values(), ...this.#queue, this.#open]) {
      for (const settle of waiting) if (settle !== ignore) settle(rejected())
    }
    for (const settle of this.#later.values()) if (settle !== ignore) settle(rejected())
    for (const begin of this.#longQueue) (begin as unknown as { settle: Settle }).settle(rejected())
    this.#sent.clear()
    this.#later.clear()
    this.#early.clear()
    this.#queue.length = this.#longQueue.length = 0
    this.#open = new Batch(this.#nextId)
    this.#onEnd(isOrderly ? undefined : reason)
    this.#port.close()
  }
}

/** One function for all promises, instead of a closure for each. */
function takeResolve(resolveIt: Settle): void {
  resolve = resolveIt
}

let resolve: Settle

function outcomeOf(wire: unknown): unknown {
  return isError(wire) ? Promise.reject(errorOf(wire)) : answerOf(wire)
}

function ignore(): void {
  // What was told, not asked.
}

function closing(): CacheClosedError {
  return new CacheClosedError(
    'This client is closed. A call that was on the way may have been done; connect() to a new port of cache.share() and look.',
  )
}

function gone(): CacheClosedError {
  return new CacheClosedError(
    'The port is closed: the thread that owns the cache has ended, or closed it. Whether calls that were on the way were done is unknown; open the cache again and look.',
  )
}
