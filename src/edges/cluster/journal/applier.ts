/**
 * What a node has applied of the log, record by record, and therefore knows: the position, the term and who leads it, the chain of frames.
 * Every node that has applied the same position knows the same. Before: log-reader, or term-writer for what this node appends itself. After:
 * the receiver while the cache opens, then its Replica.
 */
import type { LoadedEvent } from '../../../core/model/event.js'
import type { Note } from '../../../core/model/note.js'
import { FIRST_SEQUENCE, type Sequence } from '../../../core/model/sequence.js'
import type { ForeignFrame, JournalReceiver, ReceivedRows, Replica } from '../../../durable/contract.js'
import { takeRows } from '../../../durable/snapshot/read-snapshot.js'
import type { LogRecord, Position } from '../log.js'
import type { ClusterClock } from './cluster-clock.js'
import { damagedObject, damagedRecord } from './damage.js'
import { type ChainEnd, readFrames } from './frame-chain.js'
import type { Objects } from './objects.js'
import { RowsObject } from './read-rows-object.js'
import { bufferOf, readRecordJson, readSettings, stagedIn } from './records.js'

export interface ApplierParts {
  readonly name: string
  readonly seed: number
  readonly objects: Objects
  readonly clock: ClusterClock
}

/** Where frames go: to the receiver while the cache opens, then to the replica. Without a receiver the rows of `loaded` events are not read. */
export type Target =
  | { readonly receiver: JournalReceiver; readonly replica: Replica | undefined }
  | { readonly receiver: undefined; readonly replica: Pick<Replica, 'follow'> }

/** What is known of frames that this node has appended. */
export interface CommittedFrames {
  /** The chain behind them; undefined if it is as before. */
  readonly end: ChainEnd | undefined
  readonly notes: readonly Note[]
  /** The objects that their `loaded` events name. */
  readonly loaded: readonly string[]
  readonly timeMs: number
}

/** The last record with frames. */
export interface AppliedFrames {
  readonly record: LogRecord
  readonly at: Position
  /** How often the log was asked for it and had another one. */
  differences: number
}

/** What a snapshot says of its place in the log. */
export interface AppliedHeader {
  readonly position: Position
  readonly epoch: number
  readonly leader: string | undefined
  readonly nextSequence: number
  readonly lastChecksum: number
  readonly timeMs: number
  /** When each client's last note was written. */
  readonly clients: Readonly<Record<string, number>>
  /** The records that named the last loaded objects. */
  readonly loaded: Readonly<Record<string, Position>>
}

/** Records between two marks, and marks that are kept. */
const MARK_RECORDS = 500
const MARKS_MAX = 1_000
const LOADED_MAX = 1_000

export class Applier {
  position: Position = 0
  epoch = 0
  /** The node whose term it is, by the log; undefined before the first term, and after a term that has ended. */
  leader: string | undefined
  /** The node whose term it is or was; undefined if this is not known. */
  #elected: string | undefined
  end: ChainEnd
  /** Undefined if this node appended them itself, or read a snapshot that has them. By the chain of checksums, they stand for all before them. */
  lastFrames: AppliedFrames | undefined
  /** Of the last frame, or of the beginning of the term. */
  timeMs = 0
  frames = 0
  events = 0
  /** Of records and of what they name, since the last snapshot that was read or pointed to. */
  bytes = 0
  /** When the last note of each client was written, in log time. */
  readonly clients = new Map<string, number>()
  /** The last objects that `loaded` events named, and the records of these. The oldest first. */
  readonly #loaded = new Map<string, Position>()
  /** Places from which the log can be read again. */
  readonly #marks: AppliedHeader[] = []
  readonly #parts: ApplierParts

  constructor(parts: ApplierParts) {
    this.#parts = parts
    this.end = { nextSequence: FIRST_SEQUENCE, lastChecksum: parts.seed }
    this.#mark()
  }

