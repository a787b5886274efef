/**
 * The pending requests of a client. The requests of one tick are one batch, sent when the tick ends. At most a few batches are
 * in flight; further requests wait here, in the thread that makes them. A client with pending requests keeps its thread alive;
 * an idle one does not.
 *
 * Before: remote-client. After: batch and the line, then answers.
 */
import { outsideRequests } from '../../../durable/outside-requests.js'
import { nextTick, queueMicrotask } from '../../../durable/storage/event-loop.js'
import { CacheClosedError, type CacheError } from '../../../errors.js'
import type { Line } from '../line.js'
import { isLong, isOnce } from '../wire/codes.js'
import {
  ANSWERS,
  BATCH_BYTES_MAX,
  BATCH_REQUESTS_MAX,
  BATCHES_MAX,
  CLOSED,
  GREETING,
  LATER,
  type Part,
} from '../wire/protocol.js'
import { fromWireError } from '../wire/wire-error.js'
import { LATER_TAG } from '../wire/wire-value.js'
import { outcomeOf } from './answers.js'
import { Batch, type Settle } from './batch.js'
import { versionError } from './greeting.js'
import { type Endings, type Renewal, WAITING_BYTES_MAX } from './line-ends.js'
import { LongCalls } from './long-calls.js'

export class Requests {
  #line: Line
  readonly #endings: Endings
  readonly #renewal: Renewal | undefined
  /** Receives the parts of messages that are not answers. */
  onPart: (part: Part) => void = ignore
  /** Called once when no more messages can arrive. The reason is also the error, unless the client or the cache was closed. */
  onEnd: (error: CacheError | undefined, reason: CacheError) => void = ignore
  /** Called when there is another line, before anything is asked over it. */
  onResume: () => void = () => undefined
  #nextId = 1
  #open: Batch
  /** Full batches that have to wait. */
  readonly #queue: Batch[] = []
  readonly #sent = new Map<number, Batch>()
  readonly long: LongCalls
  #isFlushQueued = false
  #isHeldUp = false // a tick has ended, and not all of its requests could be sent
  #isHeld = false
  #ended: CacheError | undefined
  isClosing = false
  #isSuspended = false // the line broke, and there is no other one yet
  #waitingBytes = 0

  constructor(line: Line, endings: Endings, renewal?: Renewal) {
    this.#line = line
    this.#endings = endings
    this.#renewal = renewal
    this.#open = new Batch(this.#nextId)
    this.long = new LongCalls(renewal !== undefined)
    this.#attach(line)
  }

