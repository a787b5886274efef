/** One entry for each file, its path the key. What is there already with the same content is left as it is. */
import type { Cache } from '../../cache/cache.js'
import type { Duration } from '../../cache/duration.js'
import { EncodedValue } from '../../core/model/stored-value.js'
import { JournalWriteError } from '../../errors.js'
import { messageOf } from '../failures.js'
import type { Progress } from '../progress.js'
import { showCountOf } from '../quantities.js'
import { readContent } from './file-content.js'
import type { FoundFile } from './find-files.js'
import { Tally } from './import-run.js'
import { Pace } from './pace.js'

export interface ImportRun {
  cache: Cache
  files: readonly FoundFile[]
  ttl: Duration | undefined
  progress: Progress
  signal: AbortSignal
}

export async function importFiles({ cache, files, ttl, progress, signal }: ImportRun): Promise<Tally> {
  const tally = new Tally()
  const pace = new Pace(cache)
  const totalBytes = files.reduce((sum, file) => sum + file.bytes, 0)
  let doneBytes = 0
  for (const file of files) {
    if (signal.aborted) break
    let bytes = 0
    try {
      bytes = importFile(cache, file.path, ttl, tally)
    } catch (error) {
      if (error instanceof JournalWriteError) throw error // not this one's fault: no other would fare better
      tally.failed++
      progress.remark(`daybook: ${file.path} was left out: ${messageOf(error)}`)
    }
    doneBytes += file.bytes
    progress.update(doneBytes, totalBytes, () => showCountOf(tally.imported + tally.unchanged, 'file'))
    await pace.keep(bytes)
  }
  await pace.flush()
  return tally
}

/** Answers the bytes that were stored. */
function importFile(cache: Cache, path: string, ttl: Duration | undefined, tally: Tally): number {
  const { value, bytes, isOwn } = readContent(path)
  if (isSame(cache.peek(path), value)) {
    tally.unchanged++
    return 0
  }
  // Bytes in memory of their own become the entry's: a large file is not held twice.
  cache.set(path, isOwn && typeof value !== 'string' ? new EncodedValue('bytes', value) : value, { ttl })
  tally.imported++
  tally.bytes += bytes
  return bytes
}

function isSame(stored: unknown, value: string | Uint8Array): boolean {
  if (typeof value === 'string') return stored === value
  return stored instanceof Uint8Array && Buffer.compare(stored, value) === 0
}