  /**
   * Whether a frame counts: it is of the present term. One of an earlier leader, which did not know yet that it was none, may have landed
   * in the place of one of this term. It does not count, and it ends the term: what its leader has sent behind the one that failed may
   * land behind this one, and must not count either.
   */
  isOfTerm({ epoch, node }: Pick<LogRecord, 'epoch' | 'node'>): boolean {
    return epoch === this.epoch && node === this.leader
  }

  /** Returns a promise only if an object has to be read. */
  take(record: LogRecord, at: Position, target: Target): void | Promise<void> {
    const pending = this.#apply(record, at, target)
    if (pending !== undefined) return pending.then(() => this.#applied(record, at))
    this.#applied(record, at)
  }

  #applied({ body }: LogRecord, at: Position): void {
    this.position = at
    this.bytes += body.length
    this.#mark()
  }

  #mark(): void {
    const last = this.#marks.at(-1)
    if (last !== undefined && this.position < last.position + MARK_RECORDS) return
    this.#marks.push({ ...this.header, clients: {}, loaded: {} })
    if (this.#marks.length > MARKS_MAX) this.#marks.shift()
  }

  /** The last place before the event after this one, from which the log can be read; undefined if this node does not know it any more. */
  before(sequence: number): AppliedHeader | undefined {
    return this.#marks.findLast(({ nextSequence }) => nextSequence <= sequence + 1)
  }

