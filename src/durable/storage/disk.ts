import {
  close,
  closeSync,
  constants,
  fsync,
  fsyncSync,
  lstat,
  lstatSync,
  openSync,
  readdir,
  readSync,
  renameSync,
  unlinkSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { type DiskFile, openFile } from './disk-file.js'
import { DiskLock, isLocked, lock } from './disk-lock.js'
import { makeDirectories } from './make-directories.js'
import { ownerOf } from './owner-file.js'
import { NOTE_BYTES_MAX, type Storage, type StorageEntry } from './storage.js'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants
const DIRECTORY_MODE = 0o700

const fsyncLater = promisify(fsync)
const readdirLater = promisify(readdir)
const lstatLater = promisify(lstat)

/** The real file system. */
export const disk: Storage = {
  makeDirectory(directory) {
    // The names of new directories must be on disk, or a power cut removes them with the journal.
    for (const made of makeDirectories(directory, DIRECTORY_MODE)) this.syncDirectory(dirname(made))
  },

  async list(directory) {
    const names = (await unlessMissing(readdirLater(directory))) ?? []
    const entries = await Promise.all(names.sort().map((name) => entryOf(directory, name)))
    return entries.filter((entry) => entry !== undefined)
  },

  open(path, mode) {
    return openFile(path, mode === 'read' ? O_RDONLY : O_RDWR)
  },

  create(path) {
    return openFile(path, O_RDWR | O_CREAT | O_EXCL)
  },

  rename(from, to) {
    freeLater(to, () => renameSync(from, to))
  },

  unlink(path) {
    freeLater(path, () => unlinkSync(path))
  },

  syncDirectory(directory) {
    if (process.platform === 'win32') return // a directory cannot be opened there; NTFS journals names itself
    const descriptor = openSync(directory, O_RDONLY)
    try {
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  },

  async syncDirectoryLater(directory) {
    if (process.platform === 'win32') return
    const descriptor = openSync(directory, O_RDONLY)
    try {
      await fsyncLater(descriptor)
    } finally {
      closeSync(descriptor)
    }
  },

  lock,

  isLocked,

  lockOwner: (path) => ownerOf(dirname(path)),

  noteIn(path) {
    let file: DiskFile
    try {
      file = openFile(path, O_RDONLY)
    } catch (error) {
      if (isMissing(error)) return ''
      throw error
    }
    try {
      const bytes = Buffer.alloc(NOTE_BYTES_MAX)
      return bytes.toString('utf8', 0, readSync(file.descriptor, bytes, 0, NOTE_BYTES_MAX, 0))
    } finally {
      file.close()
    }
  },
}

/** The same for those who know that nobody else opens the directory: it needs no native addon. */
export const unlockedDisk: Storage = {
  ...disk,
  lock: async (path) => new DiskLock(openFile(path, O_RDWR | O_CREAT)),
  isLocked: async () => false,
}

/** With lstat, so that a link is recognized. `undefined` for a file that has been removed since its name was read. */
async function entryOf(directory: string, name: string): Promise<StorageEntry | undefined> {
  const found = await unlessMissing(lstatLater(join(directory, name)))
  return found && { name, isFile: found.isFile(), bytes: found.size }
}

async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

const LARGE_BYTES = 1024 * 1024

/**
 * When a file loses its last name, its blocks are freed before the call returns, which takes 25 ms for 70 MB. So a large file
 * is kept open until another thread closes it, which frees it there.
 */
function freeLater(path: string, loseName: () => void): void {
  const held = hold(path)
  try {
    loseName()
  } finally {
    if (held !== undefined) close(held, () => undefined)
  }
}

function hold(path: string): number | undefined {
  if (process.platform === 'win32') return undefined // an open file keeps its name there
  try {
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (!found?.isFile() || found.size < LARGE_BYTES) return undefined
    return openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch {
    return undefined // this thread frees it
  }
}
