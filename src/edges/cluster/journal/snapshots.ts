/**
 * The snapshots of a cluster's log. One is written by whichever node is first (followers before the leader), in this order: the object; the
 * pointer, by compare-and-set; then the log is trimmed up to the previous pointer. So two are kept, and whatever a crash interrupts, the
 * snapshot that the pointer names is complete and has the log behind it, and so has the one before it.
 *
 * Before: replicated-journal. After: rows-object, and the log.
 */
import { FIRST_SEQUENCE, type Sequence } from '../../../core/model/sequence.js'
import type { CompactionReport, JournalReceiver, SnapshotSource } from '../../../durable/contract.js'
import { takeRows } from '../../../durable/snapshot/read-snapshot.js'
import { CacheError, CorruptionError, reasonOf } from '../../../errors.js'
import type { Log, Position, SnapshotPointer } from '../log.js'
import type { AppliedHeader } from './applier.js'
import type { ClusterClock } from './cluster-clock.js'
import type { Objects } from './objects.js'
import { silent } from './patience.js'
import { RowsObject } from './read-rows-object.js'
import { readSettings, type Settings, writeSettings } from './records.js'
import { writeRowsObject } from './rows-object.js'

/** Loaded rows that no known record names are removed once the log is trimmed this far beyond them. */
const ORPHAN_RECORDS = 100_000

interface SnapshotHeader extends AppliedHeader {
  readonly settings: unknown
  /** How many rows follow. */
  readonly entries: number
}

