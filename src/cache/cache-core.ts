/**
 * What one cache consists of: its state, its journal, its turns, its timers and its lifecycle. The façade calls it in the
 * caller's own stack; the XState actor (`logic.ts`) calls it for messages that were sent.
 */
import { type Actor, createActor, type InspectionEvent, type Observer } from 'xstate'
import { evolve, evolveRow, evolveSet, recordHit, recordMiss, restoreRecency } from '../core/evolve/evolve.js'
import { FrozenRows } from '../core/evolve/frozen-rows.js'
import { Replacement } from '../core/evolve/replacement.js'
import { State, type StateOptions } from '../core/evolve/state.js'
import type { Clock } from '../core/model/clock.js'
import type { Command } from '../core/model/command.js'
import type { StoredValue } from '../core/model/stored-value.js'
import type {
  CompactionReport,
  CompactionThresholds,
  FsyncPolicy,
  Journal,
  RecoveryReport,
} from '../durable/contract.js'
import { refusal } from '../durable/journal/refusal.js'
import { disk } from '../durable/storage/disk.js'
import { CacheClosedError, CacheError } from '../errors.js'
import type { SaveFormat, SaveProgress } from '../files/format.js'
import { readSave } from '../files/load.js'
import { type Saved, writeSave } from '../files/save.js'
import { createLifecycle, type LifecycleState, toLifecycleState } from './actor/lifecycle.js'
import { ExpiryTimer, type Slice } from './turns/expiry-timer.js'
import { type CommitListener, type EventOutlet, Turns } from './turns/turns.js'

export type Inspector = Observer<InspectionEvent> | ((event: InspectionEvent) => void)

export interface CoreOptions extends StateOptions {
  journal: Journal
  clock: Clock
  fsync: FsyncPolicy
  cleanupIntervalMs: number
  compaction: CompactionThresholds | false
  inspect: Inspector | undefined
  onProgress: ((progress: { done: number; total: number }) => void) | undefined
  /** Off only in tests, which compare the two ways. */
  usesShortcuts: boolean
}

export interface LoadReport {
  /** Entries that the cache now holds. */
  entries: number
  /** Entries of the file that had expired, and were left out. */
  expired: number
  /** Entries of the file that the cache has no room for: the least recently used ones, left out. */
  evicted: number
}

const CUT_SHORT =
  'An error (most likely the stack ran out: a call that recurses without end) cut a change short, so what is in memory is not ' +
  'to be trusted. The cache has closed itself; the journal is whole: mend the recursion and open it again with openCache().'

/** Entries that one slice of cleanup removes: one or two milliseconds. */
const SLICE_ENTRIES = 1_000

export class CacheCore {
  readonly state: State
  readonly turns: Turns
  readonly journal: Journal
  readonly clock: Clock
  readonly #options: CoreOptions
  readonly #expiry: ExpiryTimer
  readonly #lifecycle: Actor<ReturnType<typeof createLifecycle>>
  readonly #usesShortcuts: boolean
  #isOpen = false
  #recovery: RecoveryReport | undefined
  #compaction: { promise: Promise<CompactionReport>; controller: AbortController } | undefined
  #maintenance: Promise<unknown> = Promise.resolve()
  #opening: Promise<void> | undefined
  #closing: Promise<void> | undefined
  /** Called with the events of every turn while somebody must know of them, whether or not anybody subscribes. */
  onCommit: CommitListener | undefined
  /** Called once, when the cache is about to close. */
  onClose: (() => void) | undefined

