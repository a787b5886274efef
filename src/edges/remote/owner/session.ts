/**
 * The owner's end of one port. A message is a batch of requests; each is one message to the cache actor and one turn, in the
 * order in which they were asked, and what they come to goes back in one message. What a port sends is checked: a request
 * that makes no sense is refused, a message that is none closes the port, and nothing that a worker sends is thrown here.
 */
import { type MessagePort, receiveMessageOnPort, threadId } from 'node:worker_threads'
import type { Cache } from '../../../cache/cache.js'
import { CacheError } from '../../../errors.js'
import type { PortOwner } from '../../threads/owner/ports.js'
import { BUDGET_MS, ServedMemory } from '../../threads/owner/served-packets.js'
import {
  AGAIN,
  ANSWERS,
  BATCH_REQUESTS_MAX,
  BATCHES_MAX,
  CLOSED,
  GREETING,
  LATER,
  LOOK,
  type Part,
  PROTOCOL_VERSION,
  SAME,
} from '../wire/protocol.js'
import { toWireError } from '../wire/wire-error.js'
import { ERROR, LATER_TAG, type Wire } from '../wire/wire-value.js'
import type { Inner } from './inner.js'
import { type Desk, OPERATIONS } from './operations.js'
import { ServedLoads } from './served-loads.js'
import { ServedStreams } from './served-streams.js'

/** Elements of a batch that asks one thing or two. */
const SHORT = 10

/** How long one port is served before the others have their turn. */
const WORK_MS = 2

/** A batch that is being answered. */
class Work {
  readonly batch: readonly unknown[]
  /** The answers until now, and which of them tell of changes. */
  readonly part: unknown[]
  readonly changes: number[] = []
  /** The next request: where it is, and its number. */
  at = 1
  id: number
  /** The last request: where it is (0: there is none), and its first argument. */
  request = 0
  first: unknown

  constructor(batch: readonly unknown[]) {
    this.batch = batch
    this.id = batch[0] as number
    this.part = [ANSWERS, this.id]
  }
}

export class ServedPort implements Desk {
  readonly cache: Cache
  readonly inner: Inner
  readonly loads: ServedLoads
  readonly streams: ServedStreams
  currentId = 0
  transfers: MessagePort[] = []
  readonly #owner: PortOwner
  readonly #port: MessagePort
  #memory: ServedMemory | undefined
  #outgoing: Part[] = []
  /** A batch that took long and is gone on with soon; what comes meanwhile waits behind it. */
  #unfinished: Work | undefined
  readonly #inbox: unknown[] = []
  #untilMs = 0
  #isHandling = false
  #isFlushQueued = false
  #isLeaving = false
  isClosed = false

