/** Shared by the commands on saved files (save, load, convert): formats, a progress bar, and Ctrl-C. */
import { Counters } from '../../core/model/counters.js'
import type { Extension } from '../../core/model/extension.js'
import type { StoredValue } from '../../core/model/stored-value.js'
import type { SnapshotSource } from '../../durable/contract.js'
import { disk } from '../../durable/storage/disk.js'
import { CacheError, CorruptionError } from '../../errors.js'
import { formatOf, type SaveProgress } from '../../files/format.js'
import { readSave } from '../../files/load.js'
import { EXIT } from '../terminal/exit-codes.js'
import { Interruption } from '../terminal/interruption.js'
import { remark } from '../terminal/output.js'
import { Progress } from '../terminal/progress.js'

export const FORMATS_HELP = `
The file's extension decides the format: .pickle and .pkl are Python pickles, which pickle.load() reads; any other is
daybook's own format, which keeps every value exactly.`

/**
 * Runs `work` with a bar, and returns the exit code. Ctrl-C ends it between two slices, so that nothing is changed; then
 * `outcome` is printed.
 */
export async function runFileCommand(
  outcome: string,
  work: (onProgress: SaveProgress, signal: AbortSignal) => Promise<void>,
): Promise<number> {
  const interruption = new Interruption()
  const progress = new Progress({ verbs: { bytes: 'Reading', entries: 'Writing' }, plainLines: true })
  const { signal } = interruption
  try {
    await work((done, total, unit) => {
      signal.throwIfAborted()
      progress.update(done, total, unit)
    }, signal)
    return interruption.exitCode(EXIT.fine)
  } catch (error) {
    if (!interruption.isStopped) throw error
    progress.end()
    remark(`Interrupted: ${outcome}`)
    return interruption.exitCode(EXIT.error)
  } finally {
    progress.end()
    interruption.release()
  }
}

/** All of a saved file. @throws Error that names the file and says what is wrong with it. */
export async function readSavedFile(path: string, onProgress: SaveProgress): Promise<SnapshotSource> {
  const rows: { key: string; value: StoredValue; expiresAtMs: number; extension?: Extension | undefined }[] = []
  const counters = new Counters()
  const received = {
    counters,
    add: (key: string, value: StoredValue, expiresAtMs: number, extension?: Extension) =>
      void rows.push({ key, value, expiresAtMs, extension }),
  }
  try {
    await readSave(disk, path, formatOf(path), received, onProgress)
  } catch (error) {
    throw new Error(whatIsWrong(path, error), { cause: error }) // not a CorruptionError: no journal is damaged
  }
  let at = 0
  return { count: rows.length, counters, read: () => rows[at++], release: () => undefined }
}

function whatIsWrong(path: string, error: unknown): string {
  if (error instanceof CorruptionError) return `${path} is damaged at byte ${error.offset}: ${error.reason}`
  const { message } = error as Error
  return error instanceof CacheError ? message : `${path} could not be read: ${message}`
}