  #attach(line: Line): void {
    this.#line = line
    line.onMessage((message) => {
      if (line === this.#line) outsideRequests(this.#receive, message)
    })
    line.onClose(() => {
      if (line === this.#line) outsideRequests(this.#lose)
    })
  }

  // ── out ──

  /**
   * Makes a request and resolves with its answer. `onId` is called with the request's number once it has one. `isUrgent`: the
   * request does not wait for other long calls, because one of them waits for it.
   */
  ask(code: number, parameters: readonly unknown[], onId?: (id: number) => void, isUrgent = false): Promise<unknown> {
    if (this.#isRefusing) return Promise.reject(this.#refusal())
    if (!isLong(code)) {
      onId?.(this.#nextId)
      return this.#promise(this.#add(code, parameters))
    }
    return new Promise((settle) => {
      const begin = (settle: Settle) => {
        if (isOnce(code)) this.#closeOpen()
        const id = this.#nextId
        onId?.(id)
        this.#open.isOnce = isOnce(code)
        this.#join(this.#add(code, parameters), settle)
        return id
      }
      this.long.ask({ code, parameters, begin, settle }, isUrgent)
    })
  }

  /** A fast path for the most common requests: a key, and at most one small argument. It creates no list. */
  askByKey(code: number, key: string, argument?: null | boolean | number | string): Promise<unknown> {
    if (this.#isRefusing) return Promise.reject(this.#refusal())
    const batch = this.#open
    batch.addByKey(code, key, argument)
    return this.#promise(batch)
  }

  /** Sends a request that needs no answer. */
  tell(code: number, ...parameters: unknown[]): void {
    if (this.#ended === undefined) this.#join(this.#add(code, parameters), ignore)
  }

  get #isRefusing(): boolean {
    return this.#ended !== undefined || this.isClosing || this.#waitingBytes > WAITING_BYTES_MAX
  }

  #refusal(): CacheError {
    if (this.#ended !== undefined) return this.#ended
    return this.isClosing || this.#renewal === undefined ? this.#endings.closed() : this.#renewal.full()
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
    const isFull = batch.waiting.length >= BATCH_REQUESTS_MAX || batch.bytes >= BATCH_BYTES_MAX
    if (isFull || batch.isOnce) this.#closeOpen()
    if (this.#isFlushQueued) return
    this.#isFlushQueued = true
    queueMicrotask(this.#queueFlush)
  }

  /** What is asked from now on is in another batch. */
  #closeOpen(): void {
    if (this.#open.waiting.length === 0) return
    if (this.#isSuspended) this.#open.sinceMs = this.#now()
    this.#queue.push(this.#open)
    this.#open = new Batch(this.#nextId)
  }

  /** Runs after all microtasks of this tick, whatever kind of callback it began with. */
  readonly #queueFlush = (): void => nextTick(this.#flush)

  readonly #flush = (): void => {
    this.#isFlushQueued = false
    if (this.#isSuspended) this.#queueOpen()
    else this.#flushNow()
  }

  #flushNow(): void {
    let last: Batch | undefined
    while (this.#sent.size < BATCHES_MAX && this.#ended === undefined) {
      let batch = this.#queue.shift()
      if (batch === undefined) {
        if (this.#open.waiting.length === 0) break
        batch = this.#open
        this.#open = new Batch(this.#nextId)
      }
      if (this.#post(batch)) last = batch
    }
    this.#isHeldUp = this.#queue.length > 0 || this.#open.waiting.length > 0
    // A single awaited call: its answer usually arrives sooner than going to sleep and waking up would take.
    if (last?.waiting.length === 1 && this.#sent.size === 1) {
      const taken = this.#line.takeSoon?.()
      if (taken !== undefined) outsideRequests(this.#receive, taken.message)
    }
    this.#hold()
  }

  /** Returns whether it could be sent. */
  #post(batch: Batch): boolean {
    this.#sent.set(batch.firstId, batch)
    try {
      if (this.#renewal === undefined)
        this.#line.post(batch.message, batch.transfer.length === 0 ? undefined : batch.transfer)
      else this.#line.post(batch.numbered(this.#received, this.#renewal.stamp))
      return true
    } catch (error) {
      this.#sent.delete(batch.firstId)
      this.#reject(batch, error)
      return false
    }
  }

  #now = (): number => this.#renewal?.now() ?? 0

  /** Up to which number all answers have arrived, except those of long calls, which are not numbered commands. */
  get #received(): number {
    let first = this.#queue[0]?.firstId ?? this.#nextId // subscriptions that are made again overtake what waits
    for (const { firstId, isNumbered } of this.#sent.values()) if (isNumbered) first = Math.min(first, firstId)
    return first - 1
  }

  #rejectSent(reason: unknown, which: (batch: Batch) => boolean): void {
    for (const batch of [...this.#sent.values()].filter(which))
      if (this.#sent.delete(batch.firstId)) this.#reject(batch, reason)
  }

  #reject({ waiting }: Batch, reason: unknown): void {
    for (const settle of waiting) if (settle !== ignore) settle(Promise.reject(reason))
  }

  #hold(): void {
    const isWaiting = this.#sent.size > 0 || this.long.pending > 0
    if (isWaiting === this.#isHeld) return
    this.#isHeld = isWaiting
    this.#line.hold(isWaiting)
  }

  // ── in ──

  readonly #receive = (message: unknown): void => {
    if (!Array.isArray(message)) this.#lose() // it cannot be read
    for (const part of Array.isArray(message) ? (message as Part[]) : []) {
      if (part[0] === ANSWERS) this.#answer(part)
      else if (part[0] === LATER) this.long.answer(part[1] as number, part[2])
      else if (part[0] === CLOSED) this.#endByOwner(fromWireError(part[1] as unknown[]) as CacheError)
      else if (part[0] === GREETING) {
        const error = versionError(part)
        if (error !== undefined) this.end(error, false)
      } else this.onPart(part)
    }
    if (this.#isSuspended) return
    if (this.#isHeldUp && this.#sent.size < BATCHES_MAX) this.#flush()
    else this.#hold()
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
      else if ((wire as unknown[])[0] === LATER_TAG) this.long.awaitAnswer(firstId + index, settle)
      else if (settle !== ignore) settle(outcomeOf(wire))
    }
  }

  // ── the end ──

  /** If the cache was closed, its streams have completed; any other reason is an error for them. */
  #endByOwner(error: CacheError): void {
    const isOrderly = error instanceof CacheClosedError
    if (this.#renewal === undefined || error.code === 'UNSUPPORTED_VERSION') this.end(error, isOrderly)
    if (!isOrderly) this.#rejectSent(error, () => true) // what the owner refuses, it would refuse again
    if (this.#renewal !== undefined) this.#suspend(error)
  }

  readonly #lose = (): void => {
    if (this.#renewal === undefined) this.end(this.#endings.lost(), false)
    else this.#suspend(undefined)
  }

  #suspend(reason: CacheError | undefined): void {
    if (this.#isSuspended || this.#ended !== undefined) return
    this.#isSuspended = true
    this.#isHeld = false
    for (const batch of this.#unanswered) batch.sinceMs = this.#now()
    this.long.forgetEarly()
    this.#queueOpen()
    this.#line.close()
    this.#renewal?.onLost(reason)
  }

  #queueOpen(): void {
    this.#closeOpen()
    this.#waitingBytes = 0
    for (const { bytes, waiting } of this.#unanswered) this.#waitingBytes += bytes + 64 * waiting.length
    this.#renewal?.hold(!this.isIdle)
  }

  get #unanswered(): Batch[] {
    return [...this.#sent.values(), ...this.#queue]
  }

  /** Whether no call waits for an answer. */
  get isIdle(): boolean {
    return this.#sent.size + this.long.pending + this.#queue.length + this.#open.waiting.length === 0
  }

  /** Rejects the calls that may have taken effect and must not be asked again. */
  rejectOnce(reason: CacheError): void {
    this.#rejectSent(reason, (batch) => batch.isOnce)
    this.long.expire((code) => (isOnce(code) ? reason : undefined))
  }

  /** Asks everything that is unanswered again, with its numbers, over another line. */
  resume(line: Line): void {
    this.#attach(line)
    this.#isSuspended = false
    this.#waitingBytes = 0
    this.#renewal?.hold(false)
    for (const batch of this.long.again()) this.#sent.set(batch.firstId, batch)
    const unanswered = [...this.#sent.values()]
    if (!this.isClosing) this.onResume() // otherwise the streams are about to complete
    const subscriptions = this.#open
    this.#open = new Batch(this.#nextId)
    // Streams first, so that they have the events of what is asked again.
    for (const batch of [subscriptions, ...unanswered]) if (batch.waiting.length > 0) this.#post(batch)
    this.#flush()
  }

  /** While there is no line: rejects the calls that have waited since this time ({@link Renewal.now}) or longer. */
  expire(sinceMs: number, reason: (wasSent: boolean) => CacheError): void {
    if (!this.#isSuspended) return
    for (const batch of this.#unanswered) {
      if (batch.sinceMs > sinceMs) continue
      const wasSent = this.#sent.delete(batch.firstId)
      if (!wasSent) this.#queue.splice(this.#queue.indexOf(batch), 1)
      this.#reject(batch, reason(wasSent))
    }
    this.#queueOpen()
  }

  /** No more messages can arrive: pending requests are rejected. `isOrderly`: the client or the cache was closed. */
  end(reason: CacheError = this.#endings.closed(), isOrderly = true): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    for (const batch of [...this.#unanswered, this.#open]) this.#reject(batch, reason)
    this.long.end(reason)
    this.#sent.clear()
    this.#queue.length = 0
    this.#open = new Batch(this.#nextId)
    this.onEnd(isOrderly ? undefined : reason, reason)
    this.#line.close()
  }
}

let resolve: Settle
/** One function for all promises, instead of one closure for each. */
function takeResolve(resolveIt: Settle): void {
  resolve = resolveIt
}

function ignore(): void {}
