/**
 * The life of a cache from `openCache()` to `close()`: recovering, open, draining, closed.
 *
 *   open ─► journal.open (recovery: each event ─► evolve) ─► the limits ─► open
 *   close ─► abort a compaction, wait for a load ─► journal.close ─► closed, or open again if something cannot be written
 */
import { evolveLimits } from '../../core/evolve/evolve.js'
import type { State } from '../../core/evolve/state.js'
import { ranksByUse } from '../../core/evolve/use-order.js'
import type { Clock } from '../../core/model/clock.js'
import { unjournaledLimits } from '../../core/model/limits.js'
import type {
  CompactionThresholds,
  FsyncPolicy,
  Journal,
  JournalSession,
  RecoveryReport,
  Retention,
} from '../../durable/contract.js'
import { encodeUseOrder } from '../../durable/format/use-order.js'
import { receiverFor, type StateReceiver } from '../../durable/history/replayed-state.js'
import { isWriteFailure, refusal } from '../../durable/journal/refusal.js'
import { CacheClosedError, CacheError, reasonOf } from '../../errors.js'
import type { Lifecycle } from '../actor/lifecycle.js'
import type { ExpiryTimer } from '../turns/expiry-timer.js'
import { applyLimits, type GivenLimits } from '../turns/limiting.js'
import type { Following } from '../turns/replica.js'
import type { Turns } from '../turns/turns.js'
import { consoleText, INSPECT, type Inspect } from './console-text.js'

export interface OpeningOptions {
  limits: GivenLimits
  fsync: FsyncPolicy
  compaction: CompactionThresholds | false
  retention: Retention | undefined
  journalClock: Clock
  onProgress: ((progress: { done: number; total: number }) => void) | undefined
}

export interface OpeningParts {
  state: State
  journal: Journal
  clock: Clock
  turns: Turns
  replica: Following
  expiry: ExpiryTimer
  lifecycle: Lifecycle
}

export class Opening {
  readonly #parts: OpeningParts
  readonly #state: State
  readonly #turns: Turns
  readonly #options: OpeningOptions
  #recovery: RecoveryReport | undefined
  #opening: Promise<void> | undefined
  #closing: Promise<void> | undefined
  /** Called once the cache is open, and after each change in the journal's health. */
  onJournalChange: (() => void) | undefined
  /** Called once, when the cache has closed. */
  onClose: (() => void) | undefined
  /** Resolves when nothing is running that `close()` must wait for. */
  settled: (() => Promise<void>) | undefined

  constructor(parts: OpeningParts, options: OpeningOptions) {
    this.#parts = parts
    this.#state = parts.state
    this.#turns = parts.turns
    this.#options = options
  }

  // ── open ──

  /** Recovers the state from the journal. Every call is refused until it has resolved. */
  open(): Promise<void> {
    this.#opening = this.#open()
    return this.#opening
  }

  async #open(): Promise<void> {
    const { journal, turns, expiry, lifecycle } = this.#parts
    let isOurs = false
    try {
      const receiver = this.#receiver()
      const report = await journal.open(this.#session(receiver))
      isOurs = true
      if (this.#closing !== undefined) throw this.notOpen()
      this.#begin(report, receiver)
    } catch (error) {
      turns.isWritable = false
      expiry.stop()
      if (isOurs) {
        // If the journal could not be opened, it may belong to another cache.
        journal.onChange = undefined
        await journal.close().catch(() => undefined)
      }
      lifecycle.send({ type: 'failed', reason: (error as Error).message })
      this.onClose?.()
      throw error
    }
  }

  /** The same at once, for a journal that `openJournal` opens without waiting. */
  openNow(openJournal: (session: JournalSession) => RecoveryReport): void {
    const receiver = this.#receiver()
    this.#begin(openJournal(this.#session(receiver)), receiver)
  }

  #begin(report: RecoveryReport, receiver: StateReceiver): void {
    const { journal, turns, expiry, lifecycle } = this.#parts
    receiver.restoreOrder()
    this.#state.startEvicting()
    journal.onChange = () => this.onJournalChange?.()
    turns.isWritable = !isFollowing(journal)
    this.#limit(report)
    this.#recovery = shownShort(report)
    this.#state.isOpen = true
    lifecycle.send({ type: 'recovered' })
    this.onJournalChange?.()
    expiry.arm(this.#parts.clock.now())
  }

  #receiver(): StateReceiver {
    const { state, journal, replica, lifecycle } = this.#parts
    const { onProgress } = this.#options
    const receiver = receiverFor(state, (done, total) => {
      lifecycle.send({ type: 'progress', done, total })
      onProgress?.({ done, total })
    })
    return journal.isSpeculative === true ? replica.receiving(receiver) : receiver
  }

