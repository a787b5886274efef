import { dirname } from 'node:path'
import { readAll, type Storage, writeAll } from '../storage/storage.js'

const COPY_BYTES = 4 * 1024 * 1024

/**
 * Moves everything from `offset` on into a `.broken` file and cuts it off. The copy is durable before the cut, and doing
 * it again after a crash in the middle gives the same files.
 */
export async function setAside(
  storage: Storage,
  path: string,
  offset: number,
): Promise<{ savedAs: string; bytes: number }> {
  const savedAs = `${path}.${offset}.broken`
  const source = storage.open(path, 'write')
  try {
    const bytes = source.size() - offset
    try {
      storage.unlink(savedAs) // a crash may have left half of it
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
    const target = storage.create(savedAs)
    try {
      const buffer = Buffer.allocUnsafe(Math.min(bytes, COPY_BYTES))
      for (let done = 0; done < bytes; ) {
        const read = await readAll(source, buffer, 0, Math.min(buffer.length, bytes - done), offset + done)
        if (read === 0) break
        writeAll(target, buffer.subarray(0, read), done)
        done += read
      }
      await target.sync()
    } finally {
      target.close()
    }
    storage.syncDirectory(dirname(path))
    source.truncate(offset)
    await source.sync()
    return { savedAs, bytes }
  } finally {
    source.close()
  }
}
