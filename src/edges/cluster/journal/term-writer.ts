/**
 * One term in office: the records that a leader appends, each directly behind the previous one, several under way at once. One writer for
 * each term: after any failure it is thrown away, and what its late acknowledgements say is not heard. Acknowledgements count in order: one
 * that overtakes an earlier record's says nothing yet, because that record may have failed, and another's may be in its place.
 *
 * Before: replicated-journal. After: the log.
 */
import type { Log, LogRecord, Position } from '../log.js'
import type { Objects } from './objects.js'
import { jsonBody } from './records.js'
import { sealed } from './sealed-record.js'

/** Records under way. */
const WINDOW = 64
/** An object's name has a later position than its record, which others may overtake: it is never removed too soon. */
const STAGED_RECORDS = 1_000

export interface Outgoing<T> {
  readonly kind: LogRecord['kind']
  readonly body: Uint8Array
  /** What the journal wants to know again when the record is in the log. */
  readonly content: T
}

interface Sent<T> {
  readonly out: Outgoing<T>
  isAcknowledged: boolean
}

export interface Term {
  readonly epoch: number
  readonly node: string
  /** The position of its record, and when it was written. */
  readonly position: Position
  readonly timeMs: number
}

export interface TermHooks<T> {
  /** The record and all before it are in the log. */
  committed(out: Outgoing<T>, at: Position): void
  /** A record is not in the log, or nobody knows. The term is over; this is called once. */
  failed(error: unknown): void
}

export class TermWriter<T> {
  readonly #log: Log
  readonly #objects: Objects
  readonly #term: Term
  readonly #hooks: TermHooks<T>
  readonly #queue: Outgoing<T>[] = []
  readonly #sent: Sent<T>[] = []
  /** Of the last record in the log, and of the last one that was sent. */
  #committed: Position
  #last: Position
  #isStaging = false
  #isOver = false

  constructor(log: Log, objects: Objects, term: Term, hooks: TermHooks<T>) {
    this.#log = log
    this.#objects = objects
    this.#term = term
    this.#hooks = hooks
    this.#committed = this.#last = term.position
  }

  /** Whether everything sent is in the log. */
  get isIdle(): boolean {
    return this.#queue.length + this.#sent.length === 0
  }

  /** Whether a record would leave at once. */
  get hasRoom(): boolean {
    return this.#queue.length === 0 && this.#sent.length < WINDOW
  }

  /** Says that this node leads, if it cannot otherwise: while an object is being written, a record without content may overtake it. */
  beat(content: T): void {
    if (this.#isOver || !this.#isStaging || this.#sent.length > 0) return
    const body = new Uint8Array(0)
    this.#append({ kind: 'frame', body, content }, body)
  }

  send(out: Outgoing<T>): void {
    this.#queue.push(out)
    this.#pump()
  }

  /** Nothing is sent or heard any more. Returns what is not known to be in the log. */
  end(): T[] {
    this.#isOver = true
    return [...this.#sent.map(({ out }) => out), ...this.#queue].map(({ content }) => content)
  }

  #pump(): void {
    while (!this.#isOver && !this.#isStaging && this.#sent.length < WINDOW) {
      const out = this.#queue[0]
      if (out === undefined) return
      if (out.body.length > this.#objects.bodyBytesMax) {
        this.#stage(out)
        return
      }
      this.#queue.shift()
      this.#append(out, out.body)
    }
  }

  /** What is too large for a record is written as an object first. Later records wait for it. */
  #stage(out: Outgoing<T>): void {
    this.#isStaging = true
    this.#objects.stage({ position: this.#last + STAGED_RECORDS, epoch: this.#term.epoch }, out.body).then(
      (staged) => {
        this.#isStaging = false
        if (this.#isOver) return
        this.#queue.shift()
        this.#append(out, jsonBody(staged))
        this.#pump()
      },
      (error) => this.#fail(error),
    )
  }

  #append(out: Outgoing<T>, body: Uint8Array): void {
    const { epoch, node } = this.#term
    const sent = { out, isAcknowledged: false }
    this.#sent.push(sent)
    this.#log.append(sealed({ kind: out.kind, epoch, node, body }), this.#last++).then(
      () => {
        sent.isAcknowledged = true
        this.#commit()
      },
      (error) => this.#fail(error),
    )
  }

  #commit(): void {
    while (!this.#isOver && this.#sent[0]?.isAcknowledged === true) {
      const { out } = this.#sent.shift() as Sent<T>
      this.#hooks.committed(out, ++this.#committed)
    }
    this.#pump()
  }

  #fail(error: unknown): void {
    if (this.#isOver) return
    this.#hooks.failed(error)
  }
}
