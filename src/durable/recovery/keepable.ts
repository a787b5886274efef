/**
 * What can be kept of a damaged journal. Changes nothing. Before: `recover`, which found the damage. After: `set-journal-aside`.
 *
 *   damage                   kept
 *   ───────────────────────  ─────────────────────────────────────────────────────────────────────────────
 *   a segment, or a file     everything before it: the state at the end of the last sound frame
 *   that an event names
 *   the newest snapshot      everything, if an older one and the segments since then still exist; otherwise
 *                            its entries before the damage, with all events after it
 *   LOCK names a journal     everything: LOCK is a note without a checksum, and the files agree with each other
 *   that no file is of
 *   a file of a journal      what is there of the one that LOCK names
 *   that LOCK does not name
 *
 * An entry that a damaged snapshot lost is only a miss: later events are facts, and need no earlier ones.
 */
import { FrozenRows } from '../../core/evolve/frozen-rows.js'
import { State } from '../../core/evolve/state.js'
import { NO_SEQUENCE, type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import { CorruptionError } from '../../errors.js'
import type { SnapshotSource } from '../contract.js'
import { encodedBytes } from '../format/encode-event.js'
import type { JournalFile, JournalFiles } from '../format/journal-files.js'
import { checkingReceiver } from '../history/checking-receiver.js'
import { limitsAtEnd } from '../history/limits-at-end.js'
import { readSegments } from '../history/read-segments.js'
import { Replayer, startAfter } from '../history/replay.js'
import { receiverFor } from '../history/replayed-state.js'
import { type Base, readStrictly, soundHeaderOf } from '../history/strict-reading.js'
import type { Storage } from '../storage/storage.js'

export interface Keepable {
  source: SnapshotSource
  /** The last event that is kept. */
  last: Sequence
  /** Of the damaged snapshot, if only some of its entries are kept. */
  incomplete: Sequence | undefined
}

/** Nothing of a journal. */
export function nothing(): Keepable {
  return { source: new FrozenRows(emptyState()), last: NO_SEQUENCE, incomplete: undefined }
}

export async function findKeepable(
  storage: Storage,
  directory: string,
  files: JournalFiles,
  journalId: Buffer | undefined,
): Promise<Keepable> {
  return new Search(storage, directory, files, journalId).find()
}

class Search {
  readonly #storage: Storage
  readonly #directory: string
  readonly #files: JournalFiles
  readonly #journalId: Buffer | undefined

  /** @param journalId Of the files that are this journal's, if that is known. */
  constructor(storage: Storage, directory: string, files: JournalFiles, journalId: Buffer | undefined) {
    this.#storage = storage
    this.#directory = directory
    this.#files = files
    this.#journalId = journalId
  }

  async find(): Promise<Keepable> {
    const { snapshots } = this.#files
    const newest = snapshots.at(-1)
    const reach = newest?.sequence ?? NO_SEQUENCE
    for (const snapshot of [...snapshots.toReversed(), undefined]) {
      const base = await this.#baseOf(snapshot)
      if (base === undefined) continue
      const last = await this.#lastSound(base)
      if (last >= reach) return { source: await this.#keep(base, last), last, incomplete: undefined }
    }
    return newest === undefined ? nothing() : this.#keepOfSnapshot(newest)
  }

  /** A sound snapshot, or the beginning of the journal, with the segments that follow. */
  async #baseOf(snapshot: JournalFile | undefined): Promise<Base | undefined> {
    const found = snapshot && (await this.#soundSnapshot(snapshot))
    if (snapshot !== undefined && found === undefined) return undefined
    return this.#from(snapshot, startAfter(found))
  }

  async #from(snapshot: JournalFile | undefined, start: Base['start']): Promise<Base | undefined> {
    const segments = this.#files.segments.filter(({ sequence }) => sequence >= start.nextSequence)
    const [first] = segments
    const isThere = first?.sequence === start.nextSequence
    const id =
      start.journalId ?? (isThere ? (await soundHeaderOf(this.#storage, first, 'segment'))?.journalId : undefined)
    if (id !== undefined && this.#journalId?.equals(id) === false) return undefined // of another journal
    return { snapshot, segments: isThere ? segments : [], note: '', start }
  }

  async #soundSnapshot(file: JournalFile) {
    try {
      return await new Replayer(this.#storage, this.#directory, checkingReceiver()).snapshot(file)
    } catch (error) {
      if (error instanceof CorruptionError) return undefined
      throw error
    }
  }

  async #lastSound(base: Base): Promise<Sequence> {
    return (await readStrictly(this.#storage, this.#directory, base)).lastSequence
  }

  /** The state at the end of the last sound frame. */
  async #keep({ snapshot, segments, start }: Base, last: Sequence): Promise<SnapshotSource> {
    const state = emptyState()
    const receiver = receiverFor(state, () => undefined)
    const replayer = new Replayer(this.#storage, this.#directory, receiver, { to: last })
    try {
      if (snapshot !== undefined) await replayer.snapshot(snapshot)
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error
      // The rest of its entries are lost. The limits are not for a cache of fewer: it would evict at its next new entry.
      const { journalId } = start
      const { path } = snapshot as JournalFile // it was being read
      const limits = journalId && (await limitsAtEnd(this.#storage, path, journalId))
      if (limits !== undefined) receiver.limits(limits)
    }
    await readSegments(this.#storage, segments, start, (...frame) => replayer.frame(...frame), last)
    receiver.restoreOrder()
    return new FrozenRows(state)
  }

  /** The entries before the damage, and all events after the snapshot. */
  async #keepOfSnapshot(newest: JournalFile): Promise<Keepable> {
    const nextSequence = sequenceAfter(newest.sequence)
    const next = this.#files.segments.find(({ sequence }) => sequence === nextSequence)
    const header =
      (await soundHeaderOf(this.#storage, newest, 'snapshot')) ??
      (next && (await soundHeaderOf(this.#storage, next, 'segment')))
    const base = header && (await this.#from(newest, { ...header, nextSequence }))
    if (base === undefined) return nothing()
    const last = await this.#lastSound(base)
    return { source: await this.#keep(base, last), last, incomplete: newest.sequence }
  }
}

function emptyState(): State {
  return new State({ maxSize: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY, weigh: encodedBytes })
}
