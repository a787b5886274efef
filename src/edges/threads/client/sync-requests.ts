/**
 * The requests of a synchronous client: each blocks its thread until the owner has answered. Small requests and answers go
 * through shared memory (line/sync-packet.ts), all others over the port, which is read without the event loop. Before:
 * sync-client. After: the owner's served-packets or inbox.
 */
import { availableParallelism } from 'node:os'
import { MessageChannel, type MessagePort, receiveMessageOnPort, threadId } from 'node:worker_threads'
import { outsideRequests } from '../../../durable/outside-requests.js'
import { CacheClosedError, CacheError } from '../../../errors.js'
import { answerOf, errorOf, isError } from '../../remote/client/answers.js'
import { versionError } from '../../remote/client/greeting.js'
import { OP } from '../../remote/wire/codes.js'
import { ANSWERS, CLOSED, GREETING, LATER, LOAD, type Part } from '../../remote/wire/protocol.js'
import { fromWireError } from '../../remote/wire/wire-error.js'
import { LATER_TAG } from '../../remote/wire/wire-value.js'
import { Patience } from '../line/patience.js'
import {
  ANSWERED,
  AWAKE,
  CLIENT_NEXT,
  IDLE,
  LOOK,
  MESSAGES,
  PACKET_BYTES,
  REQUEST,
  SIGNAL,
  STATE,
  SyncPacket,
} from '../line/sync-packet.js'

/** How long to sleep before checking that the owner still exists. */
const SLEEP_MS = 500
const LOOKS = availableParallelism() > 1 ? 2_000 : 0

/** Handles messages that are not answers. */
export interface Receiver {
  /** The owner asks for this request's loader to run. */
  load(id: number, keys: readonly string[], stale: readonly unknown[], lease: number): void
  /** A part that belongs to a stream. */
  take(part: Part): void
  /** No more messages can arrive; with an error unless the client or the cache was closed. */
  end(error: CacheError | undefined): void
}

/**
 * A call may be made while another one waits: by a subscriber or a loader that runs meanwhile. The inner call then receives
 * everything that arrives, and keeps the outer call's answer for it. Events that arrive while a subscriber is running wait until
 * it returns, so that they are delivered in order. A loader runs at once, because the waiting call may need its value.
 */
export class SyncRequests {
  #port: MessagePort
  readonly #receiver: Receiver
  readonly #packet: SyncPacket
  readonly #words: Int32Array
  readonly #patience = new Patience(LOOKS)
  /** Answers by request; the keys are the pending requests. */
  readonly #answers = new Map<number, unknown>()
  /** Requests that were sent over the port and that the owner has not yet handled. */
  readonly #posted = new Set<number>()
  /** Parts that subscribers have not received yet. */
  readonly #deliveries: (() => void)[] = []
  #isDelivering = false
  #received = 0
  #nextId = 1
  #isListening = false
  ended: CacheError | undefined

