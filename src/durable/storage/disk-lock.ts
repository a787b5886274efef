/**
 * The lock of a journal's directory: one of the operating system, on the open LOCK file, so that it ends with its process.
 *
 * Node.js has no such locks. The native addon that has them is loaded by the first lock: a cache in memory runs without it,
 * also where it has no build.
 */
import { constants } from 'node:fs'
import { dirname } from 'node:path'
import { CacheError, reasonOf } from '../../errors.js'
import { type DiskFile, openFile } from './disk-file.js'
import { loadModule } from './load-module.js'
import { removeOwner, writeOwner } from './owner-file.js'
import type { StorageLock } from './storage.js'

const { O_CREAT, O_RDONLY, O_RDWR } = constants

type TryLock = typeof import('fs-native-extensions')['tryLock']

/** Where the process would end, without an exception, in the addon: it needs functions of libuv that they do not have. */
const RUNTIMES_WITHOUT_ADDON = ['bun', 'deno']

let loaded: TryLock | undefined

async function loadAddon(): Promise<TryLock> {
  const runtime = RUNTIMES_WITHOUT_ADDON.find((name) => name in process.versions)
  if (runtime !== undefined) throw unavailable(`the native addon of fs-native-extensions does not run in ${runtime}`)
  loaded ??= await loadModule(importAddon)
  return loaded
}

async function importAddon(): Promise<TryLock> {
  try {
    return (await import('fs-native-extensions')).tryLock
  } catch (error) {
    throw unavailable('the native addon of fs-native-extensions cannot be loaded here', error)
  }
}

/** What systems and file systems without such locks answer (gVisor and old kernels: EINVAL). */
const UNSUPPORTED = ['EINVAL', 'ENOLCK', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']

export async function lock(path: string): Promise<StorageLock | undefined> {
  const tryLock = await loadAddon()
  const file = openFile(path, O_RDWR | O_CREAT)
  let isOurs = false
  try {
    isOurs = tryLock(file.descriptor)
  } catch (error) {
    if (!UNSUPPORTED.includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    throw unavailable('the file system has no locks', error)
  } finally {
    if (!isOurs) file.close()
  }
  if (!isOurs) return undefined
  writeOwner(dirname(path))
  return new DiskLock(file, () => removeOwner(dirname(path)))
}

/** Tries a shared lock and holds it for a few microseconds, during which opening would be refused. */
export async function isLocked(path: string): Promise<boolean> {
  try {
    const tryLock = await loadAddon()
    const file = openFile(path, O_RDONLY)
    try {
      return !tryLock(file.descriptor, { shared: true })
    } finally {
      file.close() // and releases the lock
    }
  } catch {
    return false // the file does not exist or cannot be opened, or there are no locks
  }
}

/** Closing the descriptor releases the lock. It belongs to the open file description, so it also excludes this process. */
export class DiskLock implements StorageLock {
  readonly #file: DiskFile
  readonly #onRelease: (() => void) | undefined

  constructor(file: DiskFile, onRelease?: () => void) {
    this.#file = file
    this.#onRelease = onRelease
  }

  write(note: string): void {
    const bytes = Buffer.from(note)
    this.#file.write(bytes, 0, bytes.length, 0)
    this.#file.truncate(bytes.length)
    this.#file.syncNow()
  }

  release(): void {
    this.#onRelease?.()
    this.#file.close()
  }
}

function unavailable(why: string, cause?: unknown): CacheError {
  const because = cause === undefined ? '' : ` (${firstLineOf(cause)})`
  return new CacheError('LOCK_UNAVAILABLE', `The directory cannot be locked: ${why}${because}`, { cause })
}

/** Errors of the module loader list every path that they have tried. */
function firstLineOf(cause: unknown): string {
  return reasonOf(cause).split('\n', 1)[0] as string
}
