import { Counters } from '../../../src/core/model/counters.js'
import { NEW_LIMITS } from '../../../src/core/model/limits.js'
import type { RecoveryReport } from '../../../src/durable/contract.js'
import { FileJournal } from '../../../src/durable/journal/file-journal.js'
import type { OnCorruption } from '../../../src/durable/recovery/recover.js'
import { NO_REPLICA } from '../../../src/testing/conformance/recording.js'
import { ManualClock } from '../../../src/testing.js'
import { type Image, SimulatedDisk } from '../durable/simulated-disk.js'
import { Model } from './model.js'
import { DIRECTORY, JOURNAL_ID, UNCHANGED, type Wrap } from './stage.js'

export interface Outcome {
  sequence: number
  report: RecoveryReport | undefined
  model: Model
  disk: SimulatedDisk
  error: unknown
}

/** Recovers a copy of an image. */
export async function recoverImage(
  image: Image,
  wrap: Wrap = UNCHANGED,
  onCorruption?: OnCorruption,
): Promise<Outcome> {
  const disk = SimulatedDisk.of(image)
  const process = disk.process()
  const journal = new FileJournal(wrap(process), DIRECTORY, () => JOURNAL_ID, onCorruption)
  const model = new Model()
  const session = {
    fsync: 'never' as const,
    clock: new ManualClock(),
    compaction: false as const,
    counters: new Counters(),
    limits: NEW_LIMITS,
    receiver: model,
    replica: NO_REPLICA,
  }
  try {
    const report = await journal.open(session)
    process.kill()
    await journal.close().catch(() => undefined) // of a dead process: only memory is released
    return { sequence: report.sequence, report, model, disk, error: undefined }
  } catch (error) {
    return { sequence: -1, report: undefined, model, disk, error }
  }
}