export interface SnapshotToWrite {
  readonly header: AppliedHeader
  readonly settings: Settings
  /** It is released. */
  readonly source: SnapshotSource
  readonly progress?: ((done: number, total: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

export interface SnapshotsParts {
  readonly log: Log
  readonly objects: Objects
  /** Of the cache, and what its files begin their checksums with. */
  readonly name: string
  readonly id: Buffer
  readonly clock: ClusterClock
  /** Where the log begins. */
  readonly beginning: AppliedHeader
}

export interface RestoredSnapshot {
  readonly name: string
  readonly header: AppliedHeader
  readonly entries: number
  readonly bytes: number
}

export class Snapshots {
  readonly #parts: SnapshotsParts
  readonly #log: Log
  readonly #objects: Objects
  /** The position of the last snapshot that this node knows of, and what that is as of; its bytes. */
  position: Position = 0
  sequence = 0
  bytes = 0

  constructor(parts: SnapshotsParts) {
    this.#parts = parts
    this.#log = parts.log
    this.#objects = parts.objects
  }

  /** The settings, from the newest snapshot whose header is sound; undefined if there is none. Throws as {@link restore} does. */
  settings(): Promise<Settings | undefined> {
    return this.#newest(async (_, { settings }) => readSettings(settings, this.#parts.name))
  }

  /**
   * Passes the newest snapshot that is sound to the receiver; undefined if there is none. `reset`: forgets what has been passed.
   * @throws CorruptionError if those that there are, are missing or damaged. Any other error: the engine does not answer now, and may
   * have a sound one.
   */
  restore(receiver: JournalReceiver, reset: () => void): Promise<RestoredSnapshot | undefined> {
    return this.#newest((object, header, newest) => this.#restore(object, header, newest, receiver), reset)
  }

  /** Where to read the log on from, for the events after this one; undefined if no snapshot reaches back so far. Throws as above. */
  async before(sequence: number): Promise<AppliedHeader | undefined> {
    const { pointer } = await this.#log.snapshots.latest()
    if (pointer?.previous === undefined) return this.#parts.beginning // nothing has been trimmed
    for (const { name } of [pointer, pointer.previous]) {
      const header = await this.#readObject(name, async (_, found) => found).catch(unlessDamaged)
      if (header !== undefined && header.nextSequence <= sequence + 1) return header
    }
    return undefined
  }

  /** What `read` makes of the newest snapshot that is sound. `passedOver` is called after one that is not. */
  async #newest<T>(
    read: (object: RowsObject, header: SnapshotHeader, newest: SnapshotPointer) => Promise<T>,
    passedOver: () => void = () => undefined,
  ): Promise<T | undefined> {
    for (let before = ''; ; ) {
      const { pointer: newest } = await this.#log.snapshots.latest()
      if (newest === undefined) return undefined
      let damage: CorruptionError | undefined
      for (const { name } of newest.previous === undefined ? [newest] : [newest, newest.previous]) {
        try {
          return await this.#readObject(name, (object, header) => read(object, header, newest))
        } catch (error) {
          passedOver()
          if (!(error instanceof CorruptionError)) throw error
          damage ??= error
        }
      }
      if (newest.name === before) throw damage
      before = newest.name // another node may have replaced them meanwhile
    }
  }

  async #readObject<T>(name: string, read: (object: RowsObject, header: SnapshotHeader) => Promise<T>): Promise<T> {
    const object = new RowsObject(this.#objects, name)
    try {
      return await read(object, (await object.header()) as SnapshotHeader)
    } finally {
      object.close()
    }
  }

  async #restore(
    object: RowsObject,
    { settings, entries: total, ...header }: SnapshotHeader,
    newest: SnapshotPointer,
    receiver: JournalReceiver,
  ): Promise<RestoredSnapshot> {
    readSettings(settings, this.#parts.name)
    const sequence = (header.nextSequence - 1) as Sequence
    const found = await object.rows('snapshot', sequence, (frame, bytes) => {
      takeRows(
        frame,
        bytes,
        (key, value, expiresAtMs, extension) => receiver.row(key, value, expiresAtMs, extension),
        (note) => receiver.noted(note),
      )
      const done = frame.offset + frame.length
      const rows = frame.firstSequence + frame.count - 1
      receiver.progress(done, Math.max(done, Math.round((done * total) / Math.max(1, rows)))) // an estimate
    })
    for (const note of found.clients) receiver.noted(note)
    receiver.counters(found.counters)
    if (found.limits !== undefined) receiver.limits(found.limits)
    receiver.progress(found.bytes, found.bytes)
    this.position = newest.position
    this.sequence = sequence
    this.bytes = found.bytes
    return { name: object.path, header, entries: found.entries, bytes: found.bytes }
  }

  /**
   * Releases the source. If another node was faster, the report is about its snapshot. An abort rejects with its reason.
   * @throws CacheError `COMPACTION_FAILED` if the engine did not answer: then the snapshot may be there nevertheless, or the ones before
   * are as they were.
   */
  async write(snapshot: SnapshotToWrite): Promise<CompactionReport> {
    try {
      return await this.#write(snapshot)
    } catch (error) {
      throw error instanceof CacheError || snapshot.signal?.aborted === true ? error : notWritten(error)
    } finally {
      snapshot.source.release()
    }
  }

  async #write({ header, settings, source, progress, signal }: SnapshotToWrite): Promise<CompactionReport> {
    const { snapshots } = this.#log
    const { clock } = this.#parts
    const beganMs = clock.ownNow()
    const name = this.#objects.nameOf('snapshot', header)
    if (this.#isReached((await snapshots.latest()).pointer, header)) return this.#report(beganMs)
    /** Whether the pointer may be set, now or later: an error of the engine says nothing. */
    let mayBePointedTo = false
    try {
      const written = await writeRowsObject(snapshots, {
        name,
        kind: 'snapshot',
        header: { ...header, settings: writeSettings(settings), entries: source.count },
        journalId: this.#parts.id,
        sequence: (header.nextSequence - 1) as Sequence,
        previousChecksum: header.lastChecksum,
        createdAtMs: clock.now(),
        source,
        progress,
        signal,
      })
      let previous: SnapshotPointer['previous']
      while (!mayBePointedTo) {
        signal?.throwIfAborted()
        const { pointer, revision } = await snapshots.latest()
        if (this.#isReached(pointer, header)) {
          await this.#objects.remove(name).catch(() => undefined)
          return await this.#report(beganMs)
        }
        previous = pointer && { name: pointer.name, position: pointer.position }
        mayBePointedTo = true
        mayBePointedTo = await snapshots.point({ name, position: header.position, previous }, revision)
      }
      this.position = header.position
      this.sequence = header.nextSequence - 1
      this.bytes = written.bytes
      const removed = previous === undefined ? [] : await this.#trim(previous.position, [name, previous.name], header)
      return {
        file: name,
        sequence: header.nextSequence - 1,
        entries: written.entries,
        bytes: written.bytes,
        removed,
        durationMs: clock.ownNow() - beganMs,
      }
    } catch (error) {
      if (!mayBePointedTo) await this.#objects.remove(name).catch(() => undefined)
      throw error
    }
  }

  /** Rows that a `loaded` event names. @throws CacheError `ENGINE_UNAVAILABLE`. */
  async stage(
    place: { position: Position; epoch: number },
    source: SnapshotSource,
    progress: (done: number, total: number) => void,
  ) {
    const file = this.#objects.nameOf('loaded', place)
    const writing = writeRowsObject(this.#log.snapshots, {
      name: file,
      kind: 'loaded',
      header: {},
      journalId: this.#parts.id,
      sequence: FIRST_SEQUENCE,
      previousChecksum: 0,
      createdAtMs: this.#parts.clock.now(),
      source,
      progress,
    })
    const { checksum, entries } = await writing.catch((error) => {
      throw silent(error)
    })
    return { file, checksum, entries }
  }

  /** Whether another snapshot has all that one of this position would have: then there is nothing to write. */
  #isReached(pointer: SnapshotPointer | undefined, { position }: AppliedHeader): boolean {
    if (pointer === undefined) return false
    this.position = Math.max(this.position, pointer.position)
    return pointer.position >= position
  }