  constructor(port: MessagePort, receiver: Receiver) {
    this.#receiver = receiver
    this.#port = port
    const memory = new SharedArrayBuffer(PACKET_BYTES)
    this.#packet = new SyncPacket(memory)
    this.#words = this.#packet.words
    Atomics.store(this.#words, CLIENT_NEXT, this.#patience.next)
    this.#greet()
    this.#finish(this.#post(this.#nextId++, OP.extra, ['packets', memory]))
  }

  /** The greeting is in the port from the start, so the owner can be identified without waiting for it. */
  #greet(): void {
    const message = (receiveMessageOnPort(this.#port) as { message: Part[] } | undefined)?.message
    const greeting = Array.isArray(message) ? message.find((part) => part[0] === GREETING) : undefined
    if (greeting === undefined) {
      throw new CacheClosedError(
        'The port has no greeting from a cache: it is not from cache.share(), is already in use, or the cache is closed',
        { advice: 'Get a new port from cache.share().' },
      )
    }
    const error = versionError(greeting)
    if (error !== undefined) throw error
    if (greeting[2] !== threadId) return
    throw new CacheError(
      'WOULD_DEADLOCK',
      'connectSync() was called in the thread that owns the cache, which would wait for itself',
    )
  }

  /** @throws the error with which the owner refuses the call; CacheClosedError when the owner has gone. */
  ask(code: number, parameters: readonly unknown[], onId?: (id: number) => void): unknown {
    if (this.ended !== undefined) throw this.ended
    const id = this.#nextId++
    onId?.(id)
    if (this.#put(id, code, parameters)) {
      Atomics.store(this.#words, STATE, REQUEST)
      if (Atomics.load(this.#words, AWAKE) === 0) this.#port.postMessage(LOOK)
    } else this.#post(id, code, parameters)
    return this.#finish(id)
  }

  /** Puts a request into the memory if it fits, and if no earlier request could still be handled after it. */
  #put(id: number, code: number, parameters: readonly unknown[]): boolean {
    if (Atomics.load(this.#words, STATE) !== IDLE || this.#posted.size > 0) return false
    const packet = this.#packet
    packet.rewind()
    if (!packet.put(id) || !packet.put(code)) return false
    for (const parameter of parameters) if (!packet.put(parameter)) return false
    return true
  }

  #post(id: number, code: number, parameters: readonly unknown[]): number {
    this.#port.postMessage([id, code, ...parameters])
    this.#posted.add(id)
    return id
  }

  /** Sends a request that needs no answer. */
  tell(code: number, ...parameters: unknown[]): void {
    if (this.ended === undefined) this.#port.postMessage([this.#nextId++, code, ...parameters])
  }

  #finish(id: number): unknown {
    const words = this.#words
    this.#answers.set(id, UNANSWERED)
    for (;;) {
      const signal = Atomics.load(words, SIGNAL)
      if (Atomics.load(words, STATE) === ANSWERED) {
        this.#packet.rewind()
        const answered = this.#packet.take() as number
        const value = this.#packet.take()
        Atomics.store(words, STATE, IDLE)
        this.#keep(answered, value)
      }
      this.#drain()
      const wire = this.#answers.get(id)
      if (wire !== UNANSWERED) {
        this.#answers.delete(id)
        if (isError(wire)) throw errorOf(wire)
        return answerOf(wire)
      }
      if (this.ended !== undefined) {
        this.#answers.delete(id)
        throw this.ended
      }
      this.#sleep(signal)
    }
  }

  #sleep(signal: number): void {
    const words = this.#words
    const isThere = this.#patience.await(() => Atomics.load(words, SIGNAL) !== signal)
    Atomics.store(words, CLIENT_NEXT, this.#patience.next)
    if (isThere) return
    if (Atomics.wait(words, SIGNAL, signal, SLEEP_MS) === 'timed-out') this.#checkOwner()
  }

  /**
   * A terminated owner does not wake this thread, and a closed port is only reported through the event loop, which is blocked.
   * But transferring a closed port fails, and an open one can be transferred to the thread that it is in.
   */
  #checkOwner(): void {
    // Only a read notices that the other end has closed.
    const next = receiveMessageOnPort(this.#port) as { message: Part[] } | undefined
    if (next !== undefined) this.#receive(next.message)
    if (next !== undefined || this.ended !== undefined) return
    const { port1, port2 } = new MessageChannel()
    try {
      port1.postMessage(this.#port, [this.#port])
      this.#port = (outsideRequests(receiveMessageOnPort, port2) as { message: MessagePort }).message
      if (this.#isListening) this.#attach()
    } catch (error) {
      this.end(gone(error), false)
    } finally {
      port1.close()
    }
  }

  /** Reads what has arrived over the port, but no more than the owner says it has sent: a read is slow and usually finds nothing. */
  #drain(): void {
    while (this.#received !== Atomics.load(this.#words, MESSAGES)) {
      const next = receiveMessageOnPort(this.#port) as { message: Part[] } | undefined
      if (next === undefined) return
      this.#receive(next.message)
    }
  }

  readonly #hear = (parts: readonly Part[]): void => outsideRequests(this.#receive, parts)

  readonly #receive = (parts: readonly Part[]): void => {
    this.#received = (this.#received + 1) | 0
    for (const part of parts) {
      if (part[0] === ANSWERS || part[0] === LATER) this.#answer(part)
      else if (part[0] === LOAD)
        this.#receiver.load(part[1] as number, part[2] as string[], part[3] as unknown[], part[4] as number)
      else if (part[0] === CLOSED) {
        const error = fromWireError(part[1] as unknown[]) as CacheError
        this.end(error, error instanceof CacheClosedError)
      } else this.#deliver(() => this.#receiver.take(part))
    }
  }

  #answer([kind, id, wire]: Part): void {
    if (kind === ANSWERS) this.#posted.delete(id as number)
    if (!Array.isArray(wire) || wire[0] !== LATER_TAG) this.#keep(id as number, wire)
  }

  #keep(id: number, wire: unknown): void {
    if (this.#answers.has(id)) this.#answers.set(id, wire) // otherwise no call waits for it
  }

  /** Calls subscribers: now, or after the delivery that is in progress. */
  #deliver(delivery: () => void): void {
    this.#deliveries.push(delivery)
    if (this.#isDelivering) return
    this.#isDelivering = true
    try {
      for (let next = this.#deliveries.shift(); next !== undefined; next = this.#deliveries.shift()) next()
    } finally {
      this.#isDelivering = false
    }
  }

  /** Sets whether the event loop receives messages between calls, as streams need. */
  listen(isListening: boolean): void {
    if (isListening === this.#isListening || this.ended !== undefined) return
    this.#isListening = isListening
    if (isListening) this.#attach()
    else this.#port.off('message', this.#hear)
  }

  #attach(): void {
    this.#port.on('message', this.#hear)
    this.#port.unref()
  }

  end(reason: CacheError = closing(), isOrderly = true): void {
    if (this.ended !== undefined) return
    this.ended = reason
    this.#port.close()
    this.#deliver(() => this.#receiver.end(isOrderly ? undefined : reason))
  }
}

const UNANSWERED = Symbol('unanswered')

function closing(): CacheClosedError {
  return new CacheClosedError('This client is closed', {
    advice: 'Call connectSync() with a new port of cache.share().',
  })
}

function gone(cause: unknown): CacheClosedError {
  return new CacheClosedError('The thread that owns the cache has ended', {
    cause,
    consequence: 'The call under way may or may not have taken effect.',
  })
}
