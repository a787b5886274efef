/** What a repair would do, step by step, and what would be lost. */
import type { Counters } from '../../core/model/counters.js'
import type { Sequence } from '../../core/model/sequence.js'
import type { JournalFile } from '../../durable/format/journal-files.js'
import type { SalvagedRow } from './salvage.js'

export type RepairStep =
  /** The whole file gets a `.broken` name. */
  | { type: 'move aside'; file: JournalFile }
  /** Everything from the offset on goes into a `.broken` file. */
  | { type: 'cut'; file: JournalFile; offset: number }
  /** The file's 64 header bytes, of which all but the damaged ones are known; the file as it was is kept as `.broken`. */
  | { type: 'rebuild header'; file: JournalFile; header: Buffer }
  /** An empty segment in which the journal continues. */
  | { type: 'begin segment'; sequence: Sequence; journalId: Buffer; previousChecksum: number }
  /** A snapshot of the rows that are sound; the file as it was (if there is one) is kept as `.broken`. */
  | {
      type: 'write snapshot'
      sequence: Sequence
      journalId: Buffer
      previousChecksum: number
      rows: SalvagedRow[]
      counters: Counters
      file: JournalFile | undefined
    }

export interface RepairPlan {
  /** As `verify` would say. */
  status: 'sound' | 'torn' | 'corrupt'
  /** What is wrong, one line. */
  finding: string
  /** In the order in which they are carried out: whichever of them a crash prevents, the journal is no worse than before. */
  steps: RepairStep[]
  /** What will be missing afterwards, in words; empty when nothing will be. */
  losses: string[]
}
