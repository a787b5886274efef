/**
 * The frame that is being composed: the events of whole turns, encoded but not yet written. First step after `append`.
 * Before: `file-journal`. After: `durability`, which writes it.
 *
 * A turn is added whole or not at all, even if the caller's stack overflows in the middle: `count`, which makes its events part
 * of the frame, changes last and without a call.
 */
import type { Counters } from '../../core/model/counters.js'
import type { CacheEvent } from '../../core/model/event.js'
import { FIRST_SEQUENCE, type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import type { StoredValue } from '../../core/model/stored-value.js'
import { ByteWriter } from '../format/byte-writer.js'
import { encodeEvent, encodeSet } from '../format/encode-event.js'
import { FRAME_BYTES_MAX, FRAME_HEADER_BYTES, type FrameKind } from '../format/format.js'
import { beginFrame, type FinishedFrame, type FrameHeader, finishFrame } from '../format/frame.js'
import { encodeNotes, NOTES_BYTES_MAX, type Notes } from '../format/notes.js'

/** At this size a frame is written at once, not at the end of the event-loop turn. */
export const PENDING_BYTES_MAX = 256 * 1024

/** The rest of a frame's header. */
export interface FrameContext extends Pick<FrameHeader, 'previousChecksum' | 'durableSequence' | 'writtenAtMs'> {
  counters: Readonly<Counters>
  notes: Notes
  /** The checksum of the journal id, with which every frame's checksum begins. */
  seed: number
}

export class PendingFrame {
  readonly #writer = new ByteWriter(PENDING_BYTES_MAX + 64 * 1024)
  /** The sequence of its first event, or of the next event. */
  first: Sequence = FIRST_SEQUENCE
  /** Events in it. */
  count = 0
  /** Set once its header is complete. From then on it must not change until it is written or dropped. */
  finished: FinishedFrame | undefined
  /** Whether the next event may be added directly: the journal is writable, a write is queued, and the frame is not full. */
  isReady = false

  /** Empties it, for a journal whose next event is `first`. */
  begin(first: Sequence): void {
    this.drop()
    this.first = first
    this.isReady = false
  }

  get bytes(): number {
    return this.#writer.length
  }

  get isFull(): boolean {
    return this.#writer.length >= PENDING_BYTES_MAX
  }

  /** The sequence of the last event in it. */
  get last(): Sequence {
    return sequenceAfter(this.first, this.count - 1)
  }

  /**
   * Adds the events of one turn. Returns false if they do not fit: then this frame must be written first.
   * @throws RangeError if they are too large for any frame.
   */
  add(events: readonly CacheEvent[]): boolean {
    const writer = this.#writer
    const before = writer.length
    try {
      if (before === 0) beginFrame(writer)
      for (const event of events) encodeEvent(writer, event)
    } catch (error) {
      writer.length = before
      throw error
    }
    if (writer.length <= FRAME_BYTES_MAX - NOTES_BYTES_MAX) {
      if (writer.length >= PENDING_BYTES_MAX) this.isReady = false
      this.count += events.length
      return true
    }
    const bytes = writer.length - Math.max(before, FRAME_HEADER_BYTES)
    writer.length = before
    if (this.count > 0) return false
    this.drop()
    throw new RangeError(
      `This change needs ${bytes} bytes in the journal, but a frame holds at most ${FRAME_BYTES_MAX - FRAME_HEADER_BYTES - NOTES_BYTES_MAX}. ` +
        'Nothing was changed. Split it into smaller changes.',
    )
  }

  /** Adds one `set` event, which must be far from filling a frame, and returns its sequence. Call it only if `isReady`. */
  addSet(key: string, value: StoredValue, expiresAtMs: number): number {
    const writer = this.#writer
    const before = writer.length
    try {
      if (before === 0) beginFrame(writer)
      encodeSet(writer, key, value, expiresAtMs)
    } catch (error) {
      writer.length = before
      throw error
    }
    if (writer.length >= PENDING_BYTES_MAX) this.isReady = false
    return this.first + this.count++
  }

  /** Completes the header. */
  finish(kind: FrameKind, flags: number, { counters, notes, seed, ...context }: FrameContext): FinishedFrame {
    const writer = this.#writer
    if (writer.length === 0) beginFrame(writer)
    const allFlags = flags | encodeNotes(writer, notes)
    const header = { kind, flags: allFlags, firstSequence: this.first, count: this.count, ...context }
    const checksum = finishFrame(writer, 0, header, counters, seed)
    this.finished = { header, bytes: writer.bytes.subarray(0, writer.length), checksum }
    return this.finished
  }

  /** The frame was written. Begins the next one. */
  written({ header }: FinishedFrame): void {
    // First, and without a call, because what was written must not be written again.
    if (header.kind === 'events') this.first = (this.first + this.count) as Sequence
    this.#writer.length = 0
    this.count = 0
    this.finished = undefined
    this.#writer.clear()
  }

  /** Discards its content. */
  drop(): void {
    this.count = 0
    this.finished = undefined
    this.#writer.clear()
  }
}
