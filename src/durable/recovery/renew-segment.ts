/**
 * Makes a segment of an older version, which has no events, one of the present version: the same frames behind a new header.
 * A step of recovery. Before: `rewrite-unproven`. After: `journal/segments`.
 *
 * An older segment with events is sealed, and the journal continues in a new one. But a new segment would have the same name as
 * one without events, so that one is replaced: written under another name, forced to disk, renamed.
 */
import { checksum } from '../format/checksum.js'
import { encodeFileHeader } from '../format/file-header.js'
import { FILE, FILE_HEADER_BYTES, FRAME, VERSION } from '../format/format.js'
import { readFrame } from '../format/frame.js'
import type { JournalFile } from '../format/journal-files.js'
import type { SegmentPosition } from '../history/read-segments.js'
import { removeIfThere, replaceFile } from '../storage/replace-file.js'
import { readAll, type Storage, writeAll } from '../storage/storage.js'

/** Returns the position in the new file. */
export async function renewSegment<T extends SegmentPosition & { file: JournalFile }>(
  storage: Storage,
  position: T,
  journalId: Buffer,
): Promise<T> {
  const { file, sequence, previousChecksum, offset } = position
  const seed = checksum(journalId)
  const bytes = Buffer.alloc(offset)
  const old = storage.open(file.path, 'read')
  try {
    await readAll(old, bytes, 0, offset, 0)
  } finally {
    old.close()
  }
  const createdAtMs = bytes.readDoubleLE(FILE.createdAtMs)
  const header = encodeFileHeader({ kind: 'segment', journalId, sequence, previousChecksum, createdAtMs })
  header.copy(bytes)
  let lastChecksum = header.readUInt32LE(FILE_HEADER_BYTES - 4)
  for (let at = FILE_HEADER_BYTES; at < offset; ) {
    const frame = readFrame(bytes, at, 0, offset, seed)
    if ('problem' in frame) throw new Error(`${file.path} changed while it was read`)
    bytes.writeUInt32LE(lastChecksum, at + FRAME.previousChecksum)
    lastChecksum = checksum(bytes.subarray(at + FRAME.payloadBytes, at + frame.length), seed)
    bytes.writeUInt32LE(lastChecksum, at + FRAME.checksum)
    at += frame.length
  }
  const temporary = `${file.path}.tmp`
  removeIfThere(storage, temporary)
  await replaceFile(storage, file.path, temporary, async (renewed) => {
    writeAll(renewed, bytes, 0)
    await renewed.sync()
  })
  return { ...position, version: VERSION, lastChecksum }
}
