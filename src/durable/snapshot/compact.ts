/**
 * Compaction: a snapshot of the state at one sequence replaces the journal before it. The journal has been rotated at that
 * sequence and is durable through it, so a crash at any step leaves either all old files or the snapshot.
 * Before: `journal/file-journal`. After: `write-snapshot`, then `retention`.
 */
import { join } from 'node:path'
import type { Clock } from '../../core/model/clock.js'
import type { Sequence } from '../../core/model/sequence.js'
import { CacheError, reasonOf } from '../../errors.js'
import type { CompactionReport, CompactionRequest, Retention, SnapshotSource } from '../contract.js'
import { fileName } from '../format/format.js'
import { removeIfThere } from '../storage/replace-file.js'
import type { Storage } from '../storage/storage.js'
import { type Reach, removeUnneeded } from './retention.js'
import { writeSnapshot } from './write-snapshot.js'

export interface Compaction {
  storage: Storage
  directory: string
  journalId: Buffer
  sequence: Sequence
  previousChecksum: number
  request: CompactionRequest
  clock: Clock
  retention: Retention
}

export interface Compacted {
  report: CompactionReport
  /** How far back one can look now. */
  reach: Reach | undefined
}

export async function writeCompaction(compaction: Compaction): Promise<Compacted> {
  const source = compaction.request.freeze()
  try {
    return await write(compaction, source)
  } catch (error) {
    const { signal } = compaction.request
    const isRenamed = (error as CacheError).code === 'OUTCOME_UNKNOWN' // the snapshot has its name, which the caller must know
    if (signal.aborted && !isRenamed) throw signal.reason
    throw new CacheError('COMPACTION_FAILED', `The snapshot could not be written: ${reasonOf(error)}`, { cause: error })
    /* c8 ignore next -- V8 counts a branch after a catch that always leaves */
  } finally {
    source.release()
  }
}

async function write(compaction: Compaction, source: SnapshotSource): Promise<Compacted> {
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
  const { removed, reach } = await removeUnneeded(storage, directory, compaction.retention, compaction.clock.now())
  const { entries, bytes } = written
  return { report: { file: name, sequence, entries, bytes, removed, durationMs: performance.now() - startMs }, reach }
}
