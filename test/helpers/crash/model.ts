/**
 * What the state should be, by an independent model: a Map and the events, without `evolve/`. `Ledger` reads the frames
 * that a history wrote, and knows for every place in its log which states a recovery may return, and through which sequence
 * it must.
 */
import { posix } from 'node:path'
import { Counters } from '../../../src/core/model/counters.js'
import type { CacheEvent, RescheduledEvent, SetEvent } from '../../../src/core/model/event.js'
import type { Extension } from '../../../src/core/model/extension.js'
import { EncodedValue, type StoredValue } from '../../../src/core/model/stored-value.js'
import type { JournalReceiver, ReceivedRows } from '../../../src/durable/contract.js'
import { checksum } from '../../../src/durable/format/checksum.js'
import { decodeEvent } from '../../../src/durable/format/decode-event.js'
import { FILE_HEADER_BYTES } from '../../../src/durable/format/format.js'
import { readFrame } from '../../../src/durable/format/frame.js'
import { ByteReader } from '../../../src/values/bytes/byte-reader.js'
import { restoreValue } from '../../../src/values/encode.js'
import type { Inode, Operation, SimulatedDisk } from '../durable/simulated-disk.js'
import type { DiskHistory } from './crash-states.js'

export class Model implements JournalReceiver {
  entries = new Map<string, string>()
  /** The counters of the last frame; empty before the first. */
  tally = ''
  keys: string | undefined

  row(key: string, ...stored: Parameters<typeof describeEntry>): boolean {
    const isNew = !this.entries.has(key)
    this.set(key, ...stored)
    return isNew
  }

  readonly set = (key: string, ...stored: Parameters<typeof describeEntry>): void => {
    this.entries.set(key, describeEntry(...stored))
  }

  event(event: Exclude<CacheEvent, SetEvent>, rows?: ReceivedRows): void {
    switch (event.type) {
      case 'deleted':
      case 'expired':
      case 'evicted':
        this.entries.delete(event.key)
        break
      case 'rescheduled': {
        const entry = this.entries.get(event.key)
        if (entry !== undefined)
          this.entries.set(event.key, entry.slice(0, entry.lastIndexOf('@')) + describeTimes(event))
        break
      }
      case 'cleared':
        this.entries.clear()
        break
      case 'loaded':
        this.entries = new Map((rows as Rows).entries)
        break
    }
  }

  reset(): void {
    this.entries.clear()
    this.tally = ''
    this.keys = undefined
  }

  loadedRows(): ReceivedRows {
    return new Rows()
  }

  counters(counters: Readonly<Counters>): void {
    this.tally = tally(counters)
  }

  limits(): void {}
  noted(): void {}

  order(): void {}

  recency(keys: Iterable<string>): void {
    this.keys = [...keys].join()
  }

  progress(): void {}

  /** Entries, whatever their order. */
  digest(): string {
    return [...this.entries]
      .map(([key, value]) => `${key}=${value}`)
      .sort()
      .join('|')
  }
}

class Rows implements ReceivedRows {
  readonly entries = new Map<string, string>()
  readonly counters = new Counters()
  add(key: string, ...stored: Parameters<typeof describeEntry>): boolean {
    const isNew = !this.entries.has(key)
    this.entries.set(key, describeEntry(...stored))
    return isNew
  }
}

function describeEntry(value: StoredValue, expiresAtMs: number, extension?: Extension): string {
  const { freshUntilMs = Number.POSITIVE_INFINITY, tags = [] } = extension ?? {}
  return `${describe(value)}#${tags}${describeTimes({ expiresAtMs, freshUntilMs })}`
}

function describeTimes({ expiresAtMs, freshUntilMs = Number.POSITIVE_INFINITY }: Times): string {
  return `@${freshUntilMs}/${expiresAtMs}`
}

type Times = Pick<RescheduledEvent, 'expiresAtMs' | 'freshUntilMs'>

function describe(value: StoredValue): string {
  if (value instanceof EncodedValue) return `${value.encoding}:${checksum(value.bytes)}`
  if (typeof value === 'object' && value !== null) return `plain:${JSON.stringify(restoreValue(value, 'copy'))}`
  return typeof value === 'string' && value.length > 40
    ? `text:${value.length}:${checksum(Buffer.from(value))}`
    : `${typeof value}:${value}`
}

function tally(counters: Readonly<Counters>): string {
  const { hits, misses, evictions, expirations, sets, deletes } = counters
  return [hits, misses, evictions, expirations, sets, deletes].join()
}

export interface Expected {
  digest: string
  counters: Set<string>
}

/** What a recovery at one place of a history may find. */
export class Ledger {
  /** By sequence, at the ends of whole frames. */
  readonly states = new Map<number, Expected>()
  /** The sequence that every recovery must reach. */
  required = 0
  /** The past must reach back to this sequence. */
  promised = Number.POSITIVE_INFINITY
  readonly #disk: SimulatedDisk
  readonly #model = new Model()
  readonly #segments = new Map<Inode, { at: number; frames: { index: number; sequence: number }[] }>()
  /** Counters of frames that may or may not be whole, with the sequence where they end. */
  readonly #possible = new Set<string>()
  #sequence = 0

