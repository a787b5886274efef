/**
 * Rewrites the end of the journal in place, with the same bytes: everything that no frame says is durable. Last step of
 * recovery. Before: `set-aside`. After: `journal/segments`, which opens the last segment for writing.
 *
 * What was read may only be in the page cache. After a failed fsync Linux keeps such pages but marks them clean, so a later
 * fsync would write nothing and succeed (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020).
 * Writing them makes them dirty again.
 */
import { FILE_HEADER_BYTES } from '../format/format.js'
import type { JournalFile } from '../format/journal-files.js'
import type { ChainEnd } from '../history/read-segments.js'
import { readAll, type Storage, writeAll } from '../storage/storage.js'

const COPY_BYTES = 4 * 1024 * 1024

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
        if (read === 0) throw new Error(`${segment.path} shrank while its end was rewritten`)
        writeAll(file, buffer.subarray(0, read), at)
        at += read
      }
      if (!isLast) await file.sync() // the journal itself syncs only the last one
    } finally {
      file.close()
    }
  }
}
