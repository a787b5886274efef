/**
 * What the journal needs while the cache is open: compaction, and the response to changes in its health. Before: `cache.ts`, or
 * the journal. After: `durable/snapshot`.
 */
import { FrozenRows } from '../../core/evolve/frozen-rows.js'
import type { State } from '../../core/evolve/state.js'
import type { Clock } from '../../core/model/clock.js'
import type { CompactionReport, Journal } from '../../durable/contract.js'
import { outsideRequests } from '../../durable/outside-requests.js'
import { CacheClosedError, type CacheError } from '../../errors.js'
import type { Lifecycle } from '../actor/lifecycle.js'
import type { ExpiryTimer } from '../turns/expiry-timer.js'
import { committedRows } from '../turns/replica.js'
import type { Turns } from '../turns/turns.js'
import type { Opening } from './opening.js'

export interface MaintenanceParts {
  state: State
  journal: Journal
  clock: Clock
  turns: Turns
  expiry: ExpiryTimer
  lifecycle: Lifecycle
  opening: Opening
}

export class Maintenance {
  readonly #parts: MaintenanceParts
  #compaction: { promise: Promise<CompactionReport>; controller: AbortController } | undefined
  /** The running compaction or load. A new one waits for it. */
  #running: Promise<void> = Promise.resolve()

  constructor(parts: MaintenanceParts) {
    this.#parts = parts
  }

  // ── the journal's health ──

  readonly onJournalChange = (): void => {
    const { journal, turns, opening } = this.#parts
    if (opening.isOpen) turns.isWritable = journal.health.status === 'writable'
    // The health may change during an append, and listeners must not run inside a turn.
    turns.whenIdle(() => outsideRequests(() => this.#reportHealth()))
  }

  #reportHealth(): void {
    const { journal, clock, expiry, lifecycle, opening } = this.#parts
    const { health } = journal
    if (health.status !== 'writable') {
      lifecycle.send({ type: 'journal stopped', reason: health.error.message })
      return
    }
    lifecycle.send({ type: 'journal resumed' })
    if (!opening.isOpen) return
    expiry.arm(clock.now())
    if (journal.isDueForCompaction && this.#compaction === undefined) {
      this.compact().catch(() => undefined) // lifecycle$ reports the failure; the journal is due again when it has grown further
    }
  }

  // ── compaction ──

  /** While a compaction runs, returns its promise. */
  compact(): Promise<CompactionReport> {
    if (this.#compaction === undefined) {
      const controller = new AbortController()
      const promise = this.exclusively(() => this.#compactNow(controller.signal)).finally(() => {
        this.#compaction = undefined
      })
      this.#compaction = { promise, controller }
    }
    return this.#compaction.promise
  }

  async #compactNow(signal: AbortSignal): Promise<CompactionReport> {
    const { state, journal, lifecycle, opening } = this.#parts
    signal.throwIfAborted()
    opening.admitWrite()
    lifecycle.send({ type: 'compaction began', total: state.size })
    let rows: FrozenRows | undefined
    try {
      const report = await journal.compact({
        freeze: () => {
          const frozen = committedRows(state)
          // The journal may end with the order of these rows, which a snapshot that fails leaves behind others.
          state.reordered()
          if (frozen instanceof FrozenRows) rows = frozen
          return frozen
        },
        progress: (done, total) => lifecycle.send({ type: 'progress', done, total }),
        signal,
      })
      rows?.becameSnapshot()
      lifecycle.send({ type: 'compaction ended' })
      return report
    } catch (error) {
      // Only its directory could not be synced: the snapshot has its name.
      if (((error as Error).cause as CacheError | undefined)?.code === 'OUTCOME_UNKNOWN') rows?.becameSnapshot()
      lifecycle.send({ type: 'compaction ended', reason: (error as Error).message })
      throw error
    }
  }

  /** A compaction and a load must not overlap: the compaction would remove the file that the `loaded` event will refer to. */
  exclusively<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#running.then(task)
    // A promise that is kept must not belong to the caller's request.
    this.#running = outsideRequests(() => done.then(ignore, ignore))
    return done
  }

  // ── close ──

  /** Aborts a running compaction. Resolves when nothing is running. */
  async settled(): Promise<void> {
    this.#compaction?.controller.abort(new CacheClosedError('The cache was closed during the compaction'))
    await this.#running
  }
}

function ignore(): void {}