  constructor(disk: SimulatedDisk, base?: { sequence: number; model: Model }) {
    this.#disk = disk
    if (base !== undefined) {
      this.#model.entries = new Map(base.model.entries)
      this.#model.tally = base.model.tally
      this.#sequence = base.sequence
      this.required = base.sequence
    }
    this.#remember(this.#model.tally === '' ? tally(new Counters()) : this.#model.tally)
    for (const { inode, bytes } of disk.base.values()) this.#segments.set(inode, { at: soundEnd(bytes), frames: [] })
  }

  get digest(): string {
    return this.#model.digest()
  }

  get sequence(): number {
    return this.#sequence
  }

  #remember(counters: string): void {
    const known = this.states.get(this.#sequence)
    const digest = this.#model.digest()
    if (known?.digest === digest) known.counters.add(counters)
    else this.states.set(this.#sequence, { digest, counters: new Set([counters]) })
  }

  /** To be called after each step of `history`. */
  take(operation: Operation, history: DiskHistory): void {
    switch (operation.type) {
      case 'note': {
        const { note } = operation
        if (typeof note === 'object' && note !== null && 'acknowledged' in note)
          this.required = Math.max(this.required, note.acknowledged as number)
        if (typeof note === 'object' && note !== null && 'promised' in note) this.promised = note.promised as number
        return
      }
      case 'write':
        if (operation.path.endsWith('.segment')) {
          this.#read(operation.inode, history)
          // A frame of which all but a zero at its end was written before the write failed can be whole after a power cut.
          this.#readCounters(operation.path, operation.bytes)
        } else if (operation.path.includes('.snapshot')) this.#readCounters(operation.path, operation.bytes)
        return
      case 'truncate': {
        const segment = this.#segments.get(operation.inode)
        if (segment !== undefined) segment.at = Math.min(segment.at, operation.length)
        return
      }
      case 'sync': {
        const segment = this.#segments.get(operation.inode)
        if (segment === undefined || this.#disk.abandoned.size > 0) return
        for (const frame of segment.frames)
          if (frame.index < operation.began) this.required = Math.max(this.required, frame.sequence)
        return
      }
      default:
        return
    }
  }

  #read(inode: Inode, history: DiskHistory): void {
    let segment = this.#segments.get(inode)
    if (segment === undefined) {
      segment = { at: FILE_HEADER_BYTES, frames: [] }
      this.#segments.set(inode, segment)
    }
    const content = history.fileOf(inode).cache
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.length)
    if (bytes.length <= FILE_HEADER_BYTES) return
    const seed = checksum(bytes.subarray(16, 32))
    while (segment.at < bytes.length) {
      const frame = readFrame(bytes, segment.at, 0, bytes.length, seed)
      if ('problem' in frame) return
      if (frame.kind === 'events') {
        const reader = new ByteReader(bytes, frame.payloadStart, frame.payloadEnd)
        for (let index = 0; index < frame.count; index++) this.#replay(decodeEvent(reader))
        this.#sequence += frame.count
      }
      this.#remember(tally(frame.counters))
      segment.at = frame.offset + frame.length
      segment.frames.push({ index: history.at - 1, sequence: this.#sequence })
    }
  }

  #replay(event: CacheEvent): void {
    if (event.type === 'set') {
      this.#model.set(event.key, event.value, event.expiresAtMs, event.extension)
      return
    }
    if (event.type !== 'loaded') {
      this.#model.event(event)
      return
    }
    const rows = new Rows()
    const renamed = this.#disk.log.findLast((past) => past.type === 'rename' && past.to.endsWith(event.file))
    if (renamed?.type === 'rename') readRows(Buffer.from(renamed.inode.content()), rows)
    this.#model.event(event, rows)
  }

  /** Whether a recovery through this sequence may have these counters: those of a frame that ends there. */
  allows(sequence: number, counters: string): boolean {
    return this.states.get(sequence)?.counters.has(counters) === true || this.#possible.has(`${sequence}:${counters}`)
  }

  /** The counters of a frame that may be whole: one of a snapshot, or one whose write failed. */
  #readCounters(path: string, bytes: Uint8Array): void {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    if (buffer.length < 96 || buffer.readUInt32LE(0) !== 0xdab0_0cf1) return
    const counters = [0, 1, 2, 3, 4, 5].map((place) => buffer.readUInt32LE(48 + place * 8)).join()
    const isOfSegment = path.endsWith('.segment')
    const last = buffer.readUInt32LE(16) + (buffer[12] === 1 ? buffer.readUInt32LE(24) : 0) - 1
    this.#possible.add(`${isOfSegment ? last : Number.parseInt(posix.basename(path), 10)}:${counters}`)
  }
}

function readRows(bytes: Buffer, rows: Rows): void {
  const seed = checksum(bytes.subarray(16, 32))
  for (let at = FILE_HEADER_BYTES; at < bytes.length; ) {
    const frame = readFrame(bytes, at, 0, bytes.length, seed)
    if ('problem' in frame) return
    const reader = new ByteReader(bytes, frame.payloadStart, frame.payloadEnd)
    for (let row = 0; row < frame.count; row++) {
      const event = decodeEvent(reader)
      if (event.type === 'set') rows.add(event.key, event.value, event.expiresAtMs, event.extension)
    }
    at += frame.length
  }
}

function soundEnd(content: Uint8Array): number {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length)
  let at = FILE_HEADER_BYTES
  if (bytes.length <= at) return at
  const seed = checksum(bytes.subarray(16, 32))
  while (at < bytes.length) {
    const frame = readFrame(bytes, at, 0, bytes.length, seed)
    if ('problem' in frame) return at
    at += frame.length
  }
  return at
}
