/**
 * Reads on in a journal from a sequence, portion by portion, while it may be written. Before: `cache/history`, the command line. After:
 * `format/frame-scanner`. Between two portions nothing is open and nothing is held.
 */
import type { CacheEvent } from '../../core/model/event.js'
import { LAST_SEQUENCE, type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import { CorruptionError } from '../../errors.js'
import { checksum } from '../format/checksum.js'
import { readFileHeader } from '../format/file-header.js'
import { FILE_HEADER_BYTES } from '../format/format.js'
import { FrameScanner } from '../format/frame-scanner.js'
import { findJournalFiles, type JournalFile } from '../format/journal-files.js'
import { anchorsIn, timeOf } from '../snapshot/retention.js'
import type { ReadableFile, Storage } from '../storage/storage.js'
import { eventsOf } from './frame-events.js'
import { historyGone } from './locate.js'
import { slices } from './slices.js'

/** An event with its number, and when its frame was written. */
export interface PastEvent {
  event: CacheEvent
  sequence: Sequence
  /** Epoch milliseconds. */
  timeMs: number
}

/** About how much is read at once. */
const PORTION_BYTES = 128 * 1024

export class ChangeCursor {
  readonly #storage: Storage
  readonly #directory: string
  /** The next event to give. */
  #next: Sequence
  /** The segment that is being read, where its next frame begins, and the first sequence of that. */
  #place: { segment: JournalFile; offset: number; sequence: Sequence } | undefined

  /** The last segment that was read to its end: the next event is in another one. */
  #ended: string | undefined

  constructor(storage: Storage, directory: string, after: Sequence) {
    this.#storage = storage
    this.#directory = directory
    this.#next = sequenceAfter(after)
  }

  /**
   * The next events through `to`, which has been written: some of them. None if all were given.
   * @throws CacheError `HISTORY_GONE` if compaction has removed the next one; CorruptionError.
   */
  async read(to: Sequence): Promise<PastEvent[]> {
    const events: PastEvent[] = []
    while (events.length === 0 && this.#next <= to) {
      this.#place ??= await this.#find()
      const { segment } = this.#place
      let file: ReadableFile
      try {
        file = this.#storage.open(segment.path, 'read')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
        this.#place = undefined // removed: #find() says so
        continue
      }
      try {
        await this.#readPortion(file, this.#place, to, events)
      } finally {
        file.close()
      }
    }
    return events
  }

  /**
   * The next events that are there: of a journal that another process may be writing, so that its end is not known. None if there
   * is nothing new. What is unsound at the end may be a frame that is being written.
   */
  async poll(): Promise<PastEvent[]> {
    const events: PastEvent[] = []
    this.#place ??= await this.#find()
    const place = this.#place
    let file: ReadableFile
    try {
      file = this.#storage.open(place.segment.path, 'read')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      this.#place = undefined
      return this.poll()
    }
    try {
      await this.#readPortion(file, place, LAST_SEQUENCE, events)
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error
    } finally {
      file.close()
    }
    if (this.#place === undefined) {
      this.#ended = undefined
      const { segments } = await findJournalFiles(this.#storage, this.#directory)
      if (segments.at(-1)?.sequence === place.segment.sequence) this.#place = place
    }
    return events
  }

  /** The segment that holds the next event. */
  async #find(): Promise<{ segment: JournalFile; offset: number; sequence: Sequence }> {
    const files = await findJournalFiles(this.#storage, this.#directory)
    const [anchor] = anchorsIn(files)
    const sequence = this.#next
    if (anchor === undefined || sequence <= anchor.sequence) {
      const timeMs = anchor && (await timeOf(this.#storage, anchor))
      throw historyGone({ sequence }, anchor, timeMs)
    }
    const segment = files.segments.findLast((file) => file.sequence <= sequence) as JournalFile // at least that of the anchor
    return { segment, offset: FILE_HEADER_BYTES, sequence: segment.sequence }
  }

  async #readPortion(
    file: ReadableFile,
    place: { segment: JournalFile; offset: number; sequence: Sequence },
    to: Sequence,
    events: PastEvent[],
  ): Promise<void> {
    const { segment } = place
    const { journalId } = await readFileHeader(file, { kind: 'segment', sequence: segment.sequence })
    const scanner = new FrameScanner(file, checksum(journalId), place.offset, PORTION_BYTES)
    const pause = slices()
    for (let bytes = 0; bytes < PORTION_BYTES && this.#next <= to; ) {
      const scanned = await scanner.next()
      if (scanned === undefined) {
        if (segment.name === this.#ended)
          throw damaged(segment, place.offset, this.#next, 'the file ends before this sequence')
        this.#ended = segment.name
        this.#place = undefined
        return
      }
      const { frame } = scanned
      if (frame === undefined) throw damaged(segment, scanned.offset, this.#next, scanned.reason)
      if (frame.kind === 'events') {
        if (frame.firstSequence !== place.sequence)
          throw damaged(segment, frame.offset, place.sequence, 'the frame here does not follow the one before it')
        const end = sequenceAfter(place.sequence, frame.count)
        if (end > this.#next) {
          let sequence = frame.firstSequence
          for (const event of eventsOf(frame, scanned.bytes, segment.path)) {
            if (sequence >= this.#next && sequence <= to) events.push({ event, sequence, timeMs: frame.writtenAtMs })
            sequence = sequenceAfter(sequence)
          }
          bytes += frame.length
          this.#next = Math.min(end, to + 1) as Sequence
          if (end > this.#next) return // the rest of the frame is read again
        }
        place.sequence = end
      }
      place.offset = frame.offset + frame.length
      await pause()
    }
  }
}

function damaged({ path: file }: JournalFile, offset: number, sequence: Sequence, reason: string): CorruptionError {
  return new CorruptionError({ file, offset, sequence, reason })
}
