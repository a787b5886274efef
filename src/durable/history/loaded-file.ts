import { join } from 'node:path'
import type { LoadedEvent } from '../../core/model/event.js'
import { CorruptionError } from '../../errors.js'
import { parseFileName } from '../format/format.js'
import type { Frame } from '../format/frame.js'
import { type ReadSnapshot, readSnapshot } from '../snapshot/read-snapshot.js'
import { disk } from '../storage/disk.js'

/**
 * Reads the file that a `loaded` event names.
 * @throws CorruptionError when it is damaged, missing, or another one than was loaded.
 */
export async function readLoaded(
  directory: string,
  event: LoadedEvent,
  visit: (frame: Frame, bytes: Buffer) => void,
): Promise<ReadSnapshot> {
  const path = join(directory, event.file)
  const parsed = parseFileName(event.file)
  const damaged = (reason: string) =>
    new CorruptionError({ file: path, offset: 0, sequence: parsed?.sequence ?? 0, reason })
  if (parsed?.kind !== 'loaded') throw damaged('this is no name of a loaded file')
  let found: ReadSnapshot
  try {
    found = await readSnapshot(disk, { path, kind: 'loaded', sequence: parsed.sequence }, visit)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw damaged('the file is missing, and the journal refers to it')
    throw error
  }
  if (found.checksum !== event.checksum || found.entries !== event.entries)
    throw damaged('this is not the file that was loaded')
  return found
}
