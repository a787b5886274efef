/**
 * Reads on in a journal from a sequence, portion by portion, while it may be written. Before: `cache/history`, the command line. After:
 * `format/frame-scanner`. Between two portions nothing is open and nothing is held.
 */
import type { CacheEvent } from '../../core/model/event.js'
import { LAST_SEQUENCE, type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import { CorruptionError } from '../../errors.js'
import { checksum } from '../format/checksum.js'
import { type FileHeader, readFileHeader } from '../format/file-header.js'
import { FILE_HEADER_BYTES } from '../format/format.js'
import { type FramePlace, moveAfter, whyNotNext } from '../format/frame-order.js'
import { FrameScanner } from '../format/frame-scanner.js'
import { findJournalFiles, type JournalFile } from '../format/journal-files.js'
import { anchorsIn, timeOf } from '../snapshot/retention.js'
import type { ReadableFile, Storage } from '../storage/storage.js'
import { eventsOf } from './frame-events.js'
import { historyGone } from './locate.js'
import { isMissing, readingPast, retryMissing } from './reading-past.js'
import { slices } from './slices.js'

/** An event with its number, and when its frame was written. */
export interface PastEvent {
  event: CacheEvent
  sequence: Sequence
  /** Epoch milliseconds. */
  timeMs: number
}

/** The next frame of the segment that is being read. */
interface CursorPlace extends FramePlace {
  segment: JournalFile
  offset: number
}

/** A segment that was read to its end: the next event is in another one, which must follow it. */
interface EndedSegment {
  name: string
  journalId: Buffer
  lastChecksum: number
}

export interface Polled {
  events: PastEvent[]
  /**
   * Why reading stopped before what may be the end of the journal: damage, or a frame or a segment that is being written. The same text as
   * long as nothing changes.
   */
  trouble: string | undefined
}

/** About how much is read at once. */
const PORTION_BYTES = 128 * 1024

export class ChangeCursor {
  readonly #storage: Storage
  readonly #directory: string
  /** The next event to give. */
  #next: Sequence
  #place: CursorPlace | undefined
  #ended: EndedSegment | undefined

  constructor(storage: Storage, directory: string, after: Sequence) {
    this.#storage = storage
    this.#directory = directory
    this.#next = sequenceAfter(after)
  }

  /**
   * The next events through `to`, which has been written: some of them. None if all were given.
   * @throws CacheError `HISTORY_GONE` if compaction has removed the next one; CorruptionError.
   */
  read(to: Sequence): Promise<PastEvent[]> {
    return readingPast(this.#directory, async () => {
      const events: PastEvent[] = []
      while (events.length === 0 && this.#next <= to) {
        const { place, file } = await this.#open()
        try {
          await this.#readPortion(file, place, to, events)
        } finally {
          file.close()
        }
      }
      return events
    })
  }

  /**
   * The next events that are there, of a journal that another process may be writing, so that its end is not known.
   * @throws CacheError `HISTORY_GONE` if compaction has removed the next one.
   */
  poll(): Promise<Polled> {
    return readingPast(this.#directory, async () => {
      const events: PastEvent[] = []
      let trouble: string | undefined
      const { place, file } = await this.#open()
      try {
        await this.#readPortion(file, place, LAST_SEQUENCE, events)
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error
        trouble = `${error.message} (${file.size()} bytes)`
      } finally {
        file.close()
      }
      if (this.#place === undefined) trouble = await this.#goOn(place, events.length > 0)
      return { events, trouble }
    })
  }

  /** A segment was read to its present end. Unless the next event is in another one, it is there that reading goes on. */
  async #goOn(place: CursorPlace, hasRead: boolean): Promise<string | undefined> {
    const { name } = place.segment
    const { segments } = await findJournalFiles(this.#storage, this.#directory)
    if (segments.findLast(({ sequence }) => sequence <= this.#next)?.name !== name) return undefined
    this.#place = place
    this.#ended = undefined
    const isLast = segments.at(-1)?.name === name
    return isLast || hasRead ? undefined : `${name} ends before sequence ${this.#next}, and is not the last segment`
  }

  #open(): Promise<{ place: CursorPlace; file: ReadableFile }> {
    return retryMissing(async () => {
      this.#place ??= await this.#find()
      try {
        return { place: this.#place, file: this.#storage.open(this.#place.segment.path, 'read') }
      } catch (error) {
        if (isMissing(error)) this.#place = this.#ended = undefined // removed: #find() says whether the next event went with it
        throw error
      }
    })
  }

  /** The beginning of the segment that holds the next event. */
  async #find(): Promise<CursorPlace> {
    const files = await findJournalFiles(this.#storage, this.#directory)
    const [anchor] = anchorsIn(files)
    const sequence = this.#next
    if (anchor === undefined || sequence <= anchor.sequence) {
      const timeMs = anchor && (await timeOf(this.#storage, anchor))
      throw historyGone({ sequence }, anchor, timeMs)
    }
    const segment = files.segments.findLast((file) => file.sequence <= sequence) as JournalFile // at least that of the anchor
    if (segment.name === this.#ended?.name)
      throw damaged(segment, segment.bytes, sequence, 'the file ends before this sequence')
    return { segment, offset: FILE_HEADER_BYTES, nextSequence: segment.sequence, lastChecksum: 0, seal: undefined }
  }

  async #readPortion(file: ReadableFile, place: CursorPlace, to: Sequence, events: PastEvent[]): Promise<void> {
    const { segment } = place
    const header = await readFileHeader(file, { kind: 'segment', sequence: segment.sequence })
    const { journalId } = header
    if (place.offset === FILE_HEADER_BYTES) {
      if (this.#ended !== undefined && !follows(header, this.#ended))
        throw damaged(segment, 0, segment.sequence, 'the file does not follow the one before it')
      place.lastChecksum = header.checksum
    }
    const scanner = new FrameScanner(file, checksum(journalId), place.offset, PORTION_BYTES)
    const pause = slices()
    for (let bytes = 0; bytes < PORTION_BYTES && this.#next <= to; ) {
      const scanned = await scanner.next()
      if (scanned === undefined) {
        this.#ended = { name: segment.name, journalId, lastChecksum: place.lastChecksum }
        this.#place = undefined
        return
      }
      const { frame } = scanned
      if (frame === undefined) throw damaged(segment, scanned.offset, this.#next, scanned.reason)
      const reason = whyNotNext(frame, place)
      if (reason !== undefined) throw damaged(segment, frame.offset, place.nextSequence, reason)
      if (frame.kind === 'events') {
        const end = sequenceAfter(frame.firstSequence, frame.count)
        if (end > this.#next) {
          let sequence = frame.firstSequence
          for (const event of eventsOf(frame, scanned.bytes, segment.path)) {
            if (sequence >= this.#next && sequence <= to) events.push({ event, sequence, timeMs: frame.writtenAtMs })
            sequence = sequenceAfter(sequence)
            const pausing = pause()
            if (pausing !== undefined) await pausing
          }
          bytes += frame.length
          this.#next = Math.min(end, to + 1) as Sequence
          if (end > this.#next) return // the rest of the frame is read again
        }
      }
      moveAfter(place, frame, frame.checksum)
      place.offset = frame.offset + frame.length
      await pause()
    }
  }
}

function follows({ journalId, previousChecksum }: FileHeader, ended: EndedSegment): boolean {
  return journalId.equals(ended.journalId) && previousChecksum === ended.lastChecksum
}

function damaged({ path: file }: JournalFile, offset: number, sequence: Sequence, reason: string): CorruptionError {
  return new CorruptionError({ file, offset, sequence, reason })
}
