/**
 * What of the journal before a snapshot is kept, and how the rest is removed. Last step of compaction. Before: `compact`, which has
 * written the snapshot.
 *
 * The past can be read from an *anchor*: the beginning of the journal, or a snapshot; in either case with the segment that follows
 * it. From an anchor on, every file is there:
 *
 *   1. the anchors that are not needed any more are removed
 *   2. the directory is synced
 *   3. everything before the oldest anchor that is left is removed
 *
 * So no crash leaves an anchor with a gap behind it, whichever of the removals it undoes.
 */
import { NO_SEQUENCE, type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import type { JournalFigures, Retention } from '../contract.js'
import { readHeaderOf } from '../format/file-header.js'
import { findJournalFiles, type JournalFile, type JournalFiles } from '../format/journal-files.js'
import type { Storage } from '../storage/storage.js'

export const NO_RETENTION: Retention = { keepMs: 0, bytes: 0 }

/** How far back one can look, and what that costs. */
export type Reach = Pick<JournalFigures, 'oldestSequence' | 'oldestTimeMs' | 'historyBytes'>

/** A place from which the past can be read. */
export interface Anchor {
  /** Of the snapshot; 0 for the beginning of the journal. */
  sequence: Sequence
  snapshot: JournalFile | undefined
  /** The segment that follows it. */
  segment: JournalFile
}

/** Oldest first. */
export function anchorsIn({ snapshots, segments }: JournalFiles): Anchor[] {
  const anchors: Anchor[] = []
  const bySequence = new Map(segments.map((segment) => [segment.sequence, segment]))
  for (const snapshot of [undefined, ...snapshots]) {
    const sequence = snapshot?.sequence ?? NO_SEQUENCE
    const segment = bySequence.get(sequenceAfter(sequence))
    if (segment !== undefined) anchors.push({ sequence, snapshot, segment })
  }
  return anchors
}

/**
 * Since when the anchor's state was that of the journal, epoch milliseconds: its segment was begun then, and unlike a snapshot, it is never
 * replaced. Undefined if the header of one of its files cannot be read, for whatever reason: a file that only the past needs must not keep
 * the present from being opened or compacted, and a compaction may remove it while it is looked at.
 */
export async function timeOf(storage: Storage, { snapshot, segment }: Anchor): Promise<number | undefined> {
  try {
    if (snapshot !== undefined) await readHeaderOf(storage, snapshot, 'snapshot')
    return (await readHeaderOf(storage, segment, 'segment')).createdAtMs
  } catch {
    return undefined
  }
}

/** How far back the files reach; undefined if there is no journal. */
export async function reachOf(storage: Storage, files: JournalFiles): Promise<Reach | undefined> {
  const anchors = anchorsIn(files)
  for (const anchor of anchors) {
    const oldestTimeMs = await timeOf(storage, anchor)
    if (oldestTimeMs === undefined) continue
    const newest = anchors.at(-1) as Anchor // there is at least this one
    return { oldestSequence: anchor.sequence, oldestTimeMs, historyBytes: bytesBetween(files, anchor, newest) }
  }
  return undefined
}

export interface Kept {
  reach: Reach | undefined
  /** The names of the removed files. */
  removed: string[]
}

/** Removes what neither the newest snapshot nor the promise needs. What cannot be removed stays. */
export async function removeUnneeded(
  storage: Storage,
  directory: string,
  retention: Retention,
  nowMs: number,
): Promise<Kept> {
  const removed: string[] = []
  const remove = (file: JournalFile) => {
    try {
      storage.unlink(file.path)
      removed.push(file.name)
    } catch {
      // Reading ignores it, and the next compaction tries again.
    }
  }
  const files = await findJournalFiles(storage, directory)
  const base = await baseFor(storage, files, retention, nowMs)
  for (const { sequence, snapshot, segment } of anchorsIn(files)) if (sequence < base) remove(snapshot ?? segment)
  if (await isSynced(storage, directory, removed.length > 0)) {
    const left = await findJournalFiles(storage, directory)
    for (const file of before(left, anchorsIn(left)[0]?.sequence ?? NO_SEQUENCE)) remove(file)
  }
  return { removed, reach: await reachOf(storage, await findJournalFiles(storage, directory)) }
}

/** False if a power cut may undo removals. */
async function isSynced(storage: Storage, directory: string, hasChanged: boolean): Promise<boolean> {
  try {
    if (hasChanged) await storage.syncDirectoryLater(directory)
    return true
  } catch {
    return false
  }
}

/** The sequence of the newest anchor that keeps the promise. */
async function baseFor(
  storage: Storage,
  files: JournalFiles,
  { keepMs, bytes }: Retention,
  nowMs: number,
): Promise<Sequence> {
  const anchors = anchorsIn(files)
  const newest = anchors.at(-1)
  if (newest === undefined) return NO_SEQUENCE
  let base = anchors[0] as Anchor // there is the newest
  for (const anchor of anchors.slice(1)) {
    const timeMs = await timeOf(storage, anchor)
    if (timeMs === undefined) continue // nothing can be read from here
    if (timeMs > nowMs - keepMs) break // even if a later one is older, by a clock that was set back
    base = anchor
  }
  for (const anchor of anchors) {
    if (anchor.sequence < base.sequence) continue
    const isOnWay = anchor !== base && anchor !== newest
    if (isOnWay && (await timeOf(storage, anchor)) === undefined) continue
    base = anchor
    if (bytesBetween(files, base, newest) <= bytes) break
  }
  return base.sequence
}

/** Of the files that reading from `oldest` needs, and reading from `newest` does not. */
function bytesBetween(files: JournalFiles, oldest: Anchor, newest: Anchor): number {
  const bytesBefore = ({ sequence }: Anchor) => before(files, sequence).reduce((sum, file) => sum + file.bytes, 0)
  return bytesBefore(newest) - bytesBefore(oldest)
}

/** The files that reading from the anchor with this sequence does not need, oldest first within each kind. */
function before({ segments, loaded, snapshots }: JournalFiles, anchor: Sequence): JournalFile[] {
  return [
    ...segments.filter(({ sequence }) => sequence <= anchor),
    ...loaded.filter(({ sequence }) => sequence <= anchor),
    ...snapshots.filter(({ sequence }) => sequence < anchor),
  ]
}
