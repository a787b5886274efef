/**
 * Notes: what a frame says beside its items. They follow the items, if a flag of the frame says so, and have no sequence. Each is
 * its kind, the number of its bytes, and the bytes.
 */
import type { Limits } from '../../core/model/limits.js'
import type { Note } from '../../core/model/note.js'
import { type ByteReader, MalformedBytesError } from '../../values/bytes/byte-reader.js'
import type { ByteWriter } from '../../values/bytes/byte-writer.js'
import { type FrameNotes, NotesReader } from './answers.js'
import { FRAME_HAS_NOTES, NOTE } from './format.js'
import { NewerFormatError } from './newer-format.js'

export interface Notes {
  /** The limits of the cache as of this frame. */
  limits?: Limits | undefined
  /** In a seal: the order of use, as `use-order.ts` writes it. When it was read, a view of the frame. */
  order?: Uint8Array | undefined
}

/** What was read. */
export interface ReadNotes extends Notes {
  /** Of clients, in order. */
  clients: readonly Note[]
}

export const LIMITS_NOTE_BYTES = 18

const NO_NOTES: ReadNotes = { clients: [] }

/** Writes the notes, and returns the flag for the frame's header. */
export function encodeNotes(writer: ByteWriter, { limits, order }: Notes, clients?: FrameNotes): number {
  if (limits !== undefined) {
    writer.reserve(LIMITS_NOTE_BYTES)
    writer.putByte(NOTE.limits)
    writer.putVarint(16)
    putLimits(writer, limits)
  }
  if (order !== undefined) {
    writer.reserve(1)
    writer.putByte(NOTE.order)
    writer.putBytes(order)
  }
  const { length } = clients ?? { length: 0 }
  if (clients !== undefined && length > 0) writer.putHeld(clients.bytes)
  return limits === undefined && order === undefined && length === 0 ? 0 : FRAME_HAS_NOTES
}

/** What is left of a frame's payload after its items. @throws MalformedBytesError if there should be nothing. */
export function decodeNotes(reader: ByteReader, flags: number): ReadNotes {
  if ((flags & FRAME_HAS_NOTES) === 0) {
    reader.expectEnd()
    return NO_NOTES
  }
  const clients = new NotesReader()
  const notes: ReadNotes = { clients: clients.notes }
  while (reader.at < reader.end) {
    const kind = reader.byte()
    if (kind === NOTE.order) notes.order = reader.view()
    else if (kind === NOTE.limits) {
      const length = reader.varint()
      if (length !== 16) throw new MalformedBytesError(`limits of ${length} bytes`)
      notes.limits = takeLimits(reader)
    } else if (!clients.read(kind, reader)) throw new NewerFormatError(`a note of kind ${kind}`)
  }
  return notes
}

export function putLimits(writer: ByteWriter, { maxSize, maxBytes }: Limits): void {
  writer.putDouble(maxSize)
  writer.putDouble(maxBytes)
}

/** @throws MalformedBytesError for limits that no cache has. */
export function takeLimits(reader: ByteReader): Limits {
  const maxSize = reader.double()
  const maxBytes = reader.double()
  for (const limit of [maxSize, maxBytes]) {
    if (!(limit >= 1 && (Number.isSafeInteger(limit) || limit === Number.POSITIVE_INFINITY)))
      throw new MalformedBytesError(`a limit is ${limit}`)
  }
  return { maxSize, maxBytes }
}
