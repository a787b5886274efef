/**
 * The requests of a synchronous client: each blocks its thread until the owner has answered. Small requests and answers go
 * through shared memory (memory/sync-packet.ts), all others over the port, which is read without the event loop. Before:
 * sync-client. After: the owner's served-packets or session.
 */
import { availableParallelism } from 'node:os'
import { MessageChannel, type MessagePort, receiveMessageOnPort, threadId } from 'node:worker_threads'
import { CacheClosedError, CacheError } from '../../../errors.js'
import { answerOf, errorOf, isError } from '../../remote/client/answers.js'
import { checkVersion } from '../../remote/client/greeting.js'
import { OP } from '../../remote/wire/codes.js'
import { ANSWERS, CLOSED, GREETING, LATER, type Part } from '../../remote/wire/protocol.js'
import { fromWireError } from '../../remote/wire/wire-error.js'
import { LATER_TAG } from '../../remote/wire/wire-value.js'
import { Patience } from '../memory/patience.js'
import {
  ANSWERED,
  AWAKE,
  IDLE,
  LOOK,
  MESSAGES,
  PACKET_BYTES,
  REQUEST,
  SIGNAL,
  STATE,
  SyncPacket,
} from '../memory/sync-packet.js'

/** How long to sleep before making sure that there still is an owner to be woken by. */
const SLEEP_MS = 500
const LOOKS = availableParallelism() > 1 ? 2_000 : 0

export class SyncRequests {
  #port: MessagePort
  readonly #onPart: (part: Part) => void
  readonly #onEnd: (error: CacheError | undefined) => void
  readonly #packet: SyncPacket
  readonly #words: Int32Array
  readonly #patience = new Patience(LOOKS)
  /** Answers by request; a request that is in here is awaited. */
  readonly #answers = new Map<number, unknown>()
  #received = 0
  #nextId = 1
  #isListening = false
  ended: CacheError | undefined

  constructor(port: MessagePort, onPart: (part: Part) => void, onEnd: (error: CacheError | undefined) => void) {
    this.#onPart = onPart
    this.#onEnd = onEnd
    this.#port = port
    const memory = new SharedArrayBuffer(PACKET_BYTES)
    this.#packet = new SyncPacket(memory)
    this.#words = this.#packet.words
    this.#greet()
    const id = this.#nextId++
    port.postMessage([id, OP.extra, 'packets', memory])
    this.#finish(id)
  }

  /** The greeting lies in the port before anything is asked, so who the owner is can be known without waiting for it. */
  #greet(): void {
    const message = (receiveMessageOnPort(this.#port) as { message: Part[] } | undefined)?.message
    const greeting = Array.isArray(message) ? message.find((part) => part[0] === GREETING) : undefined
    if (greeting === undefined) {
      throw new CacheClosedError(
        'This port brings no greeting from a cache: it is not from cache.share(), is in use already, or the cache is closed. Ask for a new port.',
      )
    }
    checkVersion(greeting)
    if (greeting[2] !== threadId) return
    throw new CacheError(
      'WOULD_DEADLOCK',
      'connectSync() was called in the thread that owns the cache: it would wait for itself for ever. Use the cache itself here, or connect(); connectSync() is for other threads.',
    )
  }

  /** @throws what the owner refuses with; CacheClosedError when there is no owner any more. */
  ask(code: number, parameters: readonly unknown[], onId?: (id: number) => void): unknown {
    if (this.ended !== undefined) throw this.ended
    const id = this.#nextId++
    onId?.(id)
    if (this.#put(id, code, parameters)) {
      Atomics.store(this.#words, STATE, REQUEST)
      if (Atomics.load(this.#words, AWAKE) === 0) this.#port.postMessage(LOOK)
    } else this.#port.postMessage([id, code, ...parameters])
    return this.#finish(id)
  }

  #put(id: number, code: number, parameters: readonly unknown[]): boolean {
    if (Atomics.load(this.#words, STATE) !== IDLE) return false
    const packet = this.#packet
    packet.rewind()
    if (!packet.put(id) || !packet.put(code)) return false
    for (const parameter of parameters) if (!packet.put(parameter)) return false
    return true
  }

  /** Says something that nobody waits for. */
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
        this.#packet.take() // the id: one request is in the memory at a time
        const value = this.#packet.take()
        Atomics.store(words, STATE, IDLE)
        this.#answers.delete(id)
        this.#drain()
        return value
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
    if (this.#patience.await(() => Atomics.load(words, SIGNAL) !== signal)) return
    if (Atomics.wait(words, SIGNAL, signal, SLEEP_MS) === 'timed-out') this.#checkOwner()
  }

  /**
   * An owner that was terminated rings no bell, and that a port is closed shows in the event loop, which is blocked. But a
   * closed port cannot be transferred, and an open one survives being transferred to where it is.
   */
  #checkOwner(): void {
    // Reading is what takes notice of the end of the other side.
    const next = receiveMessageOnPort(this.#port) as { message: Part[] } | undefined
    if (next !== undefined) this.#receive(next.message)
    if (next !== undefined || this.ended !== undefined) return
    const { port1, port2 } = new MessageChannel()
    try {
      port1.postMessage(this.#port, [this.#port])
      this.#port = (receiveMessageOnPort(port2) as { message: MessagePort }).message
      if (this.#isListening) this.#attach()
    } catch (error) {
      this.end(gone(error), false)
    } finally {
      port1.close()
    }
  }

  /** Takes what has come over the port. Only as much as the owner says it has sent: reading costs, and mostly there is nothing. */
  #drain(): void {
    while (this.#received !== Atomics.load(this.#words, MESSAGES)) {
      const next = receiveMessageOnPort(this.#port) as { message: Part[] } | undefined
      if (next === undefined) return
      this.#receive(next.message)
    }
  }

  readonly #receive = (parts: readonly Part[]): void => {
    this.#received = (this.#received + 1) | 0
    for (const part of parts) {
      if (part[0] === ANSWERS) this.#keep(part[1] as number, part[2])
      else if (part[0] === LATER) this.#keep(part[1] as number, part[2])
      else if (part[0] === CLOSED) {
        const error = fromWireError(part[1] as unknown[]) as CacheError
        this.end(error, error instanceof CacheClosedError)
      } else this.#onPart(part)
    }
  }

  #keep(id: number, wire: unknown): void {
    if (Array.isArray(wire) && wire[0] === LATER_TAG) return
    if (this.#answers.has(id)) this.#answers.set(id, wire) // else nobody waits for it
  }

  /** Whether what comes while no call is made is taken too, by the event loop: streams need that. */
  listen(isListening: boolean): void {
    if (isListening === this.#isListening || this.ended !== undefined) return
    this.#isListening = isListening
    if (isListening) this.#attach()
    else this.#port.off('message', this.#receive)
  }

  #attach(): void {
    this.#port.on('message', this.#receive)
    this.#port.unref()
  }

  end(reason: CacheError = closing(), isOrderly = true): void {
    if (this.ended !== undefined) return
    this.ended = reason
    this.#onEnd(isOrderly ? undefined : reason)
    this.#port.close()
  }
}

const UNANSWERED = Symbol('unanswered')

function closing(): CacheClosedError {
  return new CacheClosedError('This client is closed: connectSync() to a new port of cache.share().')
}

function gone(cause: unknown): CacheClosedError {
  return new CacheClosedError(
    'The thread that owns the cache has ended. Whether the call that was on the way was done is unknown; open the cache again and look.',
    { cause },
  )
}
