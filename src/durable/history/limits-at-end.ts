/** The limits in the last frame of a snapshot. For a damaged one, whose rows end before it. */
import type { Limits } from '../../core/model/limits.js'
import { ByteReader, MalformedBytesError } from '../../values/bytes/byte-reader.js'
import { checksum } from '../format/checksum.js'
import { FILE_HEADER_BYTES } from '../format/format.js'
import type { Frame } from '../format/frame.js'
import { FrameScanner } from '../format/frame-scanner.js'
import { decodeNotes } from '../format/notes.js'
import type { Storage } from '../storage/storage.js'
import { soundFramesAfter } from './sound-frames.js'

/** Of an `end` frame. */
export function limitsOf(frame: Frame, bytes: Buffer): Limits | undefined {
  return decodeNotes(new ByteReader(bytes, frame.payloadStart, frame.payloadEnd), frame.flags).limits
}

/** Undefined if that frame is not sound. */
export async function limitsAtEnd(storage: Storage, path: string, journalId: Buffer): Promise<Limits | undefined> {
  const file = storage.open(path, 'read')
  try {
    const scanner = new FrameScanner(file, checksum(journalId))
    for await (const { frame, bytes } of soundFramesAfter(scanner, FILE_HEADER_BYTES - 1))
      if (frame.kind === 'end') return limitsOf(frame, bytes)
    return undefined
  } catch (error) {
    if (error instanceof MalformedBytesError) return undefined // too many forged headers
    throw error
  } finally {
    file.close()
  }
}
