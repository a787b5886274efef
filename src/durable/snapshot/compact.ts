/**
 * Compaction: a snapshot of the state at one sequence replaces the journal before it. The journal has rotated at that
 * sequence and is durable through it; so whichever step a crash interrupts, either all old files are there or the snapshot is.
 */
import { join } from 'node:path'
import type { Clock } from '../../core/model/clock.js'
import type { Sequence } from '../../core/model/sequence.js'
import { CacheError } from '../../errors.js'
import type { CompactionReport, CompactionRequest, SnapshotSource } from '../contract.js'
import { fileName } from '../format/format.js'
import { findJournalFiles } from '../format/journal-files.js'
import { removeIfThere } from '../storage/replace-file.js'
import type { Storage } from '../storage/storage.js'
import { writeSnapshot } from './write-snapshot.js'

export interface Compaction {
  storage: Storage
  directory: string
  journalId: Buffer
  sequence: Sequence
  previousChecksum: number
  request: CompactionRequest
  clock: Clock
}

export async function writeCompaction(compaction: Compaction): Promise<CompactionReport> {
  const source = compaction.request.freeze()
  try {
    return await write(compaction, source)
  } catch (error) {
    const { signal } = compaction.request
    if (signal.aborted) throw signal.reason
    throw new CacheError(
      'COMPACTION_FAILED',
      `The snapshot could not be written: ${(error as Error).message}. The journal before it was kept and the cache keeps running; make room, then call compact() again.`,
      { cause: error },
    )
    /* c8 ignore next -- V8 counts a way in here behind a catch that always leaves */
  } finally {
    source.release()
  }
}

async function write(compaction: Compaction, source: SnapshotSource): Promise<CompactionReport> {
  const { storage, directory, sequence, request } = compaction
  const startMs = performance.now()
  const name = fileName(sequence, 'snapshot')
  const path = join(directory, name)
  removeIfThere(storage, `${path}.tmp`)
  const written = await writeSnapshot({
    storage,
    path,
    temporary: `${path}.tmp`,
    kind: 'snapshot',
    journalId: compaction.journalId,
    sequence,
    previousChecksum: compaction.previousChecksum,
    createdAtMs: compaction.clock.now(),
    source,
    progress: request.progress,
    signal: request.signal,
  })
  const removed = await removeCovered(storage, directory, sequence)
  return {
    file: name,
    sequence,
    entries: written.entries,
    bytes: written.bytes,
    removed,
    durationMs: performance.now() - startMs,
  }
}

/** Oldest first, so that a crash leaves a run of whole files up to the snapshot. What cannot be removed stays. */
async function removeCovered(storage: Storage, directory: string, sequence: Sequence): Promise<string[]> {
  const removed: string[] = []
  const files = await findJournalFiles(storage, directory)
  const covered = [
    ...files.segments.filter((file) => file.sequence <= sequence),
    ...files.loaded.filter((file) => file.sequence <= sequence),
    ...files.snapshots.filter((file) => file.sequence < sequence),
  ]
  for (const file of covered) {
    try {
      storage.unlink(file.path)
      removed.push(file.name)
    } catch {
      // Recovery ignores it, and the next compaction tries again.
    }
  }
  return removed
}
