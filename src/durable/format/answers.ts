/**
 * Notes of clients: the answers to their numbered commands, and which clients are gone. The answers of a frame follow the note of
 * their client, so that many of them take few bytes. Before: `pending-frames` and `write-snapshot`. After: `notes`.
 */
import { type Answer, type AnsweredNote, DONE, type Note } from '../../core/model/note.js'
import { type ByteReader, MalformedBytesError } from '../../values/bytes/byte-reader.js'
import { ByteWriter } from '../../values/bytes/byte-writer.js'
import { takePrimitive } from '../../values/plain/decode.js'
import { putPrimitive } from '../../values/plain/encode.js'
import { TAG } from '../../values/plain/tags.js'
import { ANSWER, NOTE } from './format.js'
import { NewerFormatError } from './newer-format.js'
import { readU64, writeU64 } from './u64.js'

const CLIENT_BYTES = 8
const CLIENT_NOTE_BYTES = 2 + CLIENT_BYTES + 8
/** The largest note, with that of its client: an answer of 64 KiB in UTF-8 or UTF-16, and what surrounds it. */
export const NOTE_BYTES_MAX = 256 * 1024

/** The notes of one frame. */
export class FrameNotes {
  readonly #writer = new ByteWriter(4 * 1024)
  /** Of the note that was prepared last. */
  readonly #content = new ByteWriter(256)
  #client = ''
  #received = 0

  /** Bytes of the notes that the frame has so far. */
  get length(): number {
    return this.#writer.length
  }

  get bytes(): Uint8Array {
    return this.#writer.bytes.subarray(0, this.#writer.length)
  }

  /** Encodes a note and reserves its room, so that {@link add} cannot fail. */
  prepare(note: Note): void {
    const content = this.#content
    content.clear()
    if (note.type === 'answered') putAnswer(content, note)
    if (content.length > NOTE_BYTES_MAX - CLIENT_NOTE_BYTES - 6)
      throw new RangeError('An answer is too large to be kept.')
    this.#writer.reserve(CLIENT_NOTE_BYTES + 6 + content.length)
  }

  /** Adds the note that was prepared last. */
  add(note: Note): void {
    const writer = this.#writer
    if (note.type === 'forgotten') {
      writer.putByte(NOTE.forgotten)
      writer.putByte(CLIENT_BYTES)
      this.#putClient(note.client)
      return
    }
    if (note.client !== this.#client || note.received !== this.#received) {
      writer.putByte(NOTE.client)
      writer.putByte(CLIENT_BYTES + 8)
      this.#putClient(note.client)
      writeU64(writer.bytes, writer.length, note.received)
      writer.length += 8
      this.#client = note.client
      this.#received = note.received
    }
    writer.putByte(NOTE.answer)
    writer.putVarint(this.#content.length)
    writer.putWritten(this.#content)
  }

  #putClient(client: string): void {
    const { bytes, length } = this.#writer
    bytes.write(client, length, CLIENT_BYTES, 'hex')
    this.#writer.length += CLIENT_BYTES
  }

  clear(): void {
    this.#writer.length = 0
    this.#client = ''
  }
}

/** The number, as the distance to the last one received, and the answer. */
function putAnswer(content: ByteWriter, { number, received, answer }: AnsweredNote): void {
  content.reserve(6)
  content.putVarint(number - received)
  if (answer === DONE) content.putByte(ANSWER.done)
  else if (answer instanceof Uint8Array) {
    content.putByte(ANSWER.bytes)
    content.putHeld(answer)
  } else putPrimitive(content, answer)
}

/** Reads the notes of clients in one frame, in order. */
export class NotesReader {
  readonly notes: Note[] = []
  #client: { client: string; received: number } | undefined

  /** Whether a note of this kind is one of a client's. Then its content has been read. */
  read(kind: number, reader: ByteReader): boolean {
    if (kind === NOTE.client) this.#client = clientIn(reader)
    else if (kind === NOTE.answer) this.notes.push(this.#answer(reader))
    else if (kind === NOTE.forgotten) this.notes.push({ type: 'forgotten', client: idIn(reader.view(), CLIENT_BYTES) })
    else return false
    return true
  }

  #answer(reader: ByteReader): AnsweredNote {
    const end = reader.varint() + reader.at
    if (this.#client === undefined) throw new MalformedBytesError('an answer belongs to no client')
    const { client, received } = this.#client
    const number = received + reader.varint()
    const answer = answerIn(reader, end)
    if (reader.at !== end) throw new MalformedBytesError('an answer is not as long as its note')
    return { type: 'answered', client, number, received, answer }
  }
}

function clientIn(reader: ByteReader): { client: string; received: number } {
  const bytes = reader.view()
  const client = idIn(bytes, CLIENT_BYTES + 8)
  const received = readU64(bytes, CLIENT_BYTES)
  if (Number.isNaN(received)) throw new MalformedBytesError('the number of a command is above 2^53 - 1')
  return { client, received }
}

function idIn(bytes: Buffer, length: number): string {
  if (bytes.length !== length) throw new MalformedBytesError(`a note of a client has ${bytes.length} bytes`)
  return bytes.toString('hex', 0, CLIENT_BYTES)
}

function answerIn(reader: ByteReader, end: number): Answer {
  const tag = reader.byte()
  if (tag === ANSWER.done) return DONE
  if (tag === ANSWER.bytes) return new Uint8Array(reader.rest(end))
  if (tag > ANSWER.done) throw new NewerFormatError(`an answer of kind ${tag}`)
  return tag === TAG.undefined ? undefined : takePrimitive(reader, tag)
}
