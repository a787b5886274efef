/**
 * The frames of a term on their way into records: encoded as those of the journal in files are, chained, and cut into records between frames.
 * Before: replicated-journal. After: term-writer.
 */
import type { Counters } from '../../../core/model/counters.js'
import type { CacheEvent } from '../../../core/model/event.js'
import type { Note } from '../../../core/model/note.js'
import { type Sequence, sequenceAfter } from '../../../core/model/sequence.js'
import { FRAME, FRAME_HEADER_BYTES } from '../../../durable/format/format.js'
import { PendingFrames } from '../../../durable/journal/pending-frames.js'
import type { ClusterClock } from './cluster-clock.js'
import type { ChainEnd } from './frame-chain.js'

export interface Waiting {
  resolve(sequence: number): void
  reject(error: unknown): void
}

/** What is known of a record that was sent, when it is in the log. */
export interface SentFrames {
  /** The chain behind it. */
  readonly end: ChainEnd
  readonly notes: readonly Note[]
  readonly timeMs: number
  /** Who waits for it. */
  readonly waiting: readonly Waiting[]
  readonly resigns: boolean
}

export class LeaderFrames {
  readonly #pending = new PendingFrames()
  /** Of the last frame that was sent. */
  #lastChecksum: number
  /** Of those added since. */
  #notes: Note[] = []

  /** `context`: `counters` is live. */
  constructor(
    { nextSequence, lastChecksum }: ChainEnd,
    { counters, seed, clock }: { counters: Readonly<Counters>; seed: number; clock: ClusterClock },
  ) {
    this.#lastChecksum = lastChecksum
    const durableSequence = sequenceAfter(nextSequence, -1)
    this.#pending.begin(nextSequence, () => {
      return { counters, seed, previousChecksum: this.#lastChecksum, durableSequence, writtenAtMs: clock.now() }
    })
  }

  /** Returns the sequence of the first event. @throws RangeError if they are too large for any frame. */
  add(events: readonly CacheEvent[], note?: Note): number {
    const pending = this.#pending
    pending.add(events, note)
    if (note !== undefined) this.#notes.push(note)
    return pending.first + pending.count - events.length
  }

  get isEmpty(): boolean {
    return this.#pending.count === 0
  }

  get isFull(): boolean {
    return this.#pending.isFull
  }

  get bytes(): number {
    return this.#pending.bytes
  }

  /** The sequence of the last event. */
  get last(): Sequence {
    return this.#pending.last
  }

  /** Closes the open frame. Returns a record for each part of at most `bytesMax`; none if there is nothing, unless `always`. */
  finish(always: boolean, bytesMax: number): { body: Uint8Array; content: SentFrames }[] {
    const pending = this.#pending
    if (this.isEmpty && this.#notes.length === 0 && !always) return []
    const { frames, bytes } = this.isEmpty ? pending.finishAs('events', 0) : pending.finish()
    const all = Buffer.from(bytes) // a copy: the memory is used again
    const records: { body: Uint8Array; content: SentFrames }[] = []
    let start = 0
    let at = 0
    for (const [index, { header, checksum }] of frames.entries()) {
      at += FRAME_HEADER_BYTES + all.readUInt32LE(at + FRAME.payloadBytes)
      const isLast = index === frames.length - 1
      const next = isLast ? 0 : FRAME_HEADER_BYTES + all.readUInt32LE(at + FRAME.payloadBytes)
      if (!isLast && at - start + next <= bytesMax) continue
      const end = { nextSequence: sequenceAfter(header.firstSequence, header.count), lastChecksum: checksum }
      const notes = isLast ? this.#notes : []
      records.push({
        body: all.subarray(start, at),
        content: { end, notes, timeMs: header.writtenAtMs, waiting: [], resigns: false },
      })
      start = at
      this.#lastChecksum = checksum
    }
    this.#notes = []
    pending.written()
    return records
  }
}
