/**
 * Passes the content of a journal to a receiver: the rows of a snapshot, then the events after it. Third step of opening.
 * Before: `plan`. After: `read-chain`, and `core/evolve` for what the receiver gets. The command line also reads journals this way: nothing is written.
 *
 * Replay decides nothing and never reads a clock: it passes the events as they were written. What makes it fast is in
 * docs/decisions/0009: no object for a `set` event, no promise for a frame.
 */
import type { LoadedEvent } from '../../core/model/event.js'
import type { Limits } from '../../core/model/limits.js'
import type { Note } from '../../core/model/note.js'
import { FIRST_SEQUENCE, LAST_SEQUENCE, type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import { CacheError } from '../../errors.js'
import { ByteReader } from '../../values/bytes/byte-reader.js'
import type { JournalReceiver, RecoveryReport } from '../contract.js'
import { decodeOther, decodeSet, isSet, type RowTaker } from '../format/decode-event.js'
import type { FileHeader } from '../format/file-header.js'
import type { Frame } from '../format/frame.js'
import type { JournalFile } from '../format/journal-files.js'
import { decodeNotes } from '../format/notes.js'
import { type ReadSnapshot, type RowsVisitor, readSnapshot, takeRows } from '../snapshot/read-snapshot.js'
import type { ReadableStorage } from '../storage/storage.js'
import { asDamage } from './frame-events.js'
import { readLoaded } from './loaded-file.js'
import type { ReadingPlan } from './plan.js'
import { type Chain, readChain } from './read-chain.js'
import type { ChainStart } from './read-segments.js'

/** What the first segment of a journal without a snapshot must follow. */
export const JOURNAL_BEGIN: ChainStart = { journalId: undefined, nextSequence: FIRST_SEQUENCE, previousChecksum: 0 }

export interface Replayed {
  chain: Chain
  snapshot: RecoveryReport['snapshot']
  /** Events passed to the receiver, without the rows of the snapshot. */
  events: number
  /** Whether an order of use was read without the seal that completes it. */
  hasLooseRecency: boolean
  /** Whether the journal says what the limits are. */
  hasLimits: boolean
  /** Of all files read, except loaded ones. */
  bytes: number
}

/**
 * Replays a plan through sequence `to`.
 * @throws CorruptionError for damage before the end of the journal; the verdict is about the end.
 */
export async function replay(
  storage: ReadableStorage,
  directory: string,
  plan: ReadingPlan,
  receiver: JournalReceiver,
  { to = LAST_SEQUENCE, pause }: Pick<ReplayOptions, 'to' | 'pause'> = {},
): Promise<Replayed> {
  const { snapshot, segments } = plan
  const bytes = [snapshot, ...segments].reduce((sum, file) => sum + (file?.bytes ?? 0), 0)
  const replayer = new Replayer(storage, directory, receiver, { to, pause, onBytes: inSteps(bytes, receiver) })
  const found = snapshot && (await replayer.snapshot(snapshot))
  const start = startAfter(found)
  const chain = await readChain(storage, directory, plan, start, (...frame) => replayer.frame(...frame), to)
  return {
    chain,
    snapshot: snapshot && found && { file: snapshot.name, sequence: snapshot.sequence, entries: found.entries },
    events: replayer.events,
    hasLooseRecency: replayer.hasLooseRecency,
    hasLimits: replayer.hasLimits,
    bytes,
  }
}

/** What the first segment must follow: a snapshot, given its header, or nothing. */
export function startAfter(
  snapshot: Pick<FileHeader, 'journalId' | 'sequence' | 'previousChecksum'> | undefined,
): ChainStart {
  if (snapshot === undefined) return JOURNAL_BEGIN
  const { journalId, sequence, previousChecksum } = snapshot
  return { journalId, nextSequence: sequenceAfter(sequence), previousChecksum }
}

/** In a frame with this many events it pays to decode the short texts together. */
const FRAME_EVENTS_MANY = 8
/** Events between two possible pauses. */
const SLICE_EVENTS = 256

export interface ReplayOptions {
  to?: Sequence
  /** Called now and then. Reading waits for what it returns: the way to read in slices. */
  pause?: (() => Promise<void> | undefined) | undefined
  /** Called with the bytes of each frame that was passed on. */
  onBytes?: (bytes: number) => void
}

/** Passes one file or frame after the other to the receiver, in the order in which they were written. */
export class Replayer {
  events = 0
  hasLimits = false
  readonly #storage: ReadableStorage
  readonly #directory: string
  readonly #receiver: JournalReceiver
  readonly #to: Sequence
  readonly #onBytes: ((bytes: number) => void) | undefined
  readonly #pause: ReplayOptions['pause']
  /** Events and frames since the last possible pause. */
  #unpaused = 0
  /** The order of use that a clean close wrote in version 1, kept until its seal is read. */
  #recency: string[] = []

  constructor(storage: ReadableStorage, directory: string, receiver: JournalReceiver, options: ReplayOptions = {}) {
    this.#storage = storage
    this.#directory = directory
    this.#receiver = receiver
    this.#to = options.to ?? LAST_SEQUENCE
    this.#onBytes = options.onBytes
    this.#pause = options.pause
  }

  get hasLooseRecency(): boolean {
    return this.#recency.length > 0
  }

  async snapshot({ path, sequence }: JournalFile): Promise<ReadSnapshot> {
    const receiver = this.#receiver
    const visit = this.#rowsInto(
      (key, value, expiresAtMs, extension) => receiver.row(key, value, expiresAtMs, extension),
      (note) => receiver.noted(note),
    )
    const found = await readSnapshot(this.#storage, { path, kind: 'snapshot', sequence }, visit).catch((error) => {
      throw advised(error, 'Open it with the Node.js that wrote it, and delete entries there.')
    })
    this.#receiver.counters(found.counters)
    this.#takeLimits(found.limits)
    for (const note of found.clients) this.#receiver.noted(note)
    return found
  }

  #rowsInto(take: RowTaker, takeNote?: (note: Note) => void): RowsVisitor {
    return (frame, bytes) => {
      takeRows(frame, bytes, take, takeNote)
      this.#onBytes?.(frame.length)
      return this.#pause?.()
    }
  }

  /**
   * Passes on a frame of a segment. Returns a promise only if a loaded file must be read.
   * @throws CorruptionError if it holds what no writer of this version writes, or names a file that is damaged.
   */
  frame(frame: Frame, bytes: Buffer, file: JournalFile): void | Promise<void> {
    const reader = new ByteReader(bytes, frame.payloadStart, frame.payloadEnd)
    try {
      const loading = this.#payload(frame, reader)
      if (loading !== undefined)
        return loading
          .then(() => this.#finish(frame, reader))
          .catch((error) => {
            throw refusalOf(error, frame, file.path)
          })
      this.#finish(frame, reader)
      return this.#pauseAfter(frame.count)
    } catch (error) {
      throw refusalOf(error, frame, file.path)
    }
  }

  #payload(frame: Frame, reader: ByteReader): void | Promise<void> {
    switch (frame.kind) {
      case 'events': {
        const count = Math.min(frame.count, this.#to - frame.firstSequence + 1)
        this.events += count
        this.#recency = []
        if (count >= FRAME_EVENTS_MANY) reader.expectShortText()
        return this.#events(reader, count, frame.firstSequence)
      }
      case 'recency':
        for (let index = 0; index < frame.count; index++) this.#recency.push(reader.text(reader.byte()))
        return
      case 'seal':
        if (this.#recency.length > 0) this.#receiver.recency(this.#recency)
        this.#recency = []
    }
  }

  #events(reader: ByteReader, count: number, sequence: Sequence): void | Promise<void> {
    const receiver = this.#receiver
    for (let left = count; left > 0; left--) {
      const head = reader.byte()
      if (isSet(head)) decodeSet(reader, head, receiver.set)
      else {
        const event = decodeOther(reader, head)
        if (event.type === 'loaded')
          return this.#loaded(event, sequence).then(() => this.#events(reader, left - 1, sequence))
        if (event.type === 'limited') this.hasLimits = true
        receiver.event(event)
      }
      const pausing = left % SLICE_EVENTS === 0 ? this.#pause?.() : undefined
      if (pausing !== undefined) return pausing.then(() => this.#events(reader, left - 1, sequence))
    }
  }

  /** A slice may have many small frames, none of which is long enough for a pause within it. */
  #pauseAfter(events: number): void | Promise<void> {
    this.#unpaused += events + 1
    if (this.#unpaused < SLICE_EVENTS) return
    this.#unpaused = 0
    return this.#pause?.()
  }

  #takeLimits(limits: Limits | undefined): void {
    if (limits === undefined || this.hasLimits) return
    this.hasLimits = true
    this.#receiver.limits(limits)
  }

  async #loaded(event: LoadedEvent, sequence: Sequence): Promise<void> {
    const rows = this.#receiver.loadedRows()
    const visit = this.#rowsInto((key, value, expiresAtMs, extension) => rows.add(key, value, expiresAtMs, extension))
    const found = await readLoaded(this.#storage, this.#directory, event, sequence, visit)
    rows.counters.copyFrom(found.counters)
    this.#receiver.event(event, rows)
  }

  #finish(frame: Frame, reader: ByteReader): void {
    this.#onBytes?.(frame.length)
    if (frame.firstSequence + frame.count - 1 > this.#to) return // the rest of it is not wanted
    const { limits, order, clients } = decodeNotes(reader, frame.flags)
    this.#takeLimits(limits)
    for (const note of clients) this.#receiver.noted(note)
    if (order !== undefined) this.#receiver.order(new Uint8Array(order))
    this.#receiver.counters(frame.counters)
  }
}

/** Of a frame: damage, or more than the receiver can take. */
function refusalOf(error: unknown, frame: Frame, path: string): unknown {
  const last = sequenceAfter(frame.firstSequence, -1)
  return advised(asDamage(error, frame, path), `"daybook repair --to ${last}" makes the journal end before that.`)
}

/** What a receiver cannot take, it says without knowing where it stands. */
function advised(error: unknown, advice: string): unknown {
  if (!(error instanceof CacheError && error.code === 'JOURNAL_UNREADABLE')) return error
  const what = error.message.slice(0, error.message.indexOf('. '))
  return new CacheError(error.code, what, { cause: error, advice })
}

/** How often progress is reported, because a report costs more than reading a small frame. */
const PROGRESS_STEPS = 200

function inSteps(totalBytes: number, receiver: JournalReceiver): (bytes: number) => void {
  let doneBytes = 0
  let nextBytes = 0
  return (bytes) => {
    doneBytes += bytes
    if (doneBytes < nextBytes && doneBytes < totalBytes) return
    nextBytes = doneBytes + totalBytes / PROGRESS_STEPS
    receiver.progress(Math.min(doneBytes, totalBytes), totalBytes)
  }
}
