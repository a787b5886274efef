/**
 * Replaces a damaged journal by one that holds what is kept of it, and moves its files to `damaged-<time>/`. Deletes nothing.
 * A step of recovery, taken instead of refusing. Before: `keepable`, which found what is kept. After: `recover`, from the start.
 *
 *   1. damaged-<time>.json        says what was found and what will be done
 *   2. damaged-<time>/
 *   3. <M + 1>.segment            empty. M is above every sequence that the old files name
 *   4. <M>.snapshot               what is kept. Its name is the commit: from here on, opening reads these two files
 *   5. the old files              move into the directory
 *   6. damaged-<time>.json        moves there, as damage.json
 *
 * A crash before 4 leaves the journal as damaged as it was, and the next attempt begins again. After a crash behind it, the next
 * opening goes on with 5.
 */
import { join } from 'node:path'
import { NO_SEQUENCE, type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import { CorruptionError } from '../../errors.js'
import type { RecoveredDamage, SnapshotSource } from '../contract.js'
import { encodeFileHeader } from '../format/file-header.js'
import { fileName } from '../format/format.js'
import { allOf, findJournalFiles, type JournalFiles } from '../format/journal-files.js'
import { writeSnapshot } from '../snapshot/write-snapshot.js'
import { createFile } from '../storage/create-file.js'
import { removeIfThere, replaceFile } from '../storage/replace-file.js'
import { readAll, type Storage, writeAllLater } from '../storage/storage.js'

const INTENT = /^(damaged-[\dTZ-]+)\.json$/

interface Intent {
  /** Of the snapshot whose existence is the commit. */
  sequence: Sequence
  damage: RecoveredDamage
}

export interface Replacement {
  damage: Omit<RecoveredDamage, 'movedTo'>
  /** What is kept. */
  source: SnapshotSource
  /** The highest sequence that the files name. */
  highest: Sequence
  journalId: Buffer
  nowMs: number
}

export async function setJournalAside(
  storage: Storage,
  directory: string,
  files: JournalFiles,
  { damage, source, highest, journalId, nowMs }: Replacement,
): Promise<RecoveredDamage> {
  const sequence = freeSequence(files, highest)
  const name = (await intentIn(storage, directory)) ?? (await freeName(storage, directory, nowMs))
  const intent: Intent = { sequence, damage: { ...damage, movedTo: join(directory, name) } }
  await writeIntent(storage, join(directory, `${name}.json`), intent)
  storage.makeDirectory(intent.damage.movedTo)
  const header = { journalId, previousChecksum: 0, createdAtMs: nowMs }
  const first = sequenceAfter(sequence)
  const bytes = encodeFileHeader({ kind: 'segment', sequence: first, ...header })
  createFile(storage, join(directory, fileName(first, 'segment')), bytes).close()
  const path = join(directory, fileName(sequence, 'snapshot'))
  const temporary = `${path}.tmp`
  removeIfThere(storage, temporary)
  await writeSnapshot({ storage, path, temporary, kind: 'snapshot', sequence, source, ...header })
  await moveAside(storage, directory, name, intent)
  return intent.damage
}

/** Completes what a crash interrupted behind the commit, and returns what was found then. */
export async function completeSettingAside(storage: Storage, directory: string): Promise<RecoveredDamage | undefined> {
  const name = await intentIn(storage, directory)
  if (name === undefined) return undefined
  const intent = await readIntent(storage, join(directory, `${name}.json`))
  const { snapshots } = await findJournalFiles(storage, directory)
  if (!snapshots.some(({ sequence }) => sequence === intent.sequence)) return undefined
  await moveAside(storage, directory, name, intent)
  return intent.damage
}

async function moveAside(storage: Storage, directory: string, name: string, { sequence }: Intent): Promise<void> {
  const kept = fileName(sequence, 'snapshot')
  const target = join(directory, name)
  storage.makeDirectory(target)
  const move = (from: string, to: string) => storage.rename(join(directory, from), join(target, to))
  const sync = () => {
    storage.syncDirectory(target)
    storage.syncDirectory(directory)
  }
  for (const file of allOf(await findJournalFiles(storage, directory)))
    if (file.sequence <= sequence && file.name !== kept) move(file.name, file.name)
  sync()
  move(`${name}.json`, 'damage.json')
  sync()
}

/** Two new files must not take the name of an old one. */
function freeSequence(files: JournalFiles, highest: Sequence): Sequence {
  const names = new Set(allOf(files).map(({ name }) => name))
  let sequence = Math.max(1, highest) as Sequence
  while (names.has(fileName(sequence, 'snapshot')) || names.has(fileName(sequenceAfter(sequence), 'segment')))
    sequence = sequenceAfter(sequence)
  return sequence
}

async function freeName(storage: Storage, directory: string, nowMs: number): Promise<string> {
  const names = new Set((await storage.list(directory)).map(({ name }) => name))
  const stem = `damaged-${new Date(nowMs).toISOString().replace(/[:.]/g, '-')}`
  for (let number = 1; ; number++) {
    const name = number === 1 ? stem : `${stem}-${number}`
    if (!names.has(name) && (await storage.list(join(directory, name))).length === 0) return name
  }
}

// ── the intent ──

/** The name of the directory of one that is not complete. */
async function intentIn(storage: Storage, directory: string): Promise<string | undefined> {
  for (const { name, isFile } of await storage.list(directory)) {
    const found = isFile ? INTENT.exec(name)?.[1] : undefined
    if (found !== undefined) return found
  }
  return undefined
}

async function writeIntent(storage: Storage, path: string, intent: Intent): Promise<void> {
  const temporary = `${path}.tmp`
  removeIfThere(storage, temporary)
  await replaceFile(storage, path, temporary, async (file) => {
    await writeAllLater(file, Buffer.from(`${JSON.stringify(intent, undefined, 2)}\n`), 0)
    await file.sync()
  })
}

async function readIntent(storage: Storage, path: string): Promise<Intent> {
  const file = storage.open(path, 'read')
  const bytes = Buffer.alloc(file.size())
  try {
    await readAll(file, bytes, 0, bytes.length, 0)
  } finally {
    file.close()
  }
  const intent = intentOf(bytes.toString())
  if (intent !== undefined) return intent
  const reason =
    'the file does not say what was being done, so what a crash interrupted cannot be completed. To go on without it, remove the file'
  throw new CorruptionError({ file: path, offset: 0, sequence: NO_SEQUENCE, reason })
}

/** Undefined if the text is not what {@link writeIntent} writes. It has no checksum. */
function intentOf(text: string): Intent | undefined {
  try {
    const { sequence, damage } = JSON.parse(text) as Intent
    const { file, offset, sequence: place, reason, lost, movedTo } = damage
    const areTexts = [file, reason, movedTo].every((value) => typeof value === 'string')
    const areNumbers = [sequence, offset, place, lost.from, lost.to ?? 0].every(Number.isSafeInteger)
    return areTexts && areNumbers ? { sequence, damage } : undefined
  } catch {
    return undefined
  }
}
