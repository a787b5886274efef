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
import { CorruptionError } from '../../../errors.js'
import type { LogRecord, Position } from '../log.js'
import type { ClusterClock } from './cluster-clock.js'
import { type ChainEnd, readFrames } from './frame-chain.js'
import type { Objects } from './objects.js'
import { bufferOf, objectNamedIn, readJson, readSettings } from './records.js'
import { readRowsFile, splitRowsObject } from './rows-object.js'

export interface ApplierParts {
  readonly name: string
  readonly seed: number
  readonly objects: Objects
  readonly clock: ClusterClock
}

/** Where frames go. */
export interface Target {
  readonly receiver: JournalReceiver
  /** Once the cache is open. */
  readonly replica: Replica | undefined
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
}

/** Records between two marks, and marks that are kept. */
const MARK_RECORDS = 500
const MARKS_MAX = 1_000

export class Applier {
  position: Position = 0
  epoch = 0
  /** The node whose term it is, by the log; undefined before the first term, and after a term that has ended. */
  leader: string | undefined
  end: ChainEnd
  /** Of the last frame, or of the beginning of the term. */
  timeMs = 0
  frames = 0
  events = 0
  /** Of records, since the last snapshot that was read or pointed to. */
  bytes = 0
  /** When the last note of each client was written, in log time. */
  readonly clients = new Map<string, number>()
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
    this.#marks.push({ ...this.header, clients: {} })
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
        readSettings(readJson(record.body), name)
        return
      case 'term': {
        const term = readJson(record.body)
        readSettings(term, name)
        this.lead(record.epoch, record.node, (term as { timeMs: number }).timeMs)
        return
      }
      case 'resign':
        this.leader = undefined
        return
      case 'frame': {
        if (!this.isOfTerm(record)) {
          this.leader = undefined
          return
        }
        const object = objectNamedIn(record.body)
        if (object === undefined) return this.#takeFrames(bufferOf(record.body), at, target)
        return objects.read(object).then((bytes) => this.#takeFrames(bytes, at, target))
      }
    }
  }

  #takeFrames(bytes: Buffer, at: Position, target: Target): void | Promise<void> {
    const { frames, end } = readFrames(bytes, this.end, this.#parts.seed, at)
    const loading = frames.some(({ events }) => events.some(({ type }) => type === 'loaded'))
    if (loading) return this.#takeLoading(frames, end, target)
    for (const frame of frames) this.#takeFrame(frame, target)
    this.end = end
  }

  async #takeLoading(frames: readonly ForeignFrame[], end: ChainEnd, target: Target): Promise<void> {
    for (const frame of frames) {
      const rows: ReceivedRows[] = []
      for (const event of frame.events) {
        if (event.type !== 'loaded') continue
        const received = target.receiver.loadedRows()
        await this.readLoaded(event, received)
        rows.push(received)
      }
      this.#takeFrame(frame, target, rows)
    }
    this.end = end
  }

  #takeFrame(frame: ForeignFrame, { receiver, replica }: Target, rows: ReceivedRows[] = []): void {
    const { events, notes, timeMs } = frame
    this.#saw(timeMs)
    if (replica === undefined) {
      for (const event of events) {
        if (event.type === 'set') receiver.set(event.key, event.value, event.expiresAtMs, event.extension)
        else receiver.event(event, event.type === 'loaded' ? rows.shift() : undefined)
      }
      for (const note of notes) receiver.noted(note)
    } else replica.follow({ ...frame, rows }, this.#parts.clock.ownNow())
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
    const { file } = splitRowsObject(name, await this.#parts.objects.read(name))
    const found = await readRowsFile(name, file, 'loaded', FIRST_SEQUENCE, (frame, bytes) =>
      takeRows(frame, bytes, (key, value, expiresAtMs, extension) => rows.add(key, value, expiresAtMs, extension)),
    )
    if (found.checksum !== checksum || found.entries !== entries)
      throw new CorruptionError({ file: name, offset: 0, sequence: 0, reason: 'this is not what was loaded' })
    rows.counters.copyFrom(found.counters)
  }

  /** A term begins. */
  lead(epoch: number, node: string, timeMs: number): void {
    this.epoch = epoch
    this.leader = node
    this.#saw(timeMs)
  }

  #saw(timeMs: number): void {
    this.timeMs = timeMs
    this.#parts.clock.saw(timeMs)
  }

  // ── what this node has appended itself ──

  committed(end: ChainEnd, notes: readonly Note[], timeMs: number, bytes: number, at: Position): void {
    this.end = end
    this.#saw(timeMs)
    this.noted(notes, timeMs)
    this.position = at
    this.bytes += bytes
    this.#mark()
  }

  // ── snapshots ──

  get header(): AppliedHeader {
    const { position, epoch, leader, end, timeMs, clients } = this
    return { position, epoch, leader, ...end, timeMs, clients: Object.fromEntries(clients) }
  }

  restore(header: AppliedHeader): void {
    const { position, epoch, leader, nextSequence, lastChecksum, timeMs, clients } = header
    this.position = position
    this.epoch = epoch
    this.leader = leader
    this.end = { nextSequence: nextSequence as Sequence, lastChecksum }
    this.#saw(timeMs)
    this.clients.clear()
    for (const [client, seenMs] of Object.entries(clients)) this.clients.set(client, seenMs)
    this.bytes = 0
    this.#marks.length = 0
    this.#mark()
  }
}
