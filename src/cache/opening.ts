/**
 * A cache from `openCache()` to `close()`: recovering, open, draining, closed.
 *
 *   open ─► journal.open (recovery: each event ─► evolve) ─► trim to the limits ─► open
 *   close ─► end what is under way ─► journal.close ─► closed
 */

import { decide } from '../core/decide/decide.js'
import { evolve, evolveRow, evolveSet, restoreRecency } from '../core/evolve/evolve.js'
import { Replacement } from '../core/evolve/replacement.js'
import type { State } from '../core/evolve/state.js'
import type { Clock } from '../core/model/clock.js'
import type { CompactionThresholds, FsyncPolicy, Journal, RecoveryReport } from '../durable/contract.js'
import { refusal } from '../durable/journal/refusal.js'
import { CacheClosedError, CacheError } from '../errors.js'
import type { Lifecycle } from './actor/lifecycle.js'
import { SLICE_ENTRIES } from './turns/cleanup.js'
import type { ExpiryTimer } from './turns/expiry-timer.js'
import type { Turns } from './turns/turns.js'

export interface OpeningOptions {
  fsync: FsyncPolicy
  compaction: CompactionThresholds | false
  journalClock: Clock
  onProgress: ((progress: { done: number; total: number }) => void) | undefined
}

export interface OpeningParts {
  state: State
  journal: Journal
  clock: Clock
  turns: Turns
  expiry: ExpiryTimer
  lifecycle: Lifecycle
}

const CUT_SHORT =
  'An error cut a change short, so what is in memory cannot be trusted. The cache has closed itself; the journal is whole: ' +
  'fix what caused the error and open the cache again with openCache().'

export class Opening {
  readonly #parts: OpeningParts
  readonly #state: State
  readonly #turns: Turns
  readonly #options: OpeningOptions
  #isOpen = false
  #recovery: RecoveryReport | undefined
  #opening: Promise<void> | undefined
  #closing: Promise<void> | undefined
  /** Called when the journal is open, and after each change of its health. */
  onJournalChange: (() => void) | undefined
  /** Called once, when the cache is about to close. */
  onClose: (() => void) | undefined
  /** Resolves when nothing runs any more that closing must wait for. Called after {@link onClose}. */
  settled: (() => Promise<void>) | undefined

  constructor(parts: OpeningParts, options: OpeningOptions) {
    this.#parts = parts
    this.#state = parts.state
    this.#turns = parts.turns
    this.#options = options
  }

  // ── open ──

  /** Recovers the state from the journal. Until that is done every call is refused. */
  open(): Promise<void> {
    this.#opening = this.#open()
    return this.#opening
  }

  async #open(): Promise<void> {
    const { journal, turns, expiry, lifecycle } = this.#parts
    let isOurs = false
    try {
      const report = await this.#recover()
      isOurs = true
      if (this.#closing !== undefined) throw this.#notOpen()
      journal.onChange = () => this.onJournalChange?.()
      turns.isWritable = true
      this.#trim(report)
      this.#recovery = report
      this.#isOpen = true
      lifecycle.send({ type: 'recovered' })
      this.onJournalChange?.()
      expiry.arm(this.#parts.clock.now())
    } catch (error) {
      turns.isWritable = false
      expiry.stop()
      if (isOurs) {
        // A journal that could not be opened may be another cache's.
        journal.onChange = undefined
        await journal.close([]).catch(() => undefined)
      }
      lifecycle.send({ type: 'failed', reason: (error as Error).message })
      this.onClose?.()
      throw error
    }
  }

  #recover(): Promise<RecoveryReport> {
    const { state, journal, lifecycle } = this.#parts
    const { fsync, compaction, journalClock, onProgress } = this.#options
    return journal.open({
      fsync,
      clock: journalClock,
      compaction,
      counters: state.counters,
      receiver: {
        row: (key, value, expiresAtMs) => evolveRow(state, key, value, expiresAtMs),
        set: (key, value, expiresAtMs) => evolveSet(state, state.find(key), key, value, expiresAtMs),
        event: (event, rows) => evolve(state, event, rows as Replacement | undefined), // what loadedRows() made
        loadedRows: () => new Replacement(state),
        counters: (counters) => state.counters.copyFrom(counters),
        recency: (keys) => restoreRecency(state, keys),
        progress: (done, total) => {
          lifecycle.send({ type: 'progress', done, total })
          onProgress?.({ done, total })
        },
      },
    })
  }

  /** A smaller limit than the journal was written with: evictions like any others, before anybody can call. */
  #trim(report: RecoveryReport): void {
    const { state, clock, turns } = this.#parts
    for (;;) {
      const nowMs = clock.now()
      const events = decide(state, { type: 'trim', limit: SLICE_ENTRIES, nowMs })
      if (events.length === 0) return
      turns.record(events, nowMs)
      for (const { type } of events) report[type === 'expired' ? 'expired' : 'evicted']++
    }
  }

  get recovery(): RecoveryReport {
    if (this.#recovery === undefined) throw this.#notOpen()
    return this.#recovery
  }

  // ── while it is open ──

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** @throws CacheClosedError unless the cache is open. */
  admitRead(): void {
    if (!this.#isOpen || !this.#state.isWhole) throw this.#notOpen()
  }

  /** @throws CacheClosedError unless the cache is open; JournalWriteError while the journal takes nothing. */
  admitWrite(): void {
    if (!this.#isOpen || !this.#state.isWhole) throw this.#notOpen()
    if (!this.#turns.isWritable) throw refusal(this.#parts.journal.health)
  }

  #notOpen(): CacheClosedError {
    if (this.#isOpen) this.close().catch(() => undefined) // not whole; lifecycle$ says how the closing ended
    if (!this.#parts.state.isWhole) return new CacheClosedError(CUT_SHORT)
    const { state } = this.#parts.lifecycle.state
    return new CacheClosedError(
      state === 'recovering'
        ? 'The cache is still recovering: await openCache() first. Nothing was changed.'
        : `The cache is ${state === 'draining' ? 'closing' : 'closed'}, and nothing was changed: open it again with openCache().`,
    )
  }

  // ── close ──

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { state, journal, turns, expiry, lifecycle } = this.#parts
    if (lifecycle.state.state === 'closed') return // it could not be opened
    this.#isOpen = false
    turns.isWritable = false
    expiry.stop()
    lifecycle.send({ type: 'close' })
    if (this.#recovery === undefined) {
      await this.#opening?.catch(() => undefined) // recovery closes the journal when it sees this
      lifecycle.send({ type: 'closed' })
      return
    }
    this.onClose?.()
    await this.settled?.()
    let failure: unknown
    try {
      const { isOrderJournaled, isWhole } = state
      await journal.close(isOrderJournaled || !isWhole ? [] : state.keysByUse())
    } catch (error) {
      failure = error
    }
    journal.onChange = undefined
    const reason = state.isWhole ? (failure as Error | undefined)?.message : CUT_SHORT
    lifecycle.send(reason === undefined ? { type: 'closed' } : { type: 'failed', reason })
    if (failure !== undefined) {
      throw failure instanceof CacheError
        ? failure
        : new CacheError(
            'OUTCOME_UNKNOWN',
            `The last flush failed: ${(failure as Error).message}. The directory was released; open it again to see what was kept.`,
            { cause: failure },
          )
    }
  }
}
