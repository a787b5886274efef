/**
 * The frames of a term on their way into records: encoded as those of the journal in files are, chained, and cut into records between frames.
 * Before: replicated-journal. After: term-writer.
 */
import type { Counters } from '../../../core/model/counters.js'
import type { CacheEvent } from '../../../core/model/event.js'
import type { Note } from '../../../core/model/note.js'
import { type Sequence, sequenceAfter } from '../../../core/model/sequence.js'
import { FRAME, FRAME_HEADER_BYTES } from '../../../durable/format/format.js'
import { beginFrame, type FrameHeader, finishFrame } from '../../../durable/format/frame.js'
import { type FrameContext, PendingFrames } from '../../../durable/journal/pending-frames.js'
import { ByteWriter } from '../../../values/bytes/byte-writer.js'
import type { CommittedFrames } from './applier.js'
import type { ClusterClock } from './cluster-clock.js'
import type { ChainEnd } from './frame-chain.js'

export interface Waiting {
  resolve(sequence: number): void
  reject(error: unknown): void
}

/** What is known of a record that was sent, when it is in the log. */
export interface SentFrames extends CommittedFrames {
  /** Who waits for it. */
  readonly waiting: readonly Waiting[]
  readonly resigns: boolean
}

/** Of a record without frames. */
export const NOTHING = { end: undefined, notes: [], loaded: [], waiting: [], resigns: false } as const

export class LeaderFrames {
  readonly #pending = new PendingFrames()
  /** Of the last frame that was sent. */
  #lastChecksum: number
  readonly #context: () => FrameContext
  /** Of those added since. */
  #notes: Note[] = []
  #loaded: string[] = []

  /** `context`: `counters` is live. */
  constructor(
    { nextSequence, lastChecksum }: ChainEnd,
    { counters, seed, clock }: { counters: Readonly<Counters>; seed: number; clock: ClusterClock },
  ) {
    this.#lastChecksum = lastChecksum
    const durableSequence = sequenceAfter(nextSequence, -1)
    this.#context = () => {
      return { counters, seed, previousChecksum: this.#lastChecksum, durableSequence, writtenAtMs: clock.stamp() }
    }
    this.#pending.begin(nextSequence, this.#context)
  }

  /** Returns the sequence of the first event. @throws RangeError if they are too large for any frame. */
  add(events: readonly CacheEvent[], note?: Note): number {
    const pending = this.#pending
    pending.add(events, note)
    if (note !== undefined) this.#notes.push(note)
    for (const event of events) if (event.type === 'loaded') this.#loaded.push(event.file)
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

  /** An empty frame. Notes that belong to no event wait for the next one that has events. */
  empty(): { body: Uint8Array; content: SentFrames } {
    const { counters, seed, ...context } = this.#context()
    const writer = new ByteWriter(FRAME_HEADER_BYTES)
    beginFrame(writer)
    const { first } = this.#pending
    const header: FrameHeader = { kind: 'events', flags: 0, firstSequence: first, count: 0, ...context }
    this.#lastChecksum = finishFrame(writer, 0, header, counters, seed)
    const end = { nextSequence: first, lastChecksum: this.#lastChecksum }
    const content = { ...NOTHING, end, timeMs: header.writtenAtMs }
    return { body: writer.bytes.subarray(0, writer.length), content }
  }

  /** Closes the open frame. Returns a record for each part of at most `bytesMax`. */
  finish(bytesMax: number): { body: Uint8Array; content: SentFrames }[] {
    const pending = this.#pending
    const { frames, bytes } = pending.finish()
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
      const noted = isLast && { notes: this.#notes, loaded: this.#loaded }
      records.push({
        body: all.subarray(start, at),
        content: { ...NOTHING, end, ...noted, timeMs: header.writtenAtMs },
      })
      start = at
      this.#lastChecksum = checksum
    }
    this.#notes = []
    this.#loaded = []
    pending.written()
    return records
  }
}
