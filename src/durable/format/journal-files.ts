/** Finds the files of a journal by their names. Other files in the directory are ignored. */
import { join } from 'node:path'
import type { Sequence } from '../../core/model/sequence.js'
import { notAFile, type Storage } from '../storage/storage.js'
import { parseFileName } from './format.js'

export interface JournalFile {
  name: string
  path: string
  /** The number in the name. */
  sequence: Sequence
  bytes: number
}

/** The files of a journal, each kind in order of sequence. */
export interface JournalFiles {
  snapshots: JournalFile[]
  segments: JournalFile[]
  loaded: JournalFile[]
  /** Paths of unfinished files of any kind. A crash left them; nothing refers to them. */
  temporary: string[]
}

const TEMPORARY = /^(\d{16}\.(snapshot|loaded|segment|segment\.[\d.]+\.broken)|damaged-[\dTZ-]+\.json)\.tmp$/

/** @throws CacheError `NOT_A_FILE` if one of them is something other than a file. */
export async function findJournalFiles(storage: Storage, directory: string): Promise<JournalFiles> {
  const files: JournalFiles = { snapshots: [], segments: [], loaded: [], temporary: [] }
  const listOf = { snapshot: files.snapshots, segment: files.segments, loaded: files.loaded }
  for (const { name, isFile, bytes } of await storage.list(directory)) {
    const path = join(directory, name)
    if (TEMPORARY.test(name) && isFile) files.temporary.push(path)
    const parsed = parseFileName(name)
    if (parsed === undefined) continue
    if (!isFile) throw notAFile(path)
    listOf[parsed.kind].push({ name, path, sequence: parsed.sequence, bytes })
  }
  return files
}

export function allOf(files: JournalFiles): JournalFile[] {
  return [...files.snapshots, ...files.segments, ...files.loaded]
}
