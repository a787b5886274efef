/**
 * When a node writes a snapshot: after 10,000 records or so many bytes, whichever comes first, because many small records take as long to
 * replay as few large ones. A node that follows is the first to; the leader only if the others have let it grow half as much again, for
 * example because there are none. Nobody decides who: whoever points to its snapshot first wins. Before: cluster-node. After:
 * journal/snapshots.
 */
import type { Clock } from '../../../core/model/clock.js'
import type { CompactionThresholds } from '../../../durable/contract.js'
import type { ReplicatedJournal } from '../journal/replicated-journal.js'

export const RECORDS_MAX = 10_000
/** Nodes that follow begin at different times. */
const JITTER_MS = 2_000
const AGAIN_MS = 10_000

export interface CompactionParts {
  readonly journal: ReplicatedJournal
  readonly compaction: CompactionThresholds | false
  readonly clock: Pick<Clock, 'setTimeout' | 'clearTimeout'>
  random(): number
}

export class Compaction {
  readonly #parts: CompactionParts
  #timer: unknown
  #isRunning = false
  #isStopped = false

  constructor(parts: CompactionParts) {
    this.#parts = parts
  }

  /** Looks whether a snapshot is due, and begins it soon. */
  look(): void {
    const { clock, random } = this.#parts
    if (this.#timer !== undefined || this.#isRunning || this.#isStopped || !this.#isDue) return
    this.#timer = clock.setTimeout(() => this.#begin(), random() * JITTER_MS)
  }

  get #isDue(): boolean {
    const { journal, compaction } = this.#parts
    if (compaction === false) return false
    const { state, applier, snapshots } = journal
    const { position } = applier
    const share = state === 'following' ? 1 : state === 'leading' ? 1.5 : Number.POSITIVE_INFINITY
    const bytesMax = Math.max(compaction.journalBytes, compaction.factor * snapshots.bytes)
    return position - snapshots.position >= share * RECORDS_MAX || applier.bytes >= share * bytesMax
  }

  #begin(): void {
    this.#isRunning = true
    const { clock } = this.#parts
    this.#run()
      .catch(() => undefined) // another node was faster, or it is tried again
      .then(() => {
        this.#timer = this.#isStopped
          ? undefined
          : clock.setTimeout(() => {
              this.#timer = undefined
            }, AGAIN_MS)
        this.#isRunning = false
      })
  }

  async #run(): Promise<void> {
    const { journal } = this.#parts
    const before = journal.snapshots.position
    const found = await journal.snapshots.look()
    if (found > before) {
      journal.applier.bytes = 0
      if (!this.#isDue) return
    }
    if (!this.#isStopped) await journal.compact()
  }

  stop(): void {
    this.#isStopped = true
    this.#parts.clock.clearTimeout(this.#timer)
  }
}
