import { join } from 'node:path'
import { CorruptionError } from '../../errors.js'
import { notAFile } from '../storage/disk.js'
import type { Storage, StorageEntry } from '../storage/storage.js'
import { type FileKind, fileName, parseFileName } from './format.js'

/** One file of the journal, by the sequence in its name. */
export interface JournalFile {
  name: string
  path: string
  sequence: number
  bytes: number
}

export interface JournalFiles {
  snapshots: JournalFile[]
  segments: JournalFile[]
  loaded: JournalFile[]
  /** Unfinished copies of whatever kind: a crash left them, nothing refers to them. */
  temporary: string[]
}

const TEMPORARY = /^\d{16}\.(snapshot|loaded|segment\.[\d.]+\.broken)\.tmp$/

/** What a directory holds of a journal, each kind in order of sequence. Files with other names are none of ours. */
export async function findJournalFiles(storage: Storage, directory: string): Promise<JournalFiles> {
  const files: JournalFiles = { snapshots: [], segments: [], loaded: [], temporary: [] }
  for (const entry of await storage.list(directory, '*.{segment,snapshot,loaded,tmp}')) {
    if (TEMPORARY.test(entry.name)) files.temporary.push(join(directory, entry.name))
    const parsed = parseFileName(entry.name)
    if (parsed === undefined) continue
    const file = toJournalFile(directory, entry, parsed.sequence)
    listOf(files, parsed.kind).push(file)
  }
  return files
}

function listOf(files: JournalFiles, kind: Exclude<FileKind, 'saved'>): JournalFile[] {
  if (kind === 'loaded') return files.loaded
  return kind === 'segment' ? files.segments : files.snapshots
}

function toJournalFile(directory: string, entry: StorageEntry, sequence: number): JournalFile {
  const path = join(directory, entry.name)
  if (!entry.isFile) throw notAFile(path)
  return { name: entry.name, path, sequence, bytes: entry.bytes }
}

/** The snapshot to begin with and the segments that follow it. Older files are what a crash kept compaction from removing. */
export function planRecovery(
  files: JournalFiles,
  directory: string,
): { snapshot: JournalFile | undefined; segments: JournalFile[] } {
  const snapshot = files.snapshots.at(-1)
  const first = snapshot === undefined ? 1 : snapshot.sequence + 1
  const segments = files.segments.filter((segment) => segment.sequence >= first)
  const found = segments[0]
  if (
    (found === undefined && (snapshot !== undefined || files.loaded.length > 0)) ||
    (found !== undefined && found.sequence !== first)
  ) {
    throw new CorruptionError({
      file: join(directory, fileName(first, 'segment')),
      offset: 0,
      sequence: first,
      reason: `the file is missing${found === undefined ? '' : `; the next one that is there begins with sequence ${found.sequence}`}`,
    })
  }
  return { snapshot, segments }
}
