/**
 * The changes after a sequence, read again from the log, and then every new one, at the consumer's pace: what is not asked for is read in
 * portions. Only what this node has applied. Before: cluster-client. After: log-reader, applier.
 */
import { type PastChange, toPastChange } from '../../../cache/history/past-change.js'
import type { Sequence } from '../../../core/model/sequence.js'
import type { StoredValue } from '../../../core/model/stored-value.js'
import type { ForeignFrame } from '../../../durable/contract.js'
import type { PastEvent } from '../../../durable/history/change-cursor.js'
import { queueMicrotask } from '../../../durable/storage/event-loop.js'
import { CacheError } from '../../../errors.js'
import type { Log, Position } from '../log.js'
import { type AppliedHeader, Applier, type ApplierParts } from './applier.js'
import { LogReader } from './log-reader.js'
import { isFinal, pause } from './patience.js'

const DONE = { done: true, value: undefined } as const
/** Events that are read ahead. */
const PORTION = 1_000

export interface LogChangesParts extends ApplierParts {
  readonly log: Log
  /** The position that this node has applied. */
  position(): Position
  /** Calls back whenever that has grown, and when the node is closed. Returns the function that stops it. */
  onApplied(listener: () => void): () => void
  /** @throws what has ended this node, if it cannot go on. */
  isClosed(): boolean
}

export class LogChanges<V> implements AsyncIterableIterator<PastChange<V>> {
  readonly #parts: LogChangesParts
  readonly #applier: Applier
  /** Until it has begun. */
  #from: (() => Promise<AppliedHeader | undefined>) | undefined
  readonly #after: number
  readonly #restore: (stored: StoredValue) => unknown
  readonly #events: PastEvent[] = []
  #isDone = false
  #wake: (() => void) | undefined
  #last: Promise<unknown> = Promise.resolve()

  /** `from`: where to read the log on from. */
  constructor(
    parts: LogChangesParts,
    from: () => Promise<AppliedHeader | undefined>,
    after: number,
    restore: (stored: StoredValue) => unknown,
  ) {
    this.#parts = parts
    this.#from = from
    this.#applier = new Applier(parts)
    this.#after = after
    this.#restore = restore
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<PastChange<V>, undefined>> {
    const next = this.#last.then(() => this.#next())
    this.#last = next.catch(() => undefined)
    return next
  }

  async #next(): Promise<IteratorResult<PastChange<V>, undefined>> {
    try {
      while (this.#events.length === 0) {
        if (this.#isDone) return DONE
        if (this.#from !== undefined) await this.#unlessSilent(() => this.#begin())
        else if (this.#applier.position < this.#parts.position())
          await this.#unlessSilent(() => this.#read(this.#parts.position()))
        else if (this.#parts.isClosed()) return this.return()
        else await this.#more()
      }
      if (this.#isDone) return DONE
      return { done: false, value: toPastChange<V>(this.#events.shift() as PastEvent, this.#restore) }
    } catch (error) {
      this.#isDone = true
      throw error
    }
  }

  async #begin(): Promise<void> {
    const from = await this.#from?.()
    if (from === undefined) throw changesGone(this.#after)
    this.#applier.restore(from)
    this.#from = undefined
  }

  /** What the engine does not give now is asked for again, as long as this node is open. */
  async #unlessSilent(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (isFinal(error)) throw error
      if (!this.#parts.isClosed()) await pause(this.#parts.clock)
      else await this.return()
    }
  }

  /** Waits until this node has applied more, is closed, or nobody wants more. */
  #more(): Promise<void> {
    const { onApplied, position, isClosed } = this.#parts
    return new Promise((resolve) => {
      const stop = onApplied(() => this.#wake?.())
      this.#wake = () => {
        this.#wake = undefined
        stop()
        resolve()
      }
      if (this.#isDone || isClosed() || this.#applier.position < position()) this.#wake()
    })
  }

  /** Reads a portion of the log. */
  #read(upTo: Position): Promise<void> {
    const replica = { follow: (frame: ForeignFrame) => this.#take(frame) }
    return new Promise((resolve, reject) => {
      const reader: LogReader = new LogReader(this.#parts.log, this.#applier.position + 1, {
        take: (record, at) => {
          if (this.#isFull || at > upTo) return undefined
          const end = () => {
            if (at !== upTo && !this.#isFull) return
            queueMicrotask(() => reader.stop())
            resolve()
          }
          const pending = this.#applier.take(record, at, { receiver: undefined, replica })
          return pending === undefined ? end() : pending.then(end)
        },
        gap: () => reject(changesGone(this.#after)),
        failed: reject,
      })
    })
  }

  get #isFull(): boolean {
    return this.#events.length >= PORTION
  }

  #take({ events, firstSequence, timeMs }: ForeignFrame): void {
    for (const [index, event] of events.entries()) {
      const sequence = (firstSequence + index) as Sequence
      if (sequence > this.#after) this.#events.push({ event, sequence, timeMs })
    }
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#isDone = true
    this.#events.length = 0
    this.#wake?.()
    return DONE
  }
}

function changesGone(sequence: number): CacheError {
  return new CacheError(
    'HISTORY_GONE',
    `The changes after ${sequence} are in no record that the log of the cluster still has`,
    {
      advice: 'Build what follows the changes anew from the entries, then continue with the changes after them.',
    },
  )
}
