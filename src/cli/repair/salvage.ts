/** Reads what is sound in a damaged snapshot: the rows of its sound frames. */
import { Counters } from '../../core/model/counters.js'
import type { Extension } from '../../core/model/extension.js'
import type { Limits } from '../../core/model/limits.js'
import type { StoredValue } from '../../core/model/stored-value.js'
import { checksum } from '../../durable/format/checksum.js'
import { FILE_HEADER_BYTES } from '../../durable/format/format.js'
import type { Frame } from '../../durable/format/frame.js'
import { FrameScanner } from '../../durable/format/frame-scanner.js'
import type { JournalFile } from '../../durable/format/journal-files.js'
import { limitsOf } from '../../durable/history/limits-at-end.js'
import { soundFramesAfter } from '../../durable/history/sound-frames.js'
import { takeRows } from '../../durable/snapshot/read-snapshot.js'
import { disk } from '../../durable/storage/disk.js'
import { MalformedBytesError } from '../../values/bytes/byte-reader.js'

export interface SalvagedRow {
  key: string
  value: StoredValue
  expiresAtMs: number
  extension?: Extension | undefined
}

export interface Salvaged {
  rows: SalvagedRow[]
  counters: Counters
  /** As the last frame says, if it is sound. */
  limits: Limits | undefined
  /** How many rows there were; at least that many, unless the last frame is sound. */
  total: number
  isTotalKnown: boolean
}

export async function salvageRows(file: JournalFile, journalId: Buffer): Promise<Salvaged> {
  const found: Salvaged = { rows: [], counters: new Counters(), limits: undefined, total: 0, isTotalKnown: false }
  const opened = disk.open(file.path, 'read')
  try {
    const scanner = new FrameScanner(opened, checksum(journalId))
    for await (const { frame, bytes } of soundFramesAfter(scanner, FILE_HEADER_BYTES - 1)) {
      if (frame.kind === 'rows') found.rows.push(...rowsOf(frame, bytes))
      else if (frame.kind === 'end') {
        found.isTotalKnown = true
        found.limits = limitsOf(frame, bytes)
      } else continue
      found.counters.copyFrom(frame.counters) // the same in all of them
      found.total = frame.firstSequence - 1 + frame.count
    }
  } finally {
    opened.close()
  }
  found.rows = [...new Map(found.rows.map((row) => [row.key, row])).values()] // a frame may be there twice
  return found
}

function rowsOf(frame: Frame, bytes: Buffer): SalvagedRow[] {
  try {
    const rows: SalvagedRow[] = []
    takeRows(
      frame,
      bytes,
      (key, value, expiresAtMs, extension) => void rows.push({ key, value, expiresAtMs, extension }),
    )
    return rows
  } catch (error) {
    if (error instanceof MalformedBytesError) return []
    throw error
  }
}
