/** Carries out a plan. What a step replaces is kept under an unused `.broken` name. */
import { constants, copyFileSync, existsSync, linkSync, renameSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileName, LOCK_NAME } from '../../durable/format/format.js'
import type { JournalFile } from '../../durable/format/journal-files.js'
import { noteOf } from '../../durable/history/lock-file.js'
import { SegmentWriter } from '../../durable/journal/segment-writer.js'
import { setAside } from '../../durable/recovery/set-aside.js'
import { writeSnapshot } from '../../durable/snapshot/write-snapshot.js'
import { disk } from '../../durable/storage/disk.js'
import { removeIfThere } from '../../durable/storage/replace-file.js'
import { type StorageLock, writeAll } from '../../durable/storage/storage.js'
import { showCountOf } from '../terminal/quantities.js'
import type { RepairStep } from './repair-plan.js'
import type { SalvagedRow } from './salvage.js'

/** Returns a description of what was done. `lock`: that of the directory, which is held. */
export async function applyStep(directory: string, step: RepairStep, lock: StorageLock): Promise<string> {
  switch (step.type) {
    case 'move aside':
      return moveAside(directory, step.file)
    case 'cut':
      return cut(step.file, step.offset)
    case 'rebuild header':
      return rebuild(directory, step.file, step.header)
    case 'begin segment':
      SegmentWriter.create(disk, directory, { ...step, createdAtMs: Date.now() }).close()
      return `${fileName(step.sequence, 'segment')} was created`
    case 'write snapshot':
      return replaceSnapshot(directory, step)
    case 'write LOCK':
      lock.write(noteOf(step.journalId))
      return `${LOCK_NAME} was written again`
  }
}

function moveAside(directory: string, file: JournalFile): string {
  const kept = freeName(`${file.path}.broken`)
  renameSync(file.path, kept)
  disk.syncDirectory(directory)
  return `${file.name} was moved to ${basename(kept)}`
}

async function cut(file: JournalFile, offset: number): Promise<string> {
  // Also keeps what an earlier opening set aside from the same place.
  const name = `${file.path}.${offset}.broken`
  if (existsSync(name)) renameSync(name, freeName(name))
  const { savedAs, bytes } = await setAside(disk, file.path, offset)
  return `${showCountOf(bytes, 'byte')} of ${file.name}, from byte ${offset} on, moved to ${basename(savedAs)}`
}

/** Writes the header in place, after copying the whole file. */
async function rebuild(directory: string, file: JournalFile, header: Buffer): Promise<string> {
  const kept = freeName(`${file.path}.broken`)
  copyFileSync(file.path, kept, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
  const copy = disk.open(kept, 'write')
  try {
    await copy.sync()
  } finally {
    copy.close()
  }
  disk.syncDirectory(directory)
  const opened = disk.open(file.path, 'write')
  try {
    writeAll(opened, header, 0)
    await opened.sync()
  } finally {
    opened.close()
  }
  return `the header of ${file.name} was rebuilt; the old file is ${basename(kept)}`
}

async function replaceSnapshot(
  directory: string,
  step: Extract<RepairStep, { type: 'write snapshot' }>,
): Promise<string> {
  const { file, sequence, rows, counters, limits } = step
  const name = fileName(sequence, 'snapshot')
  const path = join(directory, name)
  // Adds a name instead of renaming, so that the old file stays in place until the new snapshot replaces it.
  const kept = file === undefined ? undefined : freeName(`${path}.broken`)
  if (kept !== undefined) {
    keepAs(path, kept)
    disk.syncDirectory(directory)
  }
  const temporary = `${path}.tmp`
  removeIfThere(disk, temporary) // an unfinished one, from a crash
  await writeSnapshot({
    storage: disk,
    path,
    temporary,
    kind: 'snapshot',
    journalId: step.journalId,
    sequence,
    previousChecksum: step.previousChecksum,
    createdAtMs: Date.now(),
    source: { count: rows.length, counters, limits, ...reader(rows) },
  })
  const old = kept === undefined ? '' : `; the old file is ${basename(kept)}`
  return `${name} was written with ${showCountOf(rows.length, 'entry', 'entries')}${old}`
}

function keepAs(path: string, kept: string): void {
  try {
    linkSync(path, kept)
  } catch {
    copyFileSync(path, kept, constants.COPYFILE_EXCL) // a file system without links
  }
}

function reader(rows: readonly SalvagedRow[]) {
  let at = 0
  return { read: () => rows[at++], release: () => undefined }
}

function freeName(path: string): string {
  let name = path
  for (let number = 2; existsSync(name); number++) name = path.replace(/\.broken$/, `.${number}.broken`)
  return name
}
