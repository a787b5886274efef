/** Reads a snapshot, a loaded or a saved file, frame by frame. They are never torn, so any deviation is corruption. */
import type { Counters } from '../../core/model/counters.js'
import type { Limits } from '../../core/model/limits.js'
import type { Note } from '../../core/model/note.js'
import type { Sequence } from '../../core/model/sequence.js'
import { CorruptionError } from '../../errors.js'
import { ByteReader, MalformedBytesError } from '../../values/bytes/byte-reader.js'
import { checksum } from '../format/checksum.js'
import { decodeSet, isSet, type RowTaker } from '../format/decode-event.js'
import { readFileHeader } from '../format/file-header.js'
import { FILE_HEADER_BYTES, type FileKind } from '../format/format.js'
import type { Frame } from '../format/frame.js'
import { FrameScanner } from '../format/frame-scanner.js'
import { NewerFormatError } from '../format/newer-format.js'
import { decodeNotes } from '../format/notes.js'
import type { ReadableFile, ReadableStorage } from '../storage/storage.js'

export interface SnapshotFile {
  path: string
  kind: Exclude<FileKind, 'segment'>
  sequence: Sequence
}

export interface ReadSnapshot {
  journalId: Buffer
  sequence: Sequence
  previousChecksum: number
  counters: Counters
  limits: Limits | undefined
  /** The notes of clients in its last frame. */
  clients: readonly Note[]
  entries: number
  bytes: number
  /** Of the last frame. */
  checksum: number
}

/** Called with each frame of rows. Returns a promise only if reading must wait for it. */
export type RowsVisitor = (frame: Frame, bytes: Buffer) => void | Promise<void>

/** Calls `visit` with each frame of rows; {@link takeRows} decodes it. */
export async function readSnapshot(
  storage: ReadableStorage,
  snapshot: SnapshotFile,
  visit: RowsVisitor,
): Promise<ReadSnapshot> {
  const file = storage.open(snapshot.path, 'read')
  try {
    return await readRows(file, snapshot, visit)
  } finally {
    file.close()
  }
}

/** The same of an open file. */
export async function readRows(file: ReadableFile, snapshot: SnapshotFile, visit: RowsVisitor): Promise<ReadSnapshot> {
  const { kind, sequence, path } = snapshot
  const damaged = (offset: number, reason: string) => new CorruptionError({ file: path, offset, sequence, reason })
  const header = await readFileHeader(file, { kind, sequence })
  const scanner = new FrameScanner(file, checksum(header.journalId))
  let previous = header.checksum
  let rows = 0
  let offset = FILE_HEADER_BYTES
  let end: Frame | undefined
  let limits: Limits | undefined
  const clients: Note[] = []
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
      throw damaged(frame.offset, 'the frame here does not follow the one before it')
    }
    try {
      if (frame.kind === 'end') {
        end = frame
        const reader = new ByteReader(scanned.bytes, frame.payloadStart, frame.payloadEnd)
        const notes = decodeNotes(reader, frame.flags)
        limits = notes.limits
        clients.push(...notes.clients)
      } else {
        const pending = visit(frame, scanned.bytes)
        if (pending !== undefined) await pending
      }
    } catch (error) {
      if (error instanceof NewerFormatError) throw error.at(path, frame.offset)
      throw error instanceof MalformedBytesError ? damaged(frame.offset, error.message) : error
    }
    rows += frame.count
    previous = frame.checksum
    offset = frame.offset + frame.length
  }
  if (end === undefined) throw damaged(offset, 'the file ends before its last frame')
  return {
    journalId: header.journalId,
    sequence,
    previousChecksum: header.previousChecksum,
    counters: end.counters,
    limits,
    clients,
    entries: rows,
    bytes: offset,
    checksum: previous,
  }
}

/** Passes the rows of one frame to `take`, in order, and its notes to `takeNote`. @throws MalformedBytesError for anything else. */
export function takeRows(frame: Frame, bytes: Buffer, take: RowTaker, takeNote: (note: Note) => void = ignore): void {
  const reader = new ByteReader(bytes, frame.payloadStart, frame.payloadEnd)
  reader.expectShortText()
  for (let row = 0; row < frame.count; row++) {
    const head = reader.byte()
    if (!isSet(head)) throw new MalformedBytesError('a row is not an event of type "set"')
    if (decodeSet(reader, head, take) === false) throw new MalformedBytesError('a key appears twice')
  }
  for (const note of decodeNotes(reader, frame.flags).clients) takeNote(note)
}

function ignore(): void {
  // Loaded and saved files have no notes.
}
