/** Reading a journal from a snapshot on without opening it: the same reader and the same judge as recovery, and nothing written. */

import { readLockNote } from '../../cli/reading/in-use.js'
import type { CacheEvent } from '../../core/model/event.js'
import { CorruptionError } from '../../errors.js'
import { ByteReader, MalformedBytesError } from '../format/byte-reader.js'
import { decodeEvent } from '../format/decode-event.js'
import { decodeFileHeader, type FileHeader } from '../format/file-header.js'
import { FILE_HEADER_BYTES, type FileKind } from '../format/format.js'
import type { Frame } from '../format/frame.js'
import type { JournalFile } from '../format/journal-files.js'
import { disk } from '../storage/disk.js'
import { readAll } from '../storage/storage.js'
import { judge, type Verdict } from './damage.js'
import { type ChainEnd, type ChainStart, type FrameVisitor, readSegments } from './read-segments.js'

export const JOURNAL_BEGIN: ChainStart = { journalId: undefined, nextSequence: 1, previousChecksum: 0 }

/** @throws CorruptionError when the header is damaged. */
export async function readHeaderOf(file: JournalFile, kind: FileKind): Promise<FileHeader> {
  const opened = disk.open(file.path, 'read')
  try {
    const bytes = Buffer.alloc(FILE_HEADER_BYTES)
    const length = await readAll(opened, bytes, 0, FILE_HEADER_BYTES, 0)
    return decodeFileHeader(bytes.subarray(0, length), file.path, { kind, sequence: file.sequence })
  } finally {
    opened.close()
  }
}

/** Where the segments that follow a snapshot must begin. Its rows are not read. */
export async function startAfter(snapshot: JournalFile | undefined): Promise<ChainStart> {
  if (snapshot === undefined) return JOURNAL_BEGIN
  const { journalId, previousChecksum } = await readHeaderOf(snapshot, 'snapshot')
  return { journalId, nextSequence: snapshot.sequence + 1, previousChecksum }
}

export interface Chain {
  end: ChainEnd
  verdict: Verdict
}

export async function readChain(
  directory: string,
  segments: readonly JournalFile[],
  start: ChainStart,
  hasSnapshot: boolean,
  visit: FrameVisitor,
): Promise<Chain> {
  const end = await readSegments(disk, segments, start, visit)
  const wasInUse = hasSnapshot || readLockNote(directory) !== ''
  return { end, verdict: await judge(disk, directory, segments, end, wasInUse) }
}

/** What keeps a chain from being sound, as {@link readSettled} compares it. */
export function troubleOf({ verdict }: Chain): string | undefined {
  if (verdict.verdict === 'sound') return undefined
  if (verdict.verdict === 'corrupt') return verdict.error.message
  return `${verdict.stop.file.path} ${verdict.stop.offset} ${verdict.stop.reason}`
}

/** @throws CorruptionError for bytes that no writer of this version wrote. */
export function* eventsOf(frame: Frame, bytes: Buffer, path: string): Generator<CacheEvent> {
  if (frame.kind !== 'events') return
  const reader = new ByteReader(bytes, frame.payloadStart, frame.payloadEnd)
  try {
    for (let index = 0; index < frame.count; index++) yield decodeEvent(reader)
  } catch (error) {
    if (!(error instanceof MalformedBytesError)) throw error
    const { offset, firstSequence: sequence } = frame
    throw new CorruptionError({ file: path, offset, sequence, reason: error.message }, { cause: error })
  }
}