  #session(receiver: StateReceiver): JournalSession {
    const { state, replica } = this.#parts
    const { fsync, compaction, retention, journalClock } = this.#options
    return {
      fsync,
      clock: journalClock,
      compaction,
      retention,
      counters: state.counters,
      limits: state,
      receiver,
      replica,
    }
  }

  /** Limits that are given replace those that the journal remembers, unless another node decides. If none are, nothing is removed. */
  #limit(report: RecoveryReport): void {
    const { state, journal } = this.#parts
    const { limits } = this.#options
    if (!state.areLimitsJournaled) evolveLimits(state, unjournaledLimits(state.size))
    if ((limits.maxSize === undefined && limits.maxBytes === undefined) || isFollowing(journal)) return
    Object.assign(report, applyLimits(this.#parts, limits))
  }

  get recovery(): RecoveryReport {
    if (this.#recovery === undefined) throw this.notOpen()
    return this.#recovery
  }

  // ── while it is open ──

  get isOpen(): boolean {
    return this.#state.isOpen
  }

  /** @throws CacheClosedError unless the cache is open. */
  admitRead(): void {
    if (!this.#state.isOpen || !this.#state.isWhole) throw this.notOpen()
  }

  /** @throws CacheClosedError unless the cache is open; JournalWriteError or NotLeaderError while the journal cannot be written. */
  admitWrite(): void {
    if (!this.#state.isOpen || !this.#state.isWhole) throw this.notOpen()
    if (!this.#turns.isWritable) throw refusal(this.#parts.journal.health)
  }

  /** Why a call is refused. */
  readonly notOpen = (): CacheClosedError => {
    if (this.#state.isOpen) this.close({ force: true }).catch(() => undefined) // the state is not whole; lifecycle$ reports how closing ended
    if (!this.#parts.state.isWhole) return cutShort()
    const { state } = this.#parts.lifecycle.state
    if (state === 'recovering')
      return new CacheClosedError('The cache is still recovering', { advice: 'Await openCache() first.' })
    return new CacheClosedError(`The cache is ${state === 'draining' ? 'closing' : 'closed'}`)
  }

  // ── close ──

  /** If something cannot be written, rejects, and the cache is open again; with `force` it is closed in any case. */
  close({ force = false } = {}): Promise<void> {
    const running = this.#closing
    if (running === undefined) this.#closing = this.#close(force)
    else if (force) {
      return running.catch((error) => {
        if (!this.#state.isOpen) throw error
        return this.close({ force })
      })
    }
    return this.#closing as Promise<void>
  }

  async #close(force: boolean): Promise<void> {
    const { state, journal, turns, expiry, lifecycle } = this.#parts
    if (lifecycle.state.state === 'closed') return // opening failed
    this.#state.isOpen = false
    turns.isWritable = false
    expiry.stop()
    lifecycle.send({ type: 'close' })
    if (this.#recovery === undefined) {
      await this.#opening?.catch(() => undefined) // #open sees #closing and closes the journal
      lifecycle.send({ type: 'closed' })
      return
    }
    await this.settled?.()
    let failure: unknown
    try {
      const { isOrderJournaled, isWhole } = state
      const order =
        isOrderJournaled || !isWhole || journal.isSpeculative === true ? undefined : encodeUseOrder(ranksByUse(state))
      await journal.close(order, { force })
    } catch (error) {
      if (!force && isWriteFailure(error)) {
        this.#stayOpen()
        throw error
      }
      failure = error
    }
    this.onClose?.()
    journal.onChange = undefined
    const reason = state.isWhole ? (failure as Error | undefined)?.message : cutShort().message
    lifecycle.send(reason === undefined ? { type: 'closed' } : { type: 'failed', reason })
    if (failure !== undefined) {
      throw failure instanceof CacheError
        ? failure
        : new CacheError('OUTCOME_UNKNOWN', `The last flush failed: ${reasonOf(failure)}`, {
            advice: 'The directory was released: reopen it to see which changes were kept.',
            cause: failure,
          })
    }
  }

  #stayOpen(): void {
    const { journal, expiry, lifecycle } = this.#parts
    const { health } = journal
    this.#closing = undefined
    this.#state.isOpen = true
    expiry.resume()
    lifecycle.send({ type: 'stays open', ...(health.status === 'writable' ? {} : { reason: health.error.message }) })
    this.onJournalChange?.()
  }
}

/** Whether another node writes: then nothing is changed here. */
function isFollowing({ health }: Journal): boolean {
  return health.status === 'following'
}

/** `console.log` prints what is not `undefined`. For everything else it is a plain object. */
function shownShort(report: RecoveryReport): RecoveryReport {
  const value = (depth: number, options: object, inspect: Inspect) =>
    consoleText('RecoveryReport', report, depth, options, inspect)
  Reflect.defineProperty(report, INSPECT, { value, configurable: true }) // a journal of the user's may have frozen it
  return report
}

function cutShort(): CacheClosedError {
  return new CacheClosedError(
    'An error interrupted a change, so the state in memory could not be trusted and the cache closed itself',
    {
      consequence: 'The journal is intact.',
      advice: 'Fix the cause of the error, then open the cache again.',
    },
  )
}
