/** Reads a snapshot or a loaded file, frame by frame. Any deviation is a CorruptionError: these files are never torn. */

import type { Counters } from '../../core/model/counters.js'
import { CorruptionError } from '../../errors.js'
import { ByteReader, MalformedBytesError } from '../format/byte-reader.js'
import { checksum } from '../format/checksum.js'
import { decodeSet, isSet, type RowTaker } from '../format/decode-event.js'
import { decodeFileHeader } from '../format/file-header.js'
import { FILE_HEADER_BYTES, type FileKind } from '../format/format.js'
import type { Frame } from '../format/frame.js'
import { FrameScanner } from '../format/frame-scanner.js'
import { readAll, type Storage, type StorageFile } from '../storage/storage.js'

export interface SnapshotFile {
  path: string
  kind: Exclude<FileKind, 'segment'>
  sequence: number
}

export interface ReadSnapshot {
  journalId: Buffer
  previousChecksum: number
  counters: Counters
  entries: number
  bytes: number
  /** Of the last frame. */
  checksum: number
}

/** What is done with a frame of rows; a promise, if reading is to go on later. */
export type RowsVisitor = (frame: Frame, bytes: Buffer) => void | Promise<void>

/** Calls `visit` with each frame of rows; {@link takeRows} gives what is in it. */
export async function readSnapshot(
  storage: Storage,
  snapshot: SnapshotFile,
  visit: RowsVisitor,
): Promise<ReadSnapshot> {
  const file = storage.open(snapshot.path, 'read')
  try {
    return await read(file, snapshot, visit)
  } finally {
    file.close()
  }
}

async function read(file: StorageFile, snapshot: SnapshotFile, visit: RowsVisitor): Promise<ReadSnapshot> {
  const { kind, sequence, path: shown } = snapshot
  const damaged = (offset: number, reason: string) => new CorruptionError({ file: shown, offset, sequence, reason })
  const head = Buffer.alloc(FILE_HEADER_BYTES)
  const length = await readAll(file, head, 0, FILE_HEADER_BYTES, 0)
  const header = decodeFileHeader(head.subarray(0, length), shown, { kind, sequence })
  const scanner = new FrameScanner(file, checksum(header.journalId))
  let previous = header.checksum
  let rows = 0
  let offset = FILE_HEADER_BYTES
  let end: Frame | undefined
  for (;;) {
    const next = scanner.next()
    const scanned = next instanceof Promise ? await next : next
    if (scanned === undefined) break
    const { frame } = scanned
    if (frame === undefined) throw damaged(scanned.offset, scanned.reason)
    if (end !== undefined) throw damaged(frame.offset, 'a frame follows the last one')
    if (
      frame.firstSequence !== rows + 1 ||
      frame.previousChecksum !== previous ||
      (frame.kind !== 'rows' && frame.kind !== 'end')
    ) {
      throw damaged(frame.offset, 'the frame that stands here does not follow from the one before it')
    }
    if (frame.kind === 'end') end = frame
    else {
      try {
        const pending = visit(frame, scanned.bytes)
        if (pending !== undefined) await pending
      } catch (error) {
        throw error instanceof MalformedBytesError ? damaged(frame.offset, error.message) : error
      }
    }
    rows += frame.count
    previous = frame.checksum
    offset = frame.offset + frame.length
  }
  if (end === undefined) throw damaged(offset, 'the file ends before its last frame')
  return {
    journalId: header.journalId,
    previousChecksum: header.previousChecksum,
    counters: end.counters,
    entries: rows,
    bytes: offset,
    checksum: previous,
  }
}

/** Hands over the rows of one frame, in order. */
export function takeRows(frame: Frame, bytes: Buffer, take: RowTaker): void {
  const reader = new ByteReader(bytes, frame.payloadStart, frame.payloadEnd)
  reader.expectShortText()
  for (let row = 0; row < frame.count; row++) {
    const head = reader.byte()
    if (!isSet(head)) throw new MalformedBytesError('a row is no event of type "set"')
    decodeSet(reader, head, take)
  }
  if (!reader.isDone) throw new MalformedBytesError('bytes follow the last row of the frame')
}
