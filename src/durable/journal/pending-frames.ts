/**
 * The frames that are being composed: the events of whole turns, encoded but not yet written. First step after `append`.
 * Before: `file-journal`. After: `durability`, which writes all of them with one write.
 *
 *   buffer:  [header, turns]  [header, turns]  [room for a header, turns …
 *            closed           closed           open
 *
 * A turn is added whole or not at all, even if the caller's stack overflows in the middle: `count`, which makes its events part
 * of the open frame, changes last and without a call.
 */
import type { Counters } from '../../core/model/counters.js'
import type { CacheEvent } from '../../core/model/event.js'
import type { Limits } from '../../core/model/limits.js'
import type { Note } from '../../core/model/note.js'
import { FIRST_SEQUENCE, type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import type { StoredValue } from '../../core/model/stored-value.js'
import { ByteWriter } from '../../values/bytes/byte-writer.js'
import { FrameNotes, NOTE_BYTES_MAX } from '../format/answers.js'
import { encodeEvent, encodeEviction, encodeSet } from '../format/encode-event.js'
import { FRAME_BYTES_MAX, FRAME_HEADER_BYTES, type FrameKind } from '../format/format.js'
import { beginFrame, type FinishedFrames, type FrameHeader, finishFrame } from '../format/frame.js'
import { encodeNotes, LIMITS_NOTE_BYTES } from '../format/notes.js'

/**
 * A frame is no larger than this, unless a single turn is: damage costs at least the frame in which it is. And the call that fills
 * a frame pays for its checksum: 4 µs; with 64 KiB it was 15.
 */
export const FULL_FRAME_BYTES = 16 * 1024
/** When this much is pending it is written at once, not at the end of the event-loop turn. */
export const PENDING_BYTES_MAX = 256 * 1024

const TURN_BYTES_MAX = FRAME_BYTES_MAX - FRAME_HEADER_BYTES - LIMITS_NOTE_BYTES

/** The rest of a frame's header. */
export interface FrameContext extends Pick<FrameHeader, 'previousChecksum' | 'durableSequence' | 'writtenAtMs'> {
  counters: Readonly<Counters>
  /** The checksum of the journal id, with which every frame's checksum begins. */
  seed: number
}

type Closed = FinishedFrames['frames']

export class PendingFrames {
  readonly #writer = new ByteWriter(PENDING_BYTES_MAX + 4 * FULL_FRAME_BYTES)
  #context: () => FrameContext = () => {
    throw new Error('begin() was not called')
  }
  #closed: Closed = []
  /** Live. To be noted in the next frame that is written. */
  #limits: Limits | undefined
  /** Of the open frame. */
  readonly #notes = new FrameNotes()
  /** Where the open frame begins, and its first event. */
  #start = 0
  #openFirst: Sequence = FIRST_SEQUENCE
  /** The sequence of the first pending event, or of the next event. */
  first: Sequence = FIRST_SEQUENCE
  /** Events pending. */
  count = 0
  /** Whether the next event may be added directly: the journal is writable, a write is queued, and there is room. */
  isReady = false

  /**
   * Empties it, for a journal whose next event is `first`.
   * @param context For a frame that is complete now, and is the next one to be written.
   */
  begin(first: Sequence, context: () => FrameContext): void {
    this.first = first
    this.#context = context
    this.isReady = false
    this.#limits = undefined
    this.drop()
  }

  /** The journal does not say yet what the limits of the cache are. Its next frame does. */
  noteLimits(limits: Limits): void {
    this.#limits = limits
  }

  get bytes(): number {
    return this.#writer.length
  }

  get isFull(): boolean {
    return this.#writer.length >= PENDING_BYTES_MAX
  }

  /** The sequence of the last pending event. */
  get last(): Sequence {
    return sequenceAfter(this.first, this.count - 1)
  }

  get #openBytes(): number {
    return this.#writer.length - this.#start + this.#notes.length
  }

  get #isOpenEmpty(): boolean {
    return this.first + this.count === this.#openFirst
  }

  /**
   * Adds the events of one turn, and the note that belongs to it.
   * @throws RangeError if they are too large for any frame.
   */
  add(events: readonly CacheEvent[], note?: Note): void {
    const writer = this.#writer
    const before = writer.length
    try {
      if (note !== undefined) this.#notes.prepare(note)
      if (before === this.#start && events.length > 0) beginFrame(writer)
      for (const event of events) encodeEvent(writer, event)
      const bytes = writer.length - Math.max(before, this.#start + FRAME_HEADER_BYTES)
      if (bytes > TURN_BYTES_MAX - (note === undefined ? 0 : NOTE_BYTES_MAX)) throw tooLarge(bytes)
      if (this.#openBytes > FULL_FRAME_BYTES) this.#closeBefore(before)
    } catch (error) {
      writer.length = before
      if (this.count === 0) writer.clear()
      throw error
    }
    if (note !== undefined) this.#notes.add(note)
    if (writer.length >= PENDING_BYTES_MAX) this.isReady = false
    this.count += events.length
  }

  /**
   * Adds one `set` event, after one that its key `evicted` was evicted, and the note that belongs to them. Returns the sequence of the
   * first. They must be far from filling a frame. Call it only if `isReady`.
   */
  addSet(
    key: string,
    value: StoredValue,
    expiresAtMs: number,
    evicted: string | undefined,
    note: Note | undefined,
  ): number {
    const writer = this.#writer
    const before = writer.length
    try {
      if (note !== undefined) this.#notes.prepare(note)
      if (before === this.#start) beginFrame(writer)
      if (evicted !== undefined) encodeEviction(writer, evicted)
      encodeSet(writer, key, value, expiresAtMs)
      if (this.#openBytes > FULL_FRAME_BYTES) this.#closeBefore(before)
    } catch (error) {
      writer.length = before
      throw error
    }
    if (note !== undefined) this.#notes.add(note)
    if (writer.length >= PENDING_BYTES_MAX) this.isReady = false
    const sequence = this.first + this.count
    this.count += evicted === undefined ? 1 : 2
    return sequence
  }

  /** Closes the open frame at `end`, unless it is empty, and moves the turn after that into a new one. */
  #closeBefore(end: number): void {
    if (this.#isOpenEmpty) return
    const writer = this.#writer
    const writtenTo = writer.length
    const notesBytes = (this.#limits === undefined ? 0 : LIMITS_NOTE_BYTES) + this.#notes.length
    writer.reserve(notesBytes + FRAME_HEADER_BYTES)
    writer.bytes.copyWithin(end + notesBytes + FRAME_HEADER_BYTES, end, writtenTo)
    writer.length = end
    const closed = this.#complete('events', 0)
    // From here without a call.
    writer.length = writtenTo + notesBytes + FRAME_HEADER_BYTES
    this.#notes.clear()
    this.#closed = closed
    this.#start = end + notesBytes
    this.#openFirst = (this.first + this.count) as Sequence
  }

  /** Closes the open frame. From then on nothing may be added until all are written or dropped. */
  finish(): FinishedFrames {
    return this.#isOpenEmpty ? this.#finished() : this.finishAs('events', 0)
  }

  /** The same with a frame of this kind, which may be empty. */
  finishAs(kind: FrameKind, flags: number, order?: Uint8Array): FinishedFrames {
    const writer = this.#writer
    if (writer.length === this.#start) beginFrame(writer)
    const closed = this.#complete(kind, flags, order)
    this.#notes.clear()
    this.#closed = closed
    this.#start = writer.length
    this.#openFirst = (this.first + this.count) as Sequence
    return this.#finished()
  }

  #finished(): FinishedFrames {
    return { frames: this.#closed, bytes: this.#writer.bytes.subarray(0, this.#start) }
  }

  /** Adds notes and header to the open frame, which ends at the writer's end. Returns the closed frames with this one. */
  #complete(kind: FrameKind, flags: number, order?: Uint8Array): Closed {
    const { counters, seed, previousChecksum, ...context } = this.#context()
    const header = {
      kind,
      flags: flags | encodeNotes(this.#writer, { limits: this.#limits, order }, this.#notes),
      firstSequence: this.#openFirst,
      count: this.first + this.count - this.#openFirst,
      previousChecksum: this.#closed.at(-1)?.checksum ?? previousChecksum,
      ...context,
    }
    const checksum = finishFrame(this.#writer, this.#start, header, counters, seed)
    return [...this.#closed, { header, checksum }]
  }

  /** All were written. */
  written(): void {
    // First, and without a call, because what was written must not be written again.
    if (this.#closed[0]?.header.kind === 'events') this.first = (this.first + this.count) as Sequence
    this.count = 0
    this.#start = 0
    this.#openFirst = this.first
    this.#closed = []
    this.#limits = undefined
    this.#writer.length = 0
    this.#writer.clear()
  }

  /** Discards its content. */
  drop(): void {
    this.count = 0
    this.#start = 0
    this.#openFirst = this.first
    this.#closed = []
    this.#notes.clear()
    this.#writer.clear()
  }
}

/** @throws RangeError if these events of one turn are too large for any frame. */
export function refuseTooLarge(events: Iterable<CacheEvent>): void {
  const writer = new ByteWriter(FULL_FRAME_BYTES)
  let bytes = 0
  for (const event of events) {
    writer.length = 0
    encodeEvent(writer, event)
    bytes += writer.length
  }
  if (bytes > TURN_BYTES_MAX) throw tooLarge(bytes)
}

function tooLarge(bytes: number): RangeError {
  return new RangeError(
    `This change needs ${bytes} bytes in the journal, but a frame holds at most ${TURN_BYTES_MAX}. ` +
      'Nothing was changed. Split it into smaller changes.',
  )
}