  constructor(options: CoreOptions, outlet: EventOutlet) {
    this.#options = options
    this.#usesShortcuts = options.usesShortcuts
    this.clock = options.clock
    this.journal = options.journal
    this.state = new State(options)
    this.turns = new Turns(this.state, options.journal, outlet, (events, deletedNothing) => {
      this.#expiry.arm()
      this.onCommit?.(events, deletedNothing)
    })
    this.#expiry = new ExpiryTimer(options.clock, this.state, () => this.#removeSlice())
    this.#lifecycle = createActor(
      createLifecycle({
        cleanupIntervalMs: options.cleanupIntervalMs,
        removeSlice: () => this.#removeSlice() === 'more',
      }),
      { clock: options.clock as never, ...(options.inspect === undefined ? {} : { inspect: options.inspect }) },
    )
    this.#lifecycle.start()
  }

  // ── lifecycle ──

  get lifecycle(): LifecycleState {
    return toLifecycleState(this.#lifecycle.getSnapshot())
  }

  onLifecycle(listener: (state: LifecycleState) => void): void {
    this.#lifecycle.subscribe({ next: (snapshot) => listener(toLifecycleState(snapshot)) })
  }

  /** Recovers the state from the journal. Until it is done every command is refused. */
  open(): Promise<void> {
    this.#opening = this.#open()
    return this.#opening
  }

  async #open(): Promise<void> {
    const { state, journal, clock } = this
    const { fsync, compaction, onProgress } = this.#options
    let isOurs = false
    try {
      const report = await journal.open({
        fsync,
        clock,
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
            this.#lifecycle.send({ type: 'progress', done, total })
            onProgress?.({ done, total })
          },
        },
      })
      isOurs = true
      if (this.#closing !== undefined) throw this.#notOpen()
      journal.onChange = () => this.#onJournalChange()
      this.turns.isWritable = true
      this.#trim(report)
      this.#recovery = report
      this.#isOpen = true
      this.#lifecycle.send({ type: 'recovered' })
      this.#onJournalChange()
      this.#expiry.arm()
    } catch (error) {
      this.turns.isWritable = false
      this.#expiry.stop()
      if (isOurs) {
        // Not one that could not be opened: another cache may have it.
        journal.onChange = undefined
        await journal.close([]).catch(() => undefined)
      }
      this.#lifecycle.send({ type: 'failed', reason: (error as Error).message })
      this.onClose?.()
      throw error
    }
  }

  /** A smaller limit than the journal was written with: events, like any other eviction, before anybody can call. */
  #trim(report: RecoveryReport): void {
    for (;;) {
      const { expired, evicted } = this.turns.trim(this.clock.now(), SLICE_ENTRIES)
      if (expired + evicted === 0) return
      report.expired += expired
      report.evicted += evicted
    }
  }

  get recovery(): RecoveryReport {
    if (this.#recovery === undefined) throw this.#notOpen()
    return this.#recovery
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** @throws CacheClosedError unless the cache is open. */
  admitRead(): void {
    if (!this.#isOpen || !this.state.isWhole) throw this.#notOpen()
  }

  /** @throws CacheClosedError unless the cache is open; JournalWriteError while the journal takes nothing. */
  admitWrite(): void {
    if (!this.#isOpen || !this.state.isWhole) throw this.#notOpen()
    if (!this.turns.isWritable) throw refusal(this.journal.health)
  }

  #notOpen(): CacheClosedError {
    if (this.#isOpen) this.close().catch(() => undefined) // it stops here; lifecycle$ says how it ended
    if (!this.state.isWhole) return new CacheClosedError(CUT_SHORT)
    const { state } = this.lifecycle
    return new CacheClosedError(
      state === 'recovering'
        ? 'The cache is still recovering: await openCache() first. Nothing was changed.'
        : `The cache is ${state === 'draining' ? 'closing' : 'closed'}, and nothing was changed: open it again with openCache().`,
    )
  }

  // ── commands ──

  /** Removals make room for what is written, and happen on reading too; so this is the one way in for both. */
  run(command: Command): unknown {
    return this.turns.run(command)
  }

  /**
   * A shortcut for the commonest read: it decides nothing, so there is no command, no event and, for an entry without a
   * deadline, no look at the clock. What it answers and leaves behind is what `run({ type: 'get' })` does; the property
   * tests run with and without it.
   */
  get(key: string): StoredValue | undefined {
    this.admitRead()
    if (!this.#usesShortcuts) return this.run({ type: 'get', key, nowMs: this.clock.now() }) as StoredValue | undefined
    const { state } = this
    const slot = state.find(key)
    if (slot === undefined) {
      recordMiss(state)
      return undefined
    }
    const deadlineMs = state.deadlineAt(slot)
    if (deadlineMs !== Number.POSITIVE_INFINITY) {
      const nowMs = this.clock.now()
      if (nowMs >= deadlineMs) return this.run({ type: 'get', key, nowMs }) as StoredValue | undefined
    }
    recordHit(state, slot)
    return state.valueAt(slot)
  }

  /**
   * A shortcut for the commonest write, a `set` that needs nothing removed and that nobody observes: `decide` would come to
   * this one event. It is appended before it is evolved, so there is nothing to undo when the append throws; no clock is
   * read and no command, event or array is made. Answers whether it was taken; if not, `run` is the way.
   */
  setAlone(key: string, value: StoredValue, expiresAtMs: number): boolean {
    const { state, turns, journal } = this
    if (
      !this.#usesShortcuts ||
      turns.isBusyOrObserved ||
      this.onCommit !== undefined ||
      state.maxBytes !== Number.POSITIVE_INFINITY ||
      journal.appendSet === undefined
    )
      return false
    const slot = state.find(key)
    if (slot === undefined ? state.size >= state.maxSize : state.deadlineAt(slot) !== Number.POSITIVE_INFINITY)
      return false
    journal.appendSet(key, value, expiresAtMs)
    state.isWhole = false // until memory has what the journal has
    evolveSet(state, slot, key, value, expiresAtMs)
    if (expiresAtMs !== Number.POSITIVE_INFINITY) this.#expiry.arm()
    return true
  }

  /**
   * The same shortcut for an `increment` of a number that is there and has no deadline: what threads mostly ask. Answers the
   * sum, or `undefined` if it was not taken.
   */
  incrementAlone(key: string, by: number): number | undefined {
    const { state } = this
    const slot = state.find(key)
    if (slot === undefined) return undefined
    const current = state.valueAt(slot)
    if (typeof current !== 'number') return undefined
    const sum = current + by
    // Past this, or with NaN, it takes `decide` to say what is wrong.
    if (!(Math.abs(sum) <= Number.MAX_SAFE_INTEGER)) return undefined
    return this.setAlone(key, sum, Number.POSITIVE_INFINITY) ? sum : undefined
  }

  // ── expiry ──

  /** Everything that has expired, slice by slice, each a turn of its own. Answers how many entries went. */
  cleanup(): number {
    if (!this.turns.isWritable) return 0
    let removed = 0
    for (;;) {
      const slice = this.turns.removeExpired(this.clock.now(), SLICE_ENTRIES)
      removed += slice.removed
      if (slice.isAll) return removed
    }
  }

  /** One slice, for a timer. A journal that refuses it is no timer's error: the slice is undone, and the next cleanup tries again. */
  #removeSlice(): Slice {
    if (!this.#isOpen || !this.turns.isWritable || !this.state.isWhole) return 'blocked'
    try {
      return this.turns.removeExpired(this.clock.now(), SLICE_ENTRIES).isAll ? 'done' : 'more'
    } catch {
      return 'blocked'
    }
  }

  // ── journal ──

  #onJournalChange(): void {
    const { health } = this.journal
    if (this.#isOpen) this.turns.isWritable = health.status === 'writable'
    // Listeners are told when the turn is over: the journal may notice in the middle of an append.
    this.turns.whenIdle(() => this.#tellJournalState())
  }

  #tellJournalState(): void {
    const { health } = this.journal
    if (health.status !== 'writable') {
      this.#lifecycle.send({ type: 'journal stopped', reason: health.error.message })
      return
    }
    this.#lifecycle.send({ type: 'journal resumed' })
    if (!this.#isOpen) return
    this.#expiry.arm()
    if (this.journal.isDueForCompaction && this.#compaction === undefined) {
      this.compact().catch(() => undefined) // lifecycle$ says it; the journal goes on, and asks again when it has grown
    }
  }

  flush(): Promise<number> {
    return this.journal.flush()
  }

  /** While one is being written, the promise of that one. */
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
    signal.throwIfAborted()
    this.admitWrite()
    const lifecycle = this.#lifecycle
    lifecycle.send({ type: 'compaction began', total: this.state.size })
    try {
      const report = await this.journal.compact({
        freeze: () => new FrozenRows(this.state),
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

  /** A compaction and a load never overlap: the one removes files that the other is about to name. */
  #exclusively<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#maintenance.then(task)
    this.#maintenance = done.catch(() => undefined)
    return done
  }

  // ── save and load ──

  async save(path: string, format: SaveFormat, progress: SaveProgress | undefined): Promise<Saved> {
    const source = new FrozenRows(this.state)
    try {
      return await writeSave({ storage: disk, path, format, source, nowMs: this.clock.now(), progress })
    } finally {
      source.release()
    }
  }

  /** The file becomes rows aside, those are made durable beside the journal, and one event puts them in place. */
  load(path: string, format: SaveFormat, progress: SaveProgress | undefined): Promise<LoadReport> {
    return this.#exclusively(async () => {
      this.admitWrite()
      const nowMs = this.clock.now()
      const replacement = new Replacement(this.state)
      let expired = 0
      const rows: Parameters<typeof readSave>[3] = {
        counters: replacement.counters,
        add: (key, value, expiresAtMs) => {
          if (expiresAtMs <= nowMs) expired++
          else replacement.add(key, value, expiresAtMs)
          replacement.trim()
        },
      }
      await readSave(disk, path, format, rows, progress)
      const source = new FrozenRows(replacement)
      try {
        const staged = await this.journal.stage(source, (done, total) => progress?.(done, total, 'entries'))
        this.admitWrite()
        this.turns.replaceAll({ type: 'loaded', ...staged }, replacement, this.clock.now())
        return { entries: staged.entries, expired, evicted: replacement.evicted }
      } finally {
        source.release()
      }
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (this.lifecycle.state === 'closed') return // it could not be opened
    this.#isOpen = false
    this.#expiry.stop()
    this.#lifecycle.send({ type: 'close' })
    if (this.#recovery === undefined) {
      await this.#opening?.catch(() => undefined) // recovery lets go of the journal by itself
      this.#lifecycle.send({ type: 'closed' })
      return
    }
    this.onClose?.()
    this.#compaction?.controller.abort(
      new CacheClosedError('The cache was closed while it was compacted: nothing was changed.'),
    )
    await this.#maintenance
    let failure: unknown
    try {
      const { isOrderJournaled, isWhole } = this.state
      await this.journal.close(isOrderJournaled || !isWhole ? [] : this.state.keysByUse())
    } catch (error) {
      failure = error
    }
    this.journal.onChange = undefined
    const reason = this.state.isWhole ? (failure as Error | undefined)?.message : CUT_SHORT
    this.#lifecycle.send(reason === undefined ? { type: 'closed' } : { type: 'failed', reason })
    if (failure !== undefined) {
      throw failure instanceof CacheError
        ? failure
        : new CacheError(
            'OUTCOME_UNKNOWN',
            `The last flush failed: ${(failure as Error).message}. The directory was let go; open it again to see what was kept.`,
            { cause: failure },
          )
    }
  }
}
