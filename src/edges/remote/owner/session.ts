/**
 * The owner's end of one line. A message is a batch of requests. Each request is one call and one turn, in the order in which
 * they were made, and their answers are sent back in one message. A client's messages are checked: an invalid request is
 * refused, a message that is not a batch closes the line, and nothing that a client sends makes this throw. Before: inbox.
 * After: batch-answers.
 */
import type { Cache } from '../../../cache/cache.js'
import type { Door } from '../../../cache/door/door.js'
import { outsideRequests } from '../../../durable/outside-requests.js'
import { CacheError } from '../../../errors.js'
import type { Line } from '../line.js'
import { isOnce } from '../wire/codes.js'
import { CLOSED, LATER } from '../wire/protocol.js'
import { toWireError } from '../wire/wire-error.js'
import { LATER_TAG, type Wire } from '../wire/wire-value.js'
import { type Answerer, BatchAnswers } from './batch-answers.js'
import type { Caller, Extras, ReadStaged } from './caller.js'
import type { DurableAnswers } from './durable-answers.js'
import { Inbox } from './inbox.js'
import type { KeptAnswers } from './kept-answers.js'
import { operationAt } from './operations.js'
import { isRefusal, refusal } from './refusal.js'
import { Sender } from './sender.js'
import { ServedLoads } from './served-loads.js'
import { ServedPast } from './served-past.js'
import { type ChangesAfter, ServedStreams } from './served-streams.js'
import type { WriteGate } from './write-gate.js'

/** What all sessions of one cache share. */
export interface Served {
  readonly cache: Cache
  readonly door: Door
  readonly durableAnswers: DurableAnswers
}

/** What differs between kinds of lines. */
export interface SessionOptions {
  readonly extras: Extras
  readonly readStaged?: ReadStaged
  /** Handles a message that is not a batch. Returns `false` if it is invalid. */
  readonly onOther?: (message: unknown) => boolean
  readonly onClose: () => void
  /** For a client whose line may be replaced: each of its messages is `[received, batch]`, and its commands are numbered. */
  readonly numbered?: {
    readonly answers: KeptAnswers
    /** Everything that is sent waits for it. */
    readonly gate: WriteGate
    readonly changesAfter: ChangesAfter
  }
}

/** Whoever opens the line has posted {@link greetingFrom}. */
export class Session implements Caller, Answerer {
  readonly cache: Cache
  readonly door: Door
  readonly loads: ServedLoads
  readonly streams: ServedStreams
  readonly past: ServedPast
  readonly extras: Extras
  readonly readStaged: ReadStaged | undefined
  currentId = 0
  readonly sender: Sender
  readonly #inbox: Inbox
  readonly #line: Line
  readonly #durableAnswers: DurableAnswers
  readonly #options: SessionOptions
  readonly #answers: KeptAnswers | undefined
  /** Calls under way that the client will not ask again. */
  readonly #once = new Set<Promise<unknown>>()
  /** Whether the client has said that it will send no more requests. */
  hasLeft = false
  #isClosed = false