  constructor(owner: PortOwner, port: MessagePort) {
    this.cache = owner.cache
    this.inner = owner.inner
    this.#owner = owner
    this.#port = port
    const post = (part: Part) => this.post(part)
    this.loads = new ServedLoads(post)
    this.streams = new ServedStreams(owner.cache, {
      post,
      send: () => this.sendNow(),
      queueFlush: () => this.#queueFlush(),
    })
    port.on('message', this.#receive)
    port.on('messageerror', () => this.refuse('a message that cannot be read'))
    port.on('close', () => this.#forget())
    port.unref() // an idle port is no reason for the owner's process to live
    port.postMessage([[GREETING, PROTOCOL_VERSION, threadId]])
  }

  share(): MessagePort {
    return this.#owner.share()
  }

  // ── in ──

  readonly #receive = (message: unknown): void => {
    if (this.#unfinished === undefined && this.#inbox.length === 0) this.#work(message)
    else this.#inbox.push(message)
  }

  /** Does what is there: a few batches, which are answered together, and none for long without a look at the other ports. */
  #work(first: unknown): void {
    this.#isHandling = true
    this.#untilMs = performance.now() + WORK_MS
    let message = first
    for (let batch = 1; ; batch++) {
      this.#handle(message)
      if (batch >= BATCHES_MAX || this.isClosed || this.#unfinished !== undefined) break
      const next =
        this.#inbox.length > 0
          ? { message: this.#inbox.shift() }
          : (receiveMessageOnPort(this.#port) as { message: unknown } | undefined)
      if (next === undefined) break
      message = next.message
    }
    this.#isHandling = false
    this.sendNow()
    if (this.#memory !== undefined && Array.isArray(first) && first.length <= SHORT) this.#lookOut(this.#memory)
    if (this.#unfinished !== undefined || this.#inbox.length > 0) setImmediate(this.#goOn)
    else if (this.#isLeaving) this.#owner.whenIdle(() => this.#hangUp())
  }

  readonly #goOn = (): void => {
    if (!this.isClosed) this.#work(this.#unfinished ?? this.#inbox.shift())
  }

  /** Who awaits each call asks again within microseconds. */
  #lookOut(memory: ServedMemory): void {
    const untilMs = performance.now() + BUDGET_MS
    const isFree = () =>
      !this.isClosed && !this.#isLeaving && this.#unfinished === undefined && this.#inbox.length === 0
    while (isFree() && memory.awaitMessage(untilMs)) {
      const next = receiveMessageOnPort(this.#port) as { message: unknown } | undefined
      if (next === undefined) return
      this.#isHandling = true
      this.#handle(next.message)
      this.#isHandling = false
      this.sendNow()
    }
  }

  #handle(message: unknown): void {
    if (message instanceof Work) this.#answerBatch(message)
    else if (message === LOOK) this.#memory?.look()
    else if (!Array.isArray(message) || !Number.isSafeInteger(message[0])) this.refuse('a message that is no batch')
    else {
      this.#answerBatch(new Work(message))
      this.#memory?.received()
    }
  }

  #answerBatch(work: Work): void {
    this.#unfinished = undefined
    const { batch, part } = work
    for (let { at } = work, done = 0; at < batch.length; done++) {
      const isAgain = batch[at] === AGAIN && work.request > 0
      const times = isAgain ? batch[at + 1] : 1
      if (!isAgain) work.request = at
      const code = batch[work.request] as number
      const operation = OPERATIONS[code]
      if (operation === undefined || !isCount(times)) {
        this.refuse('an operation that there is not')
        break
      }
      const { arity } = operation
      if (!isAgain && arity > 0 && batch[at + 1] !== SAME) work.first = batch[at + 1]
      const isWaiting = this.mustBeDurable(code)
      for (let time = 0; time < times; time++) {
        part.push(this.answer(work.id++, code, work.first, batch, work.request + 1))
        if (isWaiting) work.changes.push(part.length - 1)
      }
      at += isAgain ? 2 : 1 + arity
      if ((operation.mayTakeLong || done % 128 === 127) && at < batch.length && performance.now() >= this.#untilMs) {
        work.at = at
        this.#unfinished = work
        return
      }
    }
    if (work.changes.length === 0) this.post(part as unknown as Part)
    else this.#answerWhenDurable(work)
  }

  /** One request, one turn. `batch` holds its arguments, the first (or SAME) at `at`. */
  answer(id: number, code: number, first: unknown, batch: readonly unknown[], at: number): Wire {
    this.currentId = id
    try {
      const operation = OPERATIONS[code] as (typeof OPERATIONS)[number] // the caller has looked at the code
      const result = operation.run(this, first, batch, at)
      if (!(result instanceof Promise)) return result
      result.then(
        (wire) => this.answerLater(id, wire),
        (error: unknown) => this.answerLater(id, [ERROR, ...toWireError(error)]),
      )
      return [LATER_TAG]
    } catch (error) {
      return [ERROR, ...toWireError(error)]
    }
  }

  /** Answers of changes wait, with the batch that they came in, for the one fsync that all who wait share. */
  #answerWhenDurable({ part, changes }: Work): void {
    this.#owner.whenDurable((failure) => {
      if (failure !== undefined) {
        const wire = [ERROR, ...toWireError(failure)]
        for (const index of changes) if (!isRefusal(part[index])) part[index] = wire
      }
      this.post(part as unknown as Part)
    })
  }

  /** Whether the answer to this operation has to wait until it is durable. */
  mustBeDurable(code: number): boolean {
    return this.#owner.isEverythingDurable && OPERATIONS[code]?.mustBeDurable === true
  }

  answerLaterWhenDurable(id: number, wire: Wire): void {
    this.#owner.whenDurable((failure) =>
      this.answerLater(id, failure === undefined || isRefusal(wire) ? wire : [ERROR, ...toWireError(failure)]),
    )
  }

  answerLater(id: number, wire: Wire): void {
    this.post([LATER, id, wire])
  }

  useMemory(memory: unknown): void {
    this.#memory = new ServedMemory(this, memory)
  }

  bye(): void {
    this.#isLeaving = true
  }

  // ── out ──

  post(part: Part): void {
    this.#outgoing.push(part)
    if (!this.#isHandling) this.#queueFlush()
  }

  #queueFlush(): void {
    if (this.#isFlushQueued || this.isClosed) return
    this.#isFlushQueued = true
    queueMicrotask(() => {
      this.#isFlushQueued = false
      if (!this.#isHandling) this.sendNow()
    })
  }

  /** One message for all that this tick has to say. Events come before the answers that are given after them. */
  sendNow(): void {
    this.streams.flush()
    const parts = this.#outgoing
    if (parts.length === 0 || this.isClosed) return
    this.#outgoing = []
    try {
      this.#port.postMessage(parts, this.transfers.length === 0 ? undefined : this.transfers.splice(0))
    } catch (error) {
      this.refuse(`answers that cannot be sent (${(error as Error).message})`)
      return
    }
    this.#memory?.signal()
  }

  // ── the end ──

  /** What comes over this port makes no sense, or cannot be answered: the other ports and the cache go on. */
  refuse(what: string): void {
    this.close(
      new CacheError(
        'INTERNAL',
        `The port was closed because of ${what}. Whether its last calls were done is unknown; connect anew.`,
      ),
    )
  }

  /** Tells the client why, and closes the port. */
  close(reason: CacheError): void {
    if (this.isClosed) return
    this.streams.flush()
    this.#outgoing.push([CLOSED, toWireError(reason)])
    try {
      this.#port.postMessage(this.#outgoing)
      this.#memory?.signal()
    } catch {
      // It sees the port close.
    }
    this.#hangUp()
  }

  #hangUp(): void {
    if (this.isClosed) return
    this.#forget()
    this.#port.close()
  }

  #forget(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#outgoing = []
    this.#inbox.length = 0
    this.#unfinished = undefined
    this.#memory?.end()
    this.streams.close()
    this.loads.abandon()
    this.#owner.forget(this)
  }
}

function isCount(times: unknown): times is number {
  return Number.isInteger(times) && (times as number) > 0 && (times as number) <= BATCH_REQUESTS_MAX
}

function isRefusal(wire: unknown): boolean {
  return Array.isArray(wire) && wire[0] === ERROR
}