  /** Of the newest snapshot, which another node has written, or this one before. */
  async #report(beganMs: number): Promise<CompactionReport> {
    const report = await this.#newest(async (object, { nextSequence }) => {
      const sequence = (nextSequence - 1) as Sequence
      const { entries, bytes } = await object.rows('snapshot', sequence, () => undefined)
      return { file: object.path, sequence, entries, bytes }
    })
    if (report === undefined) throw notWritten(new Error('its snapshots are gone'))
    this.sequence = report.sequence
    this.bytes = report.bytes
    return { ...report, removed: [], durationMs: this.#parts.clock.ownNow() - beganMs }
  }

  /** Where the newest snapshot is; asks the log. */
  async look(): Promise<Position> {
    const { pointer } = await this.#log.snapshots.latest()
    this.position = Math.max(this.position, pointer?.position ?? 0)
    return this.position
  }

  /** What fails here is done by the next snapshot. */
  async #trim(upTo: Position, kept: readonly string[], { loaded, epoch }: AppliedHeader): Promise<string[]> {
    const removed: string[] = []
    try {
      await this.#log.trim(upTo)
      for (const { name, kind, position } of await this.#objects.list()) {
        if (kept.includes(name)) continue
        // A record later than a loaded object names it, if any does.
        const lastAt = kind === 'loaded' ? (loaded[name] ?? position + ORPHAN_RECORDS) : position
        if (lastAt > upTo) continue
        await this.#objects.remove(name)
        removed.push(name)
      }
      for (const object of await this.#objects.unfinished()) {
        // Its writer may be alive, and finish it. A snapshot before the newest one is never pointed to; the record that is to name a body
        // does not count in another term; and loaded rows are staged again if the term has changed meanwhile.
        const isVain = object.kind === 'snapshot' ? object.position <= upTo : object.epoch < epoch
        if (isVain) await this.#objects.remove(object.name)
      }
    } catch {
      // The snapshot is in place either way.
    }
    return removed
  }
}

/** For what may be passed over. */
function unlessDamaged(error: unknown): undefined {
  if (!(error instanceof CorruptionError)) throw error
}

function notWritten(cause: unknown): CacheError {
  return new CacheError('COMPACTION_FAILED', `The log of the cluster took no snapshot (${reasonOf(cause)})`, {
    consequence: 'No change is lost: the snapshots before this one are kept, with the log behind them.',
    advice: 'Call compact() again once a majority of the log answers. Nodes also write snapshots on their own.',
    cause,
  })
}

/** Why a node writes none now. */
export function busy(): CacheError {
  return new CacheError('COMPACTION_FAILED', 'This node is not up to date, or the leader is changing', {
    consequence: 'No change is lost.',
    advice: 'Call compact() again in a second.',
  })
}