  #apply(record: LogRecord, at: Position, target: Target): void | Promise<void> {
    const { name, objects } = this.#parts
    switch (record.kind) {
      case 'begin':
        readSettings(readRecordJson(record.body, at), name)
        return
      case 'term': {
        if (record.epoch <= this.epoch)
          throw damagedRecord(at, `it begins term ${record.epoch} after term ${this.epoch}`)
        const term = readRecordJson(record.body, at)
        readSettings(term, name)
        this.lead(record.epoch, record.node, (term as { timeMs: number }).timeMs)
        return
      }
      case 'resign':
        this.#refuseForeign(record, at)
        this.leader = undefined
        return
      case 'frame': {
        this.#refuseForeign(record, at)
        if (!this.isOfTerm(record)) {
          this.leader = undefined
          return
        }
        const staged = stagedIn(record.body, at)
        if (record.body.length > 0) this.lastFrames = { record, at, differences: 0 }
        if (staged === undefined) return this.#takeFrames(bufferOf(record.body), at, target)
        return objects.readStaged(staged).then((bytes) => {
          this.bytes += bytes.length
          return this.#takeFrames(bytes, at, target)
        })
      }
    }
  }

  /**
   * A term has one leader, and begins with a record. A log whose servers keep different records at one position may show another one:
   * nats-server 2.9.10 does after its network was cut.
   */
  #refuseForeign({ epoch, node }: LogRecord, at: Position): void {
    if (epoch < this.epoch) return
    if (epoch === this.epoch && (this.#elected ?? node) === node) return
    throw damagedRecord(at, `it is of term ${epoch}, which ${node} has not begun: copies of the log differ`)
  }

  #takeFrames(bytes: Buffer, at: Position, target: Target): void | Promise<void> {
    const { frames, end } = readFrames(bytes, this.end, this.#parts.seed, at)
    const loading = frames.some(({ events }) => events.some(({ type }) => type === 'loaded'))
    if (loading) return this.#takeLoading(frames, end, at, target)
    for (const frame of frames) this.#takeFrame(frame, target)
    this.end = end
  }

  /** Reads all rows first: if an object cannot be read now, the record is taken again, and no frame of it has been applied. */
  async #takeLoading(frames: readonly ForeignFrame[], end: ChainEnd, at: Position, target: Target): Promise<void> {
    const loaded: ReceivedRows[][] = []
    for (const { events } of frames) {
      const rows: ReceivedRows[] = []
      for (const event of events) {
        if (event.type !== 'loaded') continue
        this.#noteLoaded(event.file, at)
        if (target.receiver === undefined) continue
        const received = target.receiver.loadedRows()
        await this.readLoaded(event, received)
        rows.push(received)
      }
      loaded.push(rows)
    }
    for (const [index, frame] of frames.entries()) this.#takeFrame(frame, target, loaded[index])
    this.end = end
  }

  #takeFrame(frame: ForeignFrame, { receiver, replica }: Target, rows: readonly ReceivedRows[] = []): void {
    const { events, notes, timeMs } = frame
    this.#saw(timeMs)
    if (replica !== undefined) replica.follow({ ...frame, rows }, this.#parts.clock.ownNow())
    else if (receiver !== undefined) passOn(frame, rows, receiver)
    this.noted(notes, timeMs)
    this.frames++
    this.events += events.length
  }

  noted(notes: readonly Note[], timeMs: number): void {
    for (const note of notes) {
      if (note.type === 'answered') this.clients.set(note.client, timeMs)
      else this.clients.delete(note.client)
    }
  }

  /** Passes on the rows of a `loaded` event, from the object that it names. */
  async readLoaded({ file: name, checksum, entries }: Omit<LoadedEvent, 'type'>, rows: ReceivedRows): Promise<void> {
    const object = new RowsObject(this.#parts.objects, name)
    try {
      await object.header()
      const found = await object.rows('loaded', FIRST_SEQUENCE, (frame, bytes) =>
        takeRows(frame, bytes, (key, value, expiresAtMs, extension) => rows.add(key, value, expiresAtMs, extension)),
      )
      if (found.checksum !== checksum || found.entries !== entries)
        throw damagedObject(name, 'this is not what was loaded')
      this.bytes += found.bytes
      rows.counters.copyFrom(found.counters)
    } finally {
      object.close()
    }
  }

  #noteLoaded(file: string, at: Position): void {
    this.#loaded.set(file, at)
    if (this.#loaded.size > LOADED_MAX) this.#loaded.delete(this.#loaded.keys().next().value as string)
  }

  /** A term begins. */
  lead(epoch: number, node: string, timeMs: number): void {
    this.epoch = epoch
    this.leader = this.#elected = node
    this.#saw(timeMs)
  }

  #saw(timeMs: number): void {
    this.timeMs = timeMs
    this.#parts.clock.saw(timeMs)
  }

  // ── what this node has appended itself ──

  committed({ end = this.end, notes, loaded, timeMs }: CommittedFrames, bytes: number, at: Position): void {
    this.end = end
    this.lastFrames = undefined
    this.#saw(timeMs)
    this.noted(notes, timeMs)
    for (const file of loaded) this.#noteLoaded(file, at)
    this.position = at
    this.bytes += bytes
    this.#mark()
  }

  // ── snapshots ──

  get header(): AppliedHeader {
    const { position, epoch, leader, end, timeMs, clients } = this
    const loaded = Object.fromEntries(this.#loaded)
    return { position, epoch, leader, ...end, timeMs, clients: Object.fromEntries(clients), loaded }
  }

  restore(header: AppliedHeader): void {
    const { position, epoch, leader, nextSequence, lastChecksum, timeMs, clients, loaded } = header
    this.position = position
    this.epoch = epoch
    this.leader = this.#elected = leader
    this.end = { nextSequence: nextSequence as Sequence, lastChecksum }
    this.lastFrames = undefined
    this.#saw(timeMs)
    this.clients.clear()
    for (const [client, seenMs] of Object.entries(clients)) this.clients.set(client, seenMs)
    this.#loaded.clear()
    for (const [name, at] of Object.entries(loaded)) this.#loaded.set(name, at)
    this.bytes = 0
    this.#marks.length = 0
    this.#mark()
  }
}

function passOn({ events, notes }: ForeignFrame, rows: readonly ReceivedRows[], receiver: JournalReceiver): void {
  let loaded = 0
  for (const event of events) {
    if (event.type === 'set') receiver.set(event.key, event.value, event.expiresAtMs, event.extension)
    else receiver.event(event, event.type === 'loaded' ? rows[loaded++] : undefined)
  }
  for (const note of notes) receiver.noted(note)
}