  constructor({ cache, door, durableAnswers }: Served, line: Line, options: SessionOptions) {
    this.cache = cache
    this.door = door
    this.#durableAnswers = durableAnswers
    this.#line = line
    this.#options = options
    this.extras = options.extras
    this.readStaged = options.readStaged
    const { numbered } = options
    this.#answers = numbered?.answers
    this.sender = new Sender(
      line,
      ({ message }) => this.refuse(`answers that cannot be sent (${message})`),
      numbered?.gate,
    )
    this.streams = new ServedStreams(cache, door, this.sender, numbered?.changesAfter)
    this.sender.addEvents = () => this.streams.flush()
    this.past = new ServedPast(cache)
    this.loads = new ServedLoads((part) => this.sender.post(part))
    this.#inbox = new Inbox(line, this.sender, {
      handle: (message, untilMs) => this.#handle(message, untilMs),
      rest: () => {
        if (!this.hasLeft) return
        if (numbered === undefined) this.#durableAnswers.whenIdle(() => this.hangUp())
        else numbered.gate.pass(() => this.hangUp())
      },
    })
    line.onClose(() => outsideRequests(() => this.#forget()))
  }

  // ── requests ──

  #handle(message: unknown, untilMs: number): BatchAnswers | undefined {
    if (message instanceof BatchAnswers) return this.#answerBatch(message, untilMs)
    const batch = this.#answers === undefined ? message : this.#numberedBatch(message)
    if (Array.isArray(batch) && Number.isSafeInteger(batch[0]))
      return this.#answerBatch(new BatchAnswers(batch, this.#durableAnswers.isAwaited || this.sender.isGated), untilMs)
    if (this.#options.onOther?.(message) !== true) this.refuse('a message that is not a batch')
    return undefined
  }

  /** The batch of a message that also says up to which number the client has answers. */
  #numberedBatch(message: unknown): unknown {
    return Array.isArray(message) && this.#answers?.receive(message[0], message[2]) === true ? message[1] : undefined
  }

  #answerBatch(batch: BatchAnswers, untilMs: number): BatchAnswers | undefined {
    const state = batch.advance(this, untilMs)
    if (state === 'unfinished') return batch
    if (state === 'nonsense') this.refuse('an unknown operation')
    const refuse = (failure: Error) => batch.refuseChanges(refusal(failure), isRefusal)
    if (batch.changes.length === 0) this.sender.post(batch.part)
    else if (this.sender.isGated) this.sender.post(batch.part, refuse)
    else {
      this.#durableAnswers.whenDurable((failure) => {
        if (failure !== undefined) refuse(failure)
        this.sender.post(batch.part)
      })
    }
    return undefined
  }

  /** One request, one turn. */
  answer(id: number, code: number, first: unknown, batch: readonly unknown[], at: number): Wire {
    this.currentId = id
    try {
      const operation = operationAt(code) as NonNullable<ReturnType<typeof operationAt>> // the batch has looked
      const isKept = this.#answers !== undefined && operation.isNumbered
      const result = isKept
        ? this.#answers.answer(id, () => operation.run(this, first, batch, at) as Wire) // it does not wait
        : operation.run(this, first, batch, at)
      if (!(result instanceof Promise)) return result
      const answered = result.then(
        (wire) => this.answerLater(id, wire),
        (error: unknown) => this.answerLater(id, refusal(error)),
      )
      if (isOnce(code)) {
        this.#once.add(answered)
        answered.finally(() => this.#once.delete(answered))
      }
      return [LATER_TAG]
    } catch (error) {
      return refusal(error)
    }
  }

  answerLater(id: number, wire: Wire): void {
    this.sender.post([LATER, id, wire])
  }

  /** Whether the answer to this operation must wait until its change is durable. */
  mustBeDurable(code: number): boolean {
    return this.#durableAnswers.isAwaited && operationAt(code)?.mustBeDurable === true
  }

  answerWhenDurable(id: number, wire: Wire): void {
    this.#durableAnswers.whenDurable((failure) =>
      this.answerLater(id, failure === undefined || isRefusal(wire) ? wire : refusal(failure)),
    )
  }

  // ── the end ──

  leave(): void {
    this.hasLeft = true
  }

  /** Handles nothing more. What has been answered is sent, also of calls that cannot be asked again; the rest can be asked elsewhere. */
  async drain(): Promise<void> {
    this.#inbox.close()
    this.sender.isHeld = false
    this.sender.send()
    if (this.#once.size === 0) return
    await Promise.all(this.#once)
    this.sender.send()
  }

  /** Closes this line after a message that is invalid or cannot be answered. Other lines and the cache are not affected. */
  refuse(what: string): void {
    this.close(
      new CacheError('INTERNAL', `The connection was closed because of ${what}`, {
        consequence: 'Its last calls may or may not have taken effect.',
        advice: 'Connect again.',
      }),
    )
  }

  /** Sends the client the reason and closes the line. */
  close(reason: CacheError): void {
    if (this.#isClosed) return
    this.sender.close([CLOSED, toWireError(reason)])
    this.hangUp()
  }

  /** Closes the line without a word. */
  hangUp(): void {
    if (this.#isClosed) return
    this.#forget()
    this.#line.close()
  }

  #forget(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.sender.discard()
    this.#inbox.close()
    this.streams.close()
    this.past.close()
    this.loads.abandon()
    this.#options.onClose()
  }
}
