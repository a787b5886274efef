/** The steps of a repair, and what it would lose. */
import type { Counters } from '../../core/model/counters.js'
import type { Limits } from '../../core/model/limits.js'
import type { Sequence } from '../../core/model/sequence.js'
import type { JournalFile } from '../../durable/format/journal-files.js'
import type { SalvagedRow } from './salvage.js'

export type RepairStep =
  /** The whole file gets a `.broken` name. */
  | { type: 'move aside'; file: JournalFile }
  /** Everything from the offset on moves to a `.broken` file. */
  | { type: 'cut'; file: JournalFile; offset: number }
  /** Writes the 64 bytes of the file's header. A copy of the old file is kept as `.broken`. */
  | { type: 'rebuild header'; file: JournalFile; header: Buffer }
  /** An empty segment in which the journal continues. */
  | { type: 'begin segment'; sequence: Sequence; journalId: Buffer; previousChecksum: number }
  /** A snapshot of the rows that are sound. The old file, if there is one, is kept as `.broken`. */
  | {
      type: 'write snapshot'
      sequence: Sequence
      journalId: Buffer
      previousChecksum: number
      rows: SalvagedRow[]
      counters: Counters
      limits: Limits | undefined
      file: JournalFile | undefined
    }
  /** LOCK, which is a note of the journal's id, gets another one. */
  | { type: 'write LOCK'; journalId: Buffer }

export interface RepairPlan {
  /** As `verify` reports it. */
  status: 'sound' | 'torn' | 'corrupt'
  /** What is wrong, one line. */
  finding: string
  /** In order. If a crash interrupts them at any point, the journal is no worse than before. */
  steps: RepairStep[]
  /** Descriptions of what will be lost; empty if nothing will. */
  losses: string[]
}
