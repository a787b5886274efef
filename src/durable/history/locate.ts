/**
 * Finds the place in the journal that a time or a sequence means. Before: `past`. After: `replay`, through `past`.
 *
 * A time means: after the last frame, in the order of the journal, that was written at or before it. Clocks are set back, so this
 * looks at every frame from the end on, until a segment has one. How old the frames of a sealed segment are is remembered.
 */
import { type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import { CacheError, CorruptionError } from '../../errors.js'
import { checksum } from '../format/checksum.js'
import { readFileHeader, readHeaderOf } from '../format/file-header.js'
import type { Frame } from '../format/frame.js'
import { FrameScanner } from '../format/frame-scanner.js'
import { findJournalFiles, type JournalFile, type JournalFiles } from '../format/journal-files.js'
import { type Anchor, anchorsIn, timeOf } from '../snapshot/retention.js'
import type { ReadableStorage, Storage } from '../storage/storage.js'
import { retryMissing } from './reading-past.js'
import { slices } from './slices.js'

/** `isBefore`: only what was written before that time, not at it. */
export type Moment = { readonly sequence: number } | { readonly timeMs: number; readonly isBefore?: boolean }

export interface Place {
  readonly sequence: Sequence
  /** The time that was asked for; for a sequence: when its frame was written. */
  readonly timeMs: number
}

/** Times of the oldest frames of sealed segments, by name. */
export type OldestFrames = Map<string, number>

/**
 * @param end The last sequence that is known to be there.
 * @throws CacheError `HISTORY_GONE`; CorruptionError if a segment on the way is damaged.
 */
export function locate(
  storage: Storage,
  directory: string,
  moment: Moment,
  end: Sequence,
  oldestFrames: OldestFrames,
): Promise<Place> {
  return retryMissing(async () => {
    const files = await findJournalFiles(storage, directory)
    const [anchor] = anchorsIn(files)
    if (anchor === undefined) throw historyGone(moment)
    if ('sequence' in moment) return await atSequence(storage, files, anchor, moment.sequence as Sequence)
    return await atTime(storage, files, anchor, moment, end, oldestFrames)
  })
}

async function atSequence(
  storage: Storage,
  { segments }: JournalFiles,
  anchor: Anchor,
  sequence: Sequence,
): Promise<Place> {
  if (sequence < anchor.sequence) throw historyGone({ sequence }, anchor, await timeOf(storage, anchor))
  if (sequence === anchor.sequence)
    return { sequence, timeMs: (await readHeaderOf(storage, anchor.segment, 'segment')).createdAtMs }
  const segment = segments.findLast((file) => file.sequence <= sequence) as JournalFile // that of the anchor, or a later one
  let timeMs: number | undefined
  const end = await visitFrames(storage, segment, (frame) => {
    if (frame.kind === 'events' && frame.firstSequence + frame.count > sequence) timeMs ??= frame.writtenAtMs
    return timeMs !== undefined
  })
  if (timeMs === undefined) throw damaged(segment, end)
  return { sequence, timeMs }
}

async function atTime(
  storage: Storage,
  { segments }: JournalFiles,
  anchor: Anchor,
  { timeMs, isBefore = false }: { timeMs: number; isBefore?: boolean },
  end: Sequence,
  oldestFrames: OldestFrames,
): Promise<Place> {
  const isWithin = (writtenAtMs: number) => (isBefore ? writtenAtMs < timeMs : writtenAtMs <= timeMs)
  const readable = segments.slice(segments.indexOf(anchor.segment))
  for (const segment of readable.toReversed()) {
    const known = oldestFrames.get(segment.name)
    if (known !== undefined && !isWithin(known)) continue
    let sequence: Sequence | undefined
    let oldestMs = Number.POSITIVE_INFINITY
    const isLast = segment === readable.at(-1)
    const ended = await visitFrames(storage, segment, (frame) => {
      oldestMs = Math.min(oldestMs, frame.writtenAtMs)
      if (isWithin(frame.writtenAtMs))
        sequence = sequenceAfter(frame.firstSequence, frame.kind === 'events' ? frame.count - 1 : -1)
      return false
    })
    if (isLast ? ended.nextSequence <= end : ended.reason !== undefined) throw damaged(segment, ended)
    if (!isLast) oldestFrames.set(segment.name, oldestMs)
    if (sequence !== undefined) return { sequence, timeMs }
  }
  const oldestTimeMs = await timeOf(storage, anchor)
  if (oldestTimeMs === undefined || timeMs < oldestTimeMs) throw historyGone({ timeMs }, anchor, oldestTimeMs)
  return { sequence: anchor.sequence, timeMs }
}

/** Where the frames of a segment end, and why, unless it is the end of the file. */
interface FramesEnd {
  nextSequence: Sequence
  offset: number
  reason?: string
}

/** Calls `visit` with each frame of a segment, until it returns true. One that is being written ends with its last whole frame. */
async function visitFrames(
  storage: ReadableStorage,
  { path, sequence }: JournalFile,
  visit: (frame: Frame) => boolean,
): Promise<FramesEnd> {
  const file = storage.open(path, 'read')
  const pause = slices()
  try {
    const { journalId } = await readFileHeader(file, { kind: 'segment', sequence })
    const scanner = new FrameScanner(file, checksum(journalId))
    for (let nextSequence = sequence; ; ) {
      const scanned = await scanner.next()
      if (scanned === undefined) return { nextSequence, offset: scanner.fileBytes }
      const { frame } = scanned
      if (frame === undefined) return { nextSequence, offset: scanned.offset, reason: scanned.reason }
      if (visit(frame)) return { nextSequence, offset: frame.offset }
      if (frame.kind === 'events') nextSequence = sequenceAfter(frame.firstSequence, frame.count)
      await pause()
    }
  } finally {
    file.close()
  }
}

function damaged({ path: file }: JournalFile, { offset, nextSequence: sequence, reason }: FramesEnd): CorruptionError {
  return new CorruptionError({ file, offset, sequence, reason: reason ?? 'the file ends too early' })
}

/** @param oldestTimeMs Of the anchor, if there is one and its time can be read. */
export function historyGone(moment: Moment, anchor?: Pick<Anchor, 'sequence'>, oldestTimeMs?: number): CacheError {
  const asked = 'sequence' in moment ? `sequence ${moment.sequence}` : textOf(moment.timeMs)
  const since = oldestTimeMs === undefined ? '' : `, of ${textOf(oldestTimeMs)}`
  const oldest = anchor === undefined ? '' : `: the oldest is sequence ${anchor.sequence}${since}`
  return new CacheError('HISTORY_GONE', `The journal does not reach back to ${asked}${oldest}`)
}

/** Not every time is a date: `{ ago: Infinity }`, and what an odd clock says. */
function textOf(timeMs: number): string {
  const date = new Date(timeMs)
  return Number.isNaN(date.getTime()) ? `${timeMs} ms` : date.toISOString()
}
