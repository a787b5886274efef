/**
 * Writes the rows of one moment to a file while turns go on: a slice of rows, then a write off the main thread, then the next
 * slice. The file gets its final name once it is complete, on disk, and has been read back; a crash or a failure before that
 * leaves at most a `.tmp` file, which the next opening removes.
 */
import { NO_SEQUENCE, type Sequence } from '../../core/model/sequence.js'
import { ByteWriter } from '../../values/bytes/byte-writer.js'
import type { SnapshotSource } from '../contract.js'
import { FrameNotes } from '../format/answers.js'
import { checksum } from '../format/checksum.js'
import { encodeSet } from '../format/encode-event.js'
import { encodeFileHeader } from '../format/file-header.js'
import { FILE_HEADER_BYTES, type FileKind, type FrameKind } from '../format/format.js'
import { beginFrame, finishFrame } from '../format/frame.js'
import { encodeNotes } from '../format/notes.js'
import { replaceFile } from '../storage/replace-file.js'
import { type Storage, writeAllLater } from '../storage/storage.js'
import { readSnapshot } from './read-snapshot.js'

/** A slice of rows is encoded without a pause, so this limits how long the main thread is blocked: about a millisecond. */
const SLICE_BYTES = 64 * 1024
const SLICE_ROWS = 1_000

export interface SnapshotRequest {
  storage: Storage
  /** The final name. */
  path: string
  /** The name until then, in the same directory. */
  temporary: string
  kind: Exclude<FileKind, 'segment'>
  journalId: Buffer
  sequence: Sequence
  previousChecksum: number
  createdAtMs: number
  source: SnapshotSource
  progress?: (done: number, total: number) => void
  signal?: AbortSignal
}

export interface WrittenSnapshot {
  bytes: number
  entries: number
  /** Of the last frame; it chains all the others. */
  checksum: number
}

export async function writeSnapshot(request: SnapshotRequest): Promise<WrittenSnapshot> {
  const { storage, path, temporary } = request
  return replaceFile(storage, path, temporary, async (file) => {
    const write = (bytes: Uint8Array, offset: number) => writeAllLater(file, bytes, offset)
    const written = await writeRows(write, request)
    await file.sync()
    await verify(request, written)
    request.signal?.throwIfAborted()
    return written
  })
}

/** What a snapshot has in it, wherever it is written to. */
export interface RowsRequest extends Omit<SnapshotRequest, 'storage' | 'path' | 'temporary'> {}

/** Writes header, rows and notes: `write` gets one part of the file after the other, and may use its bytes until it resolves. */
export async function writeRows(
  write: (bytes: Uint8Array, offset: number) => Promise<void>,
  request: RowsRequest,
): Promise<WrittenSnapshot> {
  const { source, kind, signal, progress } = request
  const writer = new ByteWriter(SLICE_BYTES * 2)
  const header = encodeFileHeader(request)
  const seed = checksum(request.journalId)
  await write(header, 0)
  let offset = header.length
  let last = header.readUInt32LE(FILE_HEADER_BYTES - 4)
  let rows = 0

  const writeFrame = async (frameKind: FrameKind, count: number, flags = 0) => {
    last = finishFrame(
      writer,
      0,
      {
        kind: frameKind,
        flags,
        firstSequence: (rows + 1) as Sequence, // in a file of rows: the number of the row
        count,
        previousChecksum: last,
        durableSequence: NO_SEQUENCE,
        writtenAtMs: request.createdAtMs,
      },
      source.counters,
      seed,
    )
    await write(writer.bytes.subarray(0, writer.length), offset)
    offset += writer.length
    rows += count
    writer.clear()
  }

  for (let isDone = false; !isDone; ) {
    signal?.throwIfAborted()
    beginFrame(writer)
    let count = 0
    while (count < SLICE_ROWS && writer.length < SLICE_BYTES) {
      const row = source.read()
      if (row === undefined) {
        isDone = true
        break
      }
      encodeSet(writer, row.key, row.value, row.expiresAtMs, row.extension)
      count++
    }
    if (count > 0) await writeFrame('rows', count)
    progress?.(rows, source.count)
  }
  writer.length = 0
  const notes = new FrameNotes()
  for (const note of (kind === 'snapshot' && source.notes) || []) {
    notes.prepare(note)
    notes.add(note)
    if (notes.length < SLICE_BYTES) continue
    signal?.throwIfAborted()
    beginFrame(writer)
    const flags = encodeNotes(writer, {}, notes)
    notes.clear()
    await writeFrame('rows', 0, flags)
  }
  beginFrame(writer)
  await writeFrame('end', 0, kind === 'snapshot' ? encodeNotes(writer, { limits: source.limits }, notes) : 0)
  return { bytes: offset, entries: rows, checksum: last }
}

/** Reads the file back: a snapshot replaces the journal before it, so it must be readable. */
async function verify(request: SnapshotRequest, written: WrittenSnapshot): Promise<void> {
  const { storage, temporary, kind, sequence, signal } = request
  const found = await readSnapshot(storage, { path: temporary, kind, sequence }, () => signal?.throwIfAborted())
  if (found.checksum !== written.checksum || found.entries !== written.entries) {
    throw new Error(`${temporary} reads back differently from what was written: the disk may be failing`)
  }
}
