/** The file of a `loaded` event. Before: `replay`, when it reaches the event. After: `snapshot/read-snapshot`. */
import { join } from 'node:path'
import type { LoadedEvent } from '../../core/model/event.js'
import type { Sequence } from '../../core/model/sequence.js'
import { CorruptionError } from '../../errors.js'
import { parseFileName } from '../format/format.js'
import { type ReadSnapshot, type RowsVisitor, readSnapshot } from '../snapshot/read-snapshot.js'
import type { ReadableStorage } from '../storage/storage.js'

/**
 * Reads the file, which was durable before the event was written.
 * @param sequence Of the frame that holds the event.
 * @throws CorruptionError if the file is damaged, missing, or not the one that was loaded.
 */
export async function readLoaded(
  storage: ReadableStorage,
  directory: string,
  event: LoadedEvent,
  sequence: Sequence,
  visit: RowsVisitor,
): Promise<ReadSnapshot> {
  const path = join(directory, event.file)
  const parsed = parseFileName(event.file)
  const damaged = (reason: string) =>
    new CorruptionError({ file: path, offset: 0, sequence: parsed?.sequence ?? sequence, reason })
  if (parsed?.kind !== 'loaded') throw damaged('this is not the name of a loaded file')
  let found: ReadSnapshot
  try {
    found = await readSnapshot(storage, { path, kind: 'loaded', sequence: parsed.sequence }, visit)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw damaged('the file is missing, but the journal refers to it')
    throw error
  }
  if (found.checksum !== event.checksum || found.entries !== event.entries)
    throw damaged('this is not the file that was loaded')
  return found
}
