/** Files of frames that follow one another, with matching checksums, except for what is forged. */
import { Counters } from '../../../src/core/model/counters.js'
import type { CacheEvent } from '../../../src/core/model/event.js'
import type { Sequence } from '../../../src/core/model/sequence.js'
import { checksum } from '../../../src/durable/format/checksum.js'
import { encodeEvent } from '../../../src/durable/format/encode-event.js'
import { encodeFileHeader } from '../../../src/durable/format/file-header.js'
import { type FileKind, FRAME } from '../../../src/durable/format/format.js'
import { beginFrame, type FrameHeader, finishFrame } from '../../../src/durable/format/frame.js'
import { ByteWriter } from '../../../src/values/bytes/byte-writer.js'
import { JOURNAL_ID } from '../crash/stage.js'

export type Forged = Partial<Record<Exclude<keyof FrameHeader, 'count'>, unknown>> & {
  count?: number
  events?: readonly CacheEvent[]
  /** Bytes behind the events. */
  more?: Uint8Array
  /** Changes the finished frame; its checksum is computed anew. */
  patch?: (frame: Buffer) => void
}

export function forgedFile(kind: FileKind, number: number, frames: readonly Forged[]): Uint8Array {
  const sequence = number as Sequence
  const seed = checksum(JOURNAL_ID)
  const header = encodeFileHeader({ kind, journalId: JOURNAL_ID, sequence, previousChecksum: 0, createdAtMs: 0 })
  const parts: Uint8Array[] = [header]
  let previousChecksum = header.readUInt32LE(60)
  let firstSequence: number = kind === 'segment' ? sequence : 1
  for (const { events = [], more = new Uint8Array(0), patch = () => undefined, ...changes } of frames) {
    const writer = new ByteWriter(64)
    beginFrame(writer)
    for (const event of events) encodeEvent(writer, event)
    writer.reserve(more.length)
    writer.bytes.set(more, writer.length)
    writer.length += more.length
    const count = changes.count ?? events.length
    const kindOfFrame = kind === 'segment' ? 'events' : 'rows'
    const known = { firstSequence, previousChecksum, durableSequence: 0, writtenAtMs: 0 }
    const header = { kind: kindOfFrame, flags: 0, count, ...known, ...changes } as FrameHeader
    finishFrame(writer, 0, header, new Counters(), seed)
    const frame = writer.bytes.subarray(0, writer.length)
    patch(frame)
    previousChecksum = checksum(frame.subarray(FRAME.payloadBytes), seed)
    frame.writeUInt32LE(previousChecksum, FRAME.checksum)
    firstSequence += count
    parts.push(frame)
  }
  return Buffer.concat(parts)
}
