/** One entry for each file, with its path as the key. An entry that already has the same content is left as it is. */
import { innerOf } from '../../cache/cache.js'
import { EncodedValue } from '../../core/model/stored-value.js'
import { readContent } from './file-content.js'
import type { ImportRun } from './import-run.js'

export async function importFiles(run: ImportRun): Promise<void> {
  let doneBytes = 0
  for (const { path, bytes } of run.request.files) {
    if (run.isStopped) break
    try {
      importFile(run, path)
    } catch (error) {
      run.leftOut(path, error)
    }
    doneBytes += bytes
    await run.advanceTo(doneBytes)
  }
  await run.flush()
}

function importFile(run: ImportRun, path: string): void {
  const { cache, ttl } = run.request
  const { value, bytes, isOwn } = readContent(path)
  if (isSame(cache.peek(path), value)) {
    run.unchanged()
    return
  }
  // Bytes that nothing else uses become the entry's own, so that a large file is not in memory twice.
  if (isOwn && typeof value !== 'string') innerOf(cache).setStored(path, new EncodedValue('bytes', value), { ttl })
  else cache.set(path, value, { ttl })
  run.imported(bytes)
}

function isSame(stored: unknown, value: string | Uint8Array): boolean {
  if (typeof value === 'string') return stored === value
  return stored instanceof Uint8Array && Buffer.compare(stored, value) === 0
}
