/**
 * Where a log stands in its chain of frames, and the frames that come next. Before: replicated-journal, with the body of a record. After:
 * durable/format.
 */

import type { CacheEvent } from '../../../core/model/event.js'
import type { Sequence } from '../../../core/model/sequence.js'
import { sequenceAfter } from '../../../core/model/sequence.js'
import type { ForeignFrame } from '../../../durable/contract.js'
import { decodeEvent } from '../../../durable/format/decode-event.js'
import { type Frame, readFrame } from '../../../durable/format/frame.js'
import { whyNotNext } from '../../../durable/format/frame-order.js'
import { NewerFormatError } from '../../../durable/format/newer-format.js'
import { decodeNotes } from '../../../durable/format/notes.js'
import { ByteReader, MalformedBytesError } from '../../../values/bytes/byte-reader.js'
import type { Position } from '../log.js'
import { damagedRecord } from './damage.js'

/** Behind a frame. */
export interface ChainEnd {
  readonly nextSequence: Sequence
  readonly lastChecksum: number
}

/** The frames of one record, and where they end. */
export interface ReadFrames {
  readonly frames: readonly ForeignFrame[]
  readonly end: ChainEnd
}

/**
 * Reads the frames of a record, which must follow `from`.
 * @throws CorruptionError if they do not, or are damaged; NewerFormatError for what only a newer daybook writes.
 */
export function readFrames(bytes: Buffer, from: ChainEnd, seed: number, at: Position): ReadFrames {
  let { nextSequence, lastChecksum } = from
  const damaged = (offset: number, reason: string) => damagedRecord(at, reason, { offset, sequence: nextSequence })
  const frames: ForeignFrame[] = []
  for (let offset = 0; offset < bytes.length; ) {
    const frame = readFrame(bytes, offset, 0, bytes.length, seed)
    if ('problem' in frame) {
      if (frame.problem === 'newer') throw new NewerFormatError(frame.reason).at(`record ${at} of the log`, offset)
      throw damaged(offset, frame.reason)
    }
    const why =
      frame.kind === 'events'
        ? whyNotNext(frame, { nextSequence, lastChecksum, seal: undefined })
        : `a frame of kind "${frame.kind}"`
    // The record is sound, as its own checksum says.
    if (why !== undefined) throw damaged(offset, `${why}. Copies of the log differ`)
    try {
      frames.push(decodeFrame(frame, bytes))
    } catch (error) {
      if (error instanceof NewerFormatError) throw error.at(`record ${at} of the log`, offset)
      throw error instanceof MalformedBytesError ? damaged(offset, error.message) : error
    }
    nextSequence = sequenceAfter(nextSequence, frame.count)
    lastChecksum = frame.checksum
    offset += frame.length
  }
  return { frames, end: { nextSequence, lastChecksum } }
}

function decodeFrame(frame: Frame, bytes: Buffer): ForeignFrame {
  const reader = new ByteReader(bytes, frame.payloadStart, frame.payloadEnd)
  const events: CacheEvent[] = []
  for (let left = frame.count; left > 0; left--) events.push(decodeEvent(reader))
  const notes = decodeNotes(reader, frame.flags).clients
  return { events, notes, firstSequence: frame.firstSequence, timeMs: frame.writtenAtMs }
}
