/**
 * Sees every record at the moment at which it is in the log, before anything can be trimmed, and decodes it. Frames that do not belong to the
 * term of their time count for nothing, and end it: a deposed leader may have appended them behind the record of another's term, in the
 * place of one of that leader's.
 */
import { decodeEvent } from '../../../src/durable/format/decode-event.js'
import { FILE_HEADER_BYTES } from '../../../src/durable/format/format.js'
import { readFrame } from '../../../src/durable/format/frame.js'
import { decodeNotes } from '../../../src/durable/format/notes.js'
import { takeRows } from '../../../src/durable/snapshot/read-snapshot.js'
import { identityOf } from '../../../src/edges/cluster/journal/records.js'
import { ROWS_PREFIX_BYTES } from '../../../src/edges/cluster/journal/rows-object.js'
import { unsealed } from '../../../src/edges/cluster/journal/sealed-record.js'
import type { LogRecord } from '../../../src/edges/cluster/log.js'
import type { MemoryLogEngine } from '../../../src/edges/cluster/memory/engine.js'
import { ByteReader } from '../../../src/values/bytes/byte-reader.js'
import type { LoggedEntry, LoggedEvent, Written } from './checkers/history.js'

export class LogObserver {
  readonly log: Written[] = []
  readonly problems: string[] = []
  /** Of the present term; undefined between two. */
  leader: string | undefined
  /** Of the last event. */
  sequence = 0
  /** The present term. */
  epoch = 0
  /** Of the last frame that counts, or of the term. */
  #timeMs = 0
  readonly #seed: number
  readonly #objects: ReadonlyMap<string, { readonly bytes: Uint8Array }>

  constructor(engine: MemoryLogEngine, name: string) {
    const { records } = engine.control.shared(name)
    this.#seed = identityOf(name).seed
    this.#objects = records.objects
    records.watch(() => this.#take(unsealed(records.at(records.last) as LogRecord, records.last), records.last))
  }

  /** The last position. */
  get last(): number {
    return this.log.at(-1)?.position ?? 0
  }

  #take(record: LogRecord, position: number): void {
    const { kind, epoch, node } = record
    const isOfTerm = epoch === this.epoch && node === this.leader
    const isVoid = kind !== 'begin' && kind !== 'term' && !isOfTerm
    if (kind === 'term') {
      this.epoch = epoch
      this.leader = node
      this.#timeMs = (JSON.parse(Buffer.from(record.body).toString()) as { timeMs: number }).timeMs
    } else if (kind === 'resign' || isVoid) this.leader = undefined
    const content = kind === 'frame' && !isVoid ? this.#decode(this.#bodyOf(record)) : NOTHING
    const firstSequence = content.firstSequence ?? this.sequence + 1
    this.log.push({ position, kind, epoch, node, isVoid, ...content, timeMs: this.#timeMs, firstSequence })
    this.sequence = firstSequence + content.events.length - 1
  }

  #bodyOf({ body }: LogRecord): Uint8Array {
    if (body[0] !== '{'.charCodeAt(0)) return body
    const { object } = JSON.parse(Buffer.from(body).toString()) as { object: string }
    return this.#object(object)
  }

  #object(name: string): Buffer {
    const stored = this.#objects.get(name)
    if (stored === undefined) this.problems.push(`a record names ${name}, which is not there`)
    return Buffer.from(stored?.bytes ?? [])
  }

  /** The rows of a `loaded` event. */
  #rowsIn(name: string): (readonly [string, LoggedEntry])[] {
    const bytes = this.#object(name)
    const rows: (readonly [string, LoggedEntry])[] = []
    if (bytes.length === 0) return rows
    for (let offset = ROWS_PREFIX_BYTES + bytes.readUInt32LE(0) + FILE_HEADER_BYTES; offset < bytes.length; ) {
      const frame = readFrame(bytes, offset, 0, bytes.length, this.#seed)
      if ('problem' in frame) throw new Error(`Rows cannot be read: ${frame.reason}`)
      if (frame.kind === 'rows')
        takeRows(frame, bytes, (key, value, expiresAtMs, extension) => {
          rows.push([key, { value, expiresAtMs, extension }])
        })
      offset += frame.length
    }
    return rows
  }

  #decode(body: Uint8Array): Content {
    const bytes = Buffer.from(body)
    const content: {
      firstSequence: number | undefined
      events: LoggedEvent[]
      notes: Written['notes'][0][]
    } = { firstSequence: undefined, events: [], notes: [] } // a leader may only say that it is there
    for (let offset = 0; offset < bytes.length; ) {
      const frame = readFrame(bytes, offset, 0, bytes.length, this.#seed)
      if ('problem' in frame) throw new Error(`A frame cannot be read: ${frame.reason}`)
      const reader = new ByteReader(bytes, frame.payloadStart, frame.payloadEnd)
      for (let left = frame.count; left > 0; left--) {
        const event = decodeEvent(reader)
        content.events.push(event.type === 'loaded' ? { ...event, rows: this.#rowsIn(event.file) } : event)
      }
      content.notes.push(...decodeNotes(reader, frame.flags).clients)
      content.firstSequence ??= frame.firstSequence
      this.#timeMs = frame.writtenAtMs
      offset += frame.length
    }
    return content
  }
}

type Content = Pick<Written, 'events' | 'notes'> & { readonly firstSequence: number | undefined }

const NOTHING: Content = { firstSequence: undefined, events: [], notes: [] }
