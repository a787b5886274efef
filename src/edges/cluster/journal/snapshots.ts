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
import { CacheError, CorruptionError } from '../../../errors.js'
import type { Log, Position, SnapshotPointer } from '../log.js'
import type { AppliedHeader } from './applier.js'
import type { ClusterClock } from './cluster-clock.js'
import type { Objects } from './objects.js'
import { readSettings, type Settings, writeSettings } from './records.js'
import { readRowsFile, splitRowsObject, writeRowsObject } from './rows-object.js'

/** An object that nothing names is removed once the log is trimmed this far beyond it. */
const ORPHAN_RECORDS = 100_000

interface SnapshotHeader extends AppliedHeader {
  readonly settings: unknown
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
  /** What {@link settings} has read already. */
  #read: { name: string; bytes: Buffer } | undefined
  /** The position of the last snapshot that this node knows of, and what that is as of; its bytes. */
  position: Position = 0
  sequence = 0
  bytes = 0

  constructor(parts: SnapshotsParts) {
    this.#parts = parts
    this.#log = parts.log
    this.#objects = parts.objects
  }

  /** The settings, from the newest snapshot whose header can be read; undefined if there is none. */
  async settings(): Promise<Settings | undefined> {
    let failure: unknown
    for (const { name } of await this.#candidates()) {
      try {
        const bytes = await this.#objects.read(name)
        const { header } = splitRowsObject(name, bytes)
        const settings = readSettings((header as SnapshotHeader).settings, this.#parts.name)
        this.#read = { name, bytes }
        return settings
      } catch (error) {
        failure = worse(failure, error)
      }
    }
    if (failure !== undefined) throw failure
    return undefined
  }

  async #candidates(): Promise<{ name: string; position: Position }[]> {
    const { pointer } = await this.#log.snapshots.latest()
    if (pointer === undefined) return []
    return pointer.previous === undefined ? [pointer] : [pointer, pointer.previous]
  }

  /**
   * Passes the newest snapshot that can be read to the receiver; undefined if there is none. `reset`: forgets what has been passed.
   * @throws CorruptionError if those that there are, are missing or damaged. Any other error: the engine does not answer now.
   */
  async restore(receiver: JournalReceiver, reset: () => void): Promise<RestoredSnapshot | undefined> {
    for (let before = ''; ; ) {
      const candidates = await this.#candidates()
      const [newest] = candidates
      if (newest === undefined) return undefined
      let failure: unknown
      for (const { name } of candidates) {
        try {
          const restored = await this.#restore(name, receiver)
          this.position = newest.position
          this.sequence = restored.header.nextSequence - 1
          this.bytes = restored.bytes
          return restored
        } catch (error) {
          reset()
          failure = worse(failure, error)
        }
      }
      if (newest.name === before) throw failure // otherwise another node may have replaced them meanwhile
      before = newest.name
    }
  }

  async #restore(name: string, receiver: JournalReceiver): Promise<RestoredSnapshot> {
    const bytes = this.#read?.name === name ? this.#read.bytes : await this.#objects.read(name)
    this.#read = undefined
    const split = splitRowsObject(name, bytes)
    const { settings, ...header } = split.header as SnapshotHeader
    readSettings(settings, this.#parts.name)
    const sequence = (header.nextSequence - 1) as Sequence
    const { file } = split
    const found = await readRowsFile(name, file, 'snapshot', sequence, (frame, frameBytes) => {
      takeRows(
        frame,
        frameBytes,
        (key, value, expiresAtMs, extension) => receiver.row(key, value, expiresAtMs, extension),
        (note) => receiver.noted(note),
      )
      receiver.progress(frame.offset + frame.length, file.length)
    })
    for (const note of found.clients) receiver.noted(note)
    receiver.counters(found.counters)
    if (found.limits !== undefined) receiver.limits(found.limits)
    return { name, header, entries: found.entries, bytes: bytes.length }
  }

  /**
   * @throws CacheError `COMPACTION_FAILED` if another node was faster, or something could not be written: the snapshots that there were
   * are as they were.
   */
  async write({ header, settings, source, progress, signal }: SnapshotToWrite): Promise<CompactionReport> {
    const { snapshots } = this.#log
    const { clock } = this.#parts
    const beganMs = clock.ownNow()
    const name = this.#objects.nameOf('snapshot', header.position)
    try {
      this.#refuseBehind((await snapshots.latest()).pointer, header)
      const written = await writeRowsObject(snapshots, {
        name,
        kind: 'snapshot',
        header: { ...header, settings: writeSettings(settings) },
        journalId: this.#parts.id,
        sequence: (header.nextSequence - 1) as Sequence,
        previousChecksum: header.lastChecksum,
        createdAtMs: clock.now(),
        source,
        progress,
        signal,
      })
      signal?.throwIfAborted()
      const { pointer, revision } = await snapshots.latest()
      this.#refuseBehind(pointer, header)
      const previous = pointer && { name: pointer.name, position: pointer.position }
      if (!(await snapshots.point({ name, position: header.position, previous }, revision))) throw overtaken()
      this.position = header.position
      this.sequence = header.nextSequence - 1
      this.bytes = written.bytes
      const removed = previous === undefined ? [] : await this.#trim(previous.position, [name, previous.name])
      return {
        file: name,
        sequence: header.nextSequence - 1,
        entries: written.entries,
        bytes: written.bytes,
        removed,
        durationMs: clock.ownNow() - beganMs,
      }
    } catch (error) {
      const { pointer } = await snapshots.latest().catch(() => ({ pointer: undefined }))
      if (pointer?.name !== name) await this.#objects.remove(name).catch(() => undefined)
      throw error
    } finally {
      source.release()
    }
  }

  /** Rows that a `loaded` event names. */
  async stage(at: Position, source: SnapshotSource, progress: (done: number, total: number) => void) {
    const file = this.#objects.nameOf('loaded', at)
    const { checksum, entries } = await writeRowsObject(this.#log.snapshots, {
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
    return { file, checksum, entries }
  }

  #refuseBehind(pointer: SnapshotPointer | undefined, { position }: AppliedHeader): void {
    if (pointer === undefined) return
    this.position = Math.max(this.position, pointer.position)
    if (pointer.position >= position) throw overtaken()
  }

  /** Where the newest snapshot is; asks the log. */
  async look(): Promise<Position> {
    const { pointer } = await this.#log.snapshots.latest()
    this.position = Math.max(this.position, pointer?.position ?? 0)
    return this.position
  }

  /** What fails here is done by the next snapshot. */
  async #trim(upTo: Position, kept: readonly string[]): Promise<string[]> {
    const removed: string[] = []
    try {
      await this.#log.trim(upTo)
      for (const { name, kind, position } of await this.#objects.list()) {
        if (kept.includes(name)) continue
        // A loaded object is named by a record later than itself.
        const isOld = kind === 'loaded' ? position + ORPHAN_RECORDS <= upTo : position <= upTo
        if (!isOld) continue
        await this.#objects.remove(name)
        removed.push(name)
      }
    } catch {
      // The snapshot is in place either way.
    }
    return removed
  }
}

/** Why none of the snapshots that there are was read. One that the engine did not give may be sound. */
function worse(failure: unknown, error: unknown): unknown {
  if (error instanceof CacheError && !(error instanceof CorruptionError)) throw error // the other one says the same
  return failure === undefined || failure instanceof CorruptionError ? error : failure
}

function overtaken(): CacheError {
  return new CacheError('COMPACTION_FAILED', 'Another node has written a later snapshot meanwhile', {
    consequence: 'That one counts; nothing is lost.',
    advice: 'There is nothing to do.',
  })
}
