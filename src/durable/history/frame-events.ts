/** The events of one frame, as objects. Recovery does not use this: see `replay`. */
import type { CacheEvent } from '../../core/model/event.js'
import { CorruptionError } from '../../errors.js'
import { ByteReader, MalformedBytesError } from '../../values/bytes/byte-reader.js'
import { decodeEvent } from '../format/decode-event.js'
import type { Frame } from '../format/frame.js'
import { NewerFormatError } from '../format/newer-format.js'
import { decodeNotes } from '../format/notes.js'

/** @throws CorruptionError for bytes that no daybook writes; NewerFormatError for what only a newer one writes. */
export function* eventsOf(frame: Frame, bytes: Buffer, path: string): Generator<CacheEvent> {
  if (frame.kind !== 'events') return
  const reader = new ByteReader(bytes, frame.payloadStart, frame.payloadEnd)
  try {
    for (let index = 0; index < frame.count; index++) yield decodeEvent(reader)
    decodeNotes(reader, frame.flags)
  } catch (error) {
    throw asDamage(error, frame, path)
  }
}

/** A MalformedBytesError as a CorruptionError that names the frame, which a NewerFormatError does too. Other errors pass unchanged. */
export function asDamage(error: unknown, { offset, firstSequence: sequence }: Frame, file: string): unknown {
  if (error instanceof NewerFormatError) return error.at(file, offset)
  if (!(error instanceof MalformedBytesError)) return error
  return new CorruptionError({ file, offset, sequence, reason: error.message }, { cause: error })
}
