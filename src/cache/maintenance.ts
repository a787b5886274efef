/**
 * Long work, done in slices between turns: compaction, `save` and `load`. Also the response to changes in the journal's health.
 * Before: `cache.ts`. After: `durable/` and `files/`.
 */
import { FrozenRows } from '../core/evolve/frozen-rows.js'
import { Replacement } from '../core/evolve/replacement.js'
import type { State } from '../core/evolve/state.js'
import type { Clock } from '../core/model/clock.js'
import { hasExpired } from '../core/model/expiry.js'
import type { CompactionReport, Journal } from '../durable/contract.js'
import type { Storage } from '../durable/storage/storage.js'
import { CacheClosedError } from '../errors.js'
import type { SaveFormat, SaveProgress } from '../files/format.js'
import { readSave } from '../files/load.js'
import { type Saved, writeSave } from '../files/save.js'
import type { Lifecycle } from './actor/lifecycle.js'
import type { Opening } from './opening.js'
import type { ExpiryTimer } from './turns/expiry-timer.js'
import type { Turns } from './turns/turns.js'

export interface LoadReport {
  /** Entries loaded: what the cache now holds. */
  entries: number
  /** Entries of the file that were omitted because they had expired. */
  expired: number
  /** Entries of the file that were omitted because the cache has no room: the least recently used ones. */
  evicted: number
}

export interface MaintenanceParts {
  state: State
  journal: Journal
  clock: Clock
  /** For the files of `save` and `load`. */
  storage: Storage
  turns: Turns
  expiry: ExpiryTimer
  lifecycle: Lifecycle
  opening: Opening
}

export class Maintenance {
  readonly #parts: MaintenanceParts
  #compaction: { promise: Promise<CompactionReport>; controller: AbortController } | undefined
  /** The running compaction or load. A new one waits for it. */
  #running: Promise<unknown> = Promise.resolve()

  constructor(parts: MaintenanceParts) {
    this.#parts = parts
  }

  // ── the journal's health ──

  readonly onJournalChange = (): void => {
    const { journal, turns, opening } = this.#parts
    if (opening.isOpen) turns.isWritable = journal.health.status === 'writable'
    // The health may change during an append, and listeners must not run inside a turn.
    turns.whenIdle(() => this.#reportHealth())
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
      const promise = this.#exclusively(() => this.#compactNow(controller.signal)).finally(() => {
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
    try {
      const report = await journal.compact({
        freeze: () => new FrozenRows(state),
        progress: (done, total) => lifecycle.send({ type: 'progress', done, total }),
        signal,
      })
      lifecycle.send({ type: 'compaction ended' })
      return report
    } catch (error) {
      lifecycle.send({ type: 'compaction ended', reason: (error as Error).message })
      throw error
    }
  }

  /** A compaction and a load must not overlap: the compaction would remove the file that the `loaded` event will refer to. */
  #exclusively<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#running.then(task)
    this.#running = done.catch(() => undefined)
    return done
  }

  // ── save and load ──

  async save(path: string, format: SaveFormat, progress: SaveProgress | undefined): Promise<Saved> {
    const { state, storage, clock } = this.#parts
    const source = new FrozenRows(state)
    try {
      return await writeSave({ storage, path, format, source, nowMs: clock.now(), progress })
    } finally {
      source.release()
    }
  }

  /** Reads the file into a replacement, makes it durable beside the journal, and switches to it with one event. */
  load(path: string, format: SaveFormat, progress: SaveProgress | undefined): Promise<LoadReport> {
    return this.#exclusively(async () => {
      const { state, journal, clock, storage, turns, opening } = this.#parts
      opening.admitWrite()
      const nowMs = clock.now()
      const replacement = new Replacement(state)
      let expired = 0
      const rows: Parameters<typeof readSave>[3] = {
        counters: replacement.counters,
        add: (key, value, expiresAtMs) => {
          if (hasExpired(expiresAtMs, nowMs)) {
            expired++
            return
          }
          replacement.trim(1)
          if (replacement.entries.size >= state.entriesMax) throw tooManyEntries(path, state.entriesMax)
          replacement.add(key, value, expiresAtMs)
          replacement.trim()
        },
      }
      await readSave(storage, path, format, rows, progress)
      const source = new FrozenRows(replacement)
      try {
        const staged = await journal.stage(source, (done, total) => progress?.(done, total, 'entries'))
        opening.admitWrite()
        turns.record([{ type: 'loaded', ...staged }], clock.now(), replacement)
        return { entries: staged.entries, expired, evicted: replacement.evicted }
      } finally {
        source.release()
      }
    })
  }

  // ── close ──

  /** Aborts a running compaction. Resolves when nothing is running. */
  async settled(): Promise<void> {
    this.#compaction?.controller.abort(new CacheClosedError('The cache was closed during the compaction'))
    await this.#running
  }
}

function tooManyEntries(path: string, entriesMax: number): RangeError {
  return new RangeError(
    `${path} holds more than ${entriesMax} entries, and one JavaScript Map cannot hold more. Nothing was changed: give the cache a maxSize.`,
  )
}
