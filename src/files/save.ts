/**
 * `save`: writes the entries that are live at one moment to a file, while turns go on: a Python pickle, or daybook's own
 * format, which is that of a snapshot and has the same writer.
 */

import { randomBytes } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { hasExpired } from '../core/model/expiry.js'
import { NO_SEQUENCE } from '../core/model/sequence.js'
import type { SnapshotSource } from '../durable/contract.js'
import { writeSnapshot } from '../durable/snapshot/write-snapshot.js'
import { replaceFile } from '../durable/storage/replace-file.js'
import { type Storage, type StorageFile, writeAllLater } from '../durable/storage/storage.js'
import { restoreOnce } from '../values/encode.js'
import type { SaveFormat, SaveProgress } from './format.js'
import { writePickle } from './pickle/write-pickle.js'

export interface SaveRequest {
  storage: Storage
  path: string
  format: SaveFormat
  source: SnapshotSource
  /** Epoch milliseconds. What has expired by then is left out. */
  nowMs: number
  progress?: SaveProgress | undefined
}

export interface Saved {
  entries: number
  bytes: number
}

export async function writeSave(request: SaveRequest): Promise<Saved> {
  const { storage, path, format, nowMs, progress } = request
  // In the same directory, so that it can be renamed; with a random name, so that no existing file is overwritten.
  const temporary = join(dirname(path), `.${basename(path).slice(0, 60)}.${randomBytes(6).toString('hex')}.tmp`)
  const source = unexpired(request.source, nowMs)
  if (format === 'pickle')
    return replaceFile(storage, path, temporary, (file) => pickleInto(file, fresh(source, nowMs), progress))
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
      yield [row.key, restoreOnce(row.value), expiresAtMs]
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

function unexpired(source: SnapshotSource, nowMs: number): SnapshotSource {
  return only(source, (row) => (hasExpired(row.expiresAtMs, nowMs) ? undefined : row))
}

/** For a program that knows of no stale entries and no tags: an entry expires when it becomes stale. */
function fresh(source: SnapshotSource, nowMs: number): SnapshotSource {
  return only(source, (row) => {
    const expiresAtMs = Math.min(row.expiresAtMs, row.extension?.freshUntilMs ?? Number.POSITIVE_INFINITY)
    return hasExpired(expiresAtMs, nowMs) ? undefined : { ...row, expiresAtMs }
  })
}

type Row = NonNullable<ReturnType<SnapshotSource['read']>>

/** Rows as `take` returns them, without those of which it returns `undefined`. */
function only(source: SnapshotSource, take: (row: Row) => Row | undefined): SnapshotSource {
  return {
    count: source.count,
    counters: source.counters,
    release: () => source.release(),
    read() {
      for (let row = source.read(); row !== undefined; row = source.read()) {
        const taken = take(row)
        if (taken !== undefined) return taken
      }
      return undefined
    },
  }
}
