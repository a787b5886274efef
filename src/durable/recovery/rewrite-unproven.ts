import { FILE_HEADER_BYTES } from '../format/format.js'
import type { JournalFile } from '../format/journal-files.js'
import type { ChainEnd } from '../history/read-segments.js'
import { readAll, type Storage, writeAll } from '../storage/storage.js'

const COPY_BYTES = 4 * 1024 * 1024

/**
 * Writes the end of the journal once more, byte for byte and in place: all that no frame says is on disk. It may have been
 * read from the page cache alone. After an fsync that failed, Linux keeps such pages and counts them as written, so that a later
 * fsync would write nothing and say that all is well (Rebello et al., USENIX ATC 2020). Written
 * again, they are dirty again.
 */
export async function rewriteUnproven(
  storage: Storage,
  segments: readonly JournalFile[],
  { unproven, position }: ChainEnd,
): Promise<void> {
  if (position === undefined) return
  const first = unproven === undefined ? 0 : segments.indexOf(unproven.file)
  for (const segment of segments.slice(first, segments.indexOf(position.file) + 1)) {
    const from = segment === unproven?.file ? unproven.offset : FILE_HEADER_BYTES
    const isLast = segment === position.file
    const file = storage.open(segment.path, 'write')
    try {
      const to = isLast ? position.offset : file.size()
      const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(to - from, COPY_BYTES)))
      for (let at = from; at < to; ) {
        const read = await readAll(file, buffer, 0, Math.min(buffer.length, to - at), at)
        if (read === 0) throw new Error(`${segment.path} became shorter while its end was written again`)
        writeAll(file, buffer.subarray(0, read), at)
        at += read
      }
      if (!isLast) await file.sync() // the journal syncs the last one only
    } finally {
      file.close()
    }
  }
}
