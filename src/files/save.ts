/**
 * `save`: the entries that are alive at one moment into one file, while turns go on. Daybook's own format is the snapshot's,
 * by the same writer that compaction uses; the other is a Python pickle.
 */
import { randomBytes } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { NO_SEQUENCE } from '../core/model/sequence.js'
import type { SnapshotSource } from '../durable/contract.js'
import { writeSnapshot } from '../durable/snapshot/write-snapshot.js'
import { replaceFile } from '../durable/storage/replace-file.js'
import { type Storage, type StorageFile, writeAllLater } from '../durable/storage/storage.js'
import { restoreValue } from '../values/encode.js'
import type { SaveFormat, SaveProgress } from './format.js'
import { writePickle } from './pickle/write-pickle.js'

export interface SaveRequest {
  storage: Storage
  path: string
  format: SaveFormat
  source: SnapshotSource
  /** The moment, epoch milliseconds: what has expired by then is left out. */
  nowMs: number
  progress?: SaveProgress | undefined
}

export interface Saved {
  entries: number
  bytes: number
}

export async function writeSave(request: SaveRequest): Promise<Saved> {
  const { storage, path, format, nowMs, progress } = request
  // Beside the file, so that it can be renamed; a name that nobody else chooses, so that nobody's file is touched.
  const temporary = join(dirname(path), `.${basename(path).slice(0, 60)}.${randomBytes(6).toString('hex')}.tmp`)
  const source = withoutExpired(request.source, nowMs)
  if (format === 'pickle') return replaceFile(storage, path, temporary, (file) => pickleInto(file, source, progress))
  const { entries, bytes } = await writeSnapshot({
    storage,
    path,
    temporary,
    kind: 'saved',
    journalId: randomBytes(16),
    sequence: NO_SEQUENCE,
    previousChecksum: 0,
    createdAtMs: nowMs,
    source,
    ...(progress === undefined ? {} : { progress: (done, total) => progress(done, total, 'entries') }),
  })
  return { entries, bytes }
}

async function pickleInto(
  file: StorageFile,
  source: SnapshotSource,
  progress: SaveRequest['progress'],
): Promise<Saved> {
  let entries = 0
  let bytes = 0
  function* rows(): Generator<readonly [string, unknown, number | undefined]> {
    for (let row = source.read(); row !== undefined; row = source.read()) {
      entries++
      const expiresAtMs = row.expiresAtMs === Number.POSITIVE_INFINITY ? undefined : row.expiresAtMs
      yield [row.key, restoreValue(row.value, 'copy'), expiresAtMs]
    }
  }
  const { hits, misses, evictions } = source.counters
  for (const chunk of writePickle({ entries: rows(), stats: { hits, misses, evictions } })) {
    await writeAllLater(file, chunk, bytes)
    bytes += chunk.length
    progress?.(entries, source.count, 'entries')
  }
  await file.sync()
  return { entries, bytes }
}

function withoutExpired(source: SnapshotSource, nowMs: number): SnapshotSource {
  return {
    count: source.count,
    counters: source.counters,
    release: () => source.release(),
    read() {
      let row = source.read()
      while (row !== undefined && row.expiresAtMs <= nowMs) row = source.read()
      return row
    },
  }
}
