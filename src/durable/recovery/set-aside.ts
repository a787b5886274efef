/**
 * Moves a torn tail into a `.broken` file. A phase of recovery. Before: `history/damage`, which found the tail. After:
 * `rewrite-unproven`.
 *
 * The copy gets its name when it is complete and on disk, and only then is anything cut off. So a crash leaves a `.tmp`
 * file, or a copy that the next attempt finds and uses. A name that holds other bytes is never reused: those were set aside
 * before.
 */
import { dirname } from 'node:path'
import { CacheError } from '../../errors.js'
import { removeIfThere } from '../storage/replace-file.js'
import { readAll, type Storage, type StorageFile, writeAll } from '../storage/storage.js'

const COPY_BYTES = 4 * 1024 * 1024

/** Moves everything from `offset` on. */
export async function setAside(
  storage: Storage,
  path: string,
  offset: number,
): Promise<{ savedAs: string; bytes: number }> {
  const source = storage.open(path, 'write')
  try {
    const bytes = source.size() - offset
    const savedAs = await save(storage, source, offset, bytes)
    storage.syncDirectory(dirname(path))
    source.truncate(offset)
    await source.sync()
    return { savedAs, bytes }
  } finally {
    source.close()
  }
}

async function save(storage: Storage, source: StorageFile, offset: number, bytes: number): Promise<string> {
  const nameOf = (number: number) => `${source.path}.${offset}${number === 1 ? '' : `.${number}`}.broken`
  const isSavedAs = async (name: string) => {
    const found = await look(storage, name, source, offset, bytes)
    return found === 'the same' || (found === 'free' && (await copy(storage, name, source, offset, bytes)))
  }
  let number = 1
  while (!(await isSavedAs(nameOf(number)))) number++
  return nameOf(number)
}

/** Returns false when something that is not a file is in the place of the unfinished copy. */
async function copy(
  storage: Storage,
  name: string,
  source: StorageFile,
  offset: number,
  bytes: number,
): Promise<boolean> {
  const temporary = `${name}.tmp`
  removeIfThere(storage, temporary)
  let target: StorageFile
  try {
    target = storage.create(temporary)
  } catch (error) {
    if (error instanceof CacheError) return false
    throw error
  }
  try {
    for await (const { part, done } of partsOf(source, offset, bytes)) {
      // Zeros may be a hole, as large as a file can be: they stay one. The last byte gives the copy its length.
      const skipped = !isZeros(part) ? 0 : done + part.length < bytes ? part.length : part.length - 1
      writeAll(target, part.subarray(skipped), done + skipped)
    }
    await target.sync()
    storage.rename(temporary, name)
    return true
  } finally {
    target.close()
  }
}

async function look(
  storage: Storage,
  name: string,
  source: StorageFile,
  offset: number,
  bytes: number,
): Promise<'free' | 'taken' | 'the same'> {
  let there: StorageFile
  try {
    there = storage.open(name, 'read')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'free'
    if (error instanceof CacheError) return 'taken' // by something that is not a file
    throw error
  }
  try {
    if (there.size() !== bytes) return 'taken'
    const own = Buffer.allocUnsafe(Math.min(bytes, COPY_BYTES))
    for await (const { part, done } of partsOf(source, offset, bytes)) {
      const read = await readAll(there, own, 0, part.length, done)
      if (!part.equals(own.subarray(0, read))) return 'taken'
    }
    return 'the same'
  } finally {
    there.close()
  }
}

async function* partsOf(source: StorageFile, offset: number, bytes: number) {
  const buffer = Buffer.allocUnsafe(Math.min(bytes, COPY_BYTES))
  for (let done = 0; done < bytes; ) {
    const read = await readAll(source, buffer, 0, Math.min(buffer.length, bytes - done), offset + done)
    if (read === 0) throw new Error(`${source.path} shrank while its end was set aside`)
    yield { part: buffer.subarray(0, read), done }
    done += read
  }
}

function isZeros(part: Buffer): boolean {
  return part[0] === 0 && part.subarray(1).equals(part.subarray(0, -1))
}
