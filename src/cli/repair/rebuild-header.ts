/**
 * Rebuilds the damaged header of a segment whose frames are sound. Everything in a header except its time and its version is known
 * from elsewhere, and the first frame names the header's checksum: so a rebuilt header is used only if that proves it right.
 */
import { checksum } from '../../durable/format/checksum.js'
import { encodeFileHeader } from '../../durable/format/file-header.js'
import { FILE, FILE_HEADER_BYTES, VERSION } from '../../durable/format/format.js'
import { FrameScanner } from '../../durable/format/frame-scanner.js'
import type { JournalFile } from '../../durable/format/journal-files.js'
import { disk } from '../../durable/storage/disk.js'
import { readAll } from '../../durable/storage/storage.js'

export async function rebuildHeader(
  file: JournalFile,
  journalId: Buffer,
  previousChecksum: number,
): Promise<Buffer | undefined> {
  const opened = disk.open(file.path, 'read')
  try {
    const scanned = await new FrameScanner(opened, checksum(journalId)).next()
    if (scanned?.frame === undefined || scanned.frame.firstSequence !== file.sequence) return undefined
    const bytes = Buffer.alloc(FILE_HEADER_BYTES)
    await readAll(opened, bytes, 0, FILE_HEADER_BYTES, 0)
    for (const createdAt of candidates(bytes.subarray(FILE.createdAtMs, FILE.createdAtMs + 8))) {
      const createdAtMs = createdAt.readDoubleLE(0)
      for (let version = VERSION; version > 0; version--) {
        const { sequence } = file
        const header = encodeFileHeader({
          version,
          kind: 'segment',
          journalId,
          sequence,
          previousChecksum,
          createdAtMs,
        })
        if (header.readUInt32LE(FILE.checksum) === scanned.frame.previousChecksum) return header
      }
    }
    return undefined
  } finally {
    opened.close()
  }
}

/** The bytes as they are, and with each single bit flipped. */
function* candidates(bytes: Buffer): Generator<Buffer> {
  yield bytes
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const turned = Buffer.from(bytes)
    turned[bit >> 3] = (turned[bit >> 3] as number) ^ (1 << (bit & 7))
    yield turned
  }
}
