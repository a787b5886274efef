/**
 * A journal that several nodes share: a log. One node appends to it, the leader; on the others it is read-only, and what the leader appends
 * is applied.
 *
 *                  ┌──────────────────────── any failure: revert, follow from applied + 1 ───────────────────────┐
 *                  ▼                                                                                             │
 *   opening ─► following ──(election)──► candidate ──(its term record is in the log)──► leading ──(close)──► resigning ─► closed
 *                  ▲                         │
 *                  └──── (it is not) ────────┘
 *
 * No clock decides who leads. A term begins with a record directly behind the last one that its node has applied, and every record of the
 * term is directly behind the one before it, so that a deposed leader cannot append. What it has not got into the log is reverted.
 *
 * Acknowledged means: `flush()` has resolved. It does when a frame that was sent after the call is in the log, an empty one if need be, which
 * proves that this node still leads, and makes a read linearizable.
 *
 * Before: the turns of the leader's cache; log-reader on the others. After: leading, applier, snapshots.
 */
import type { CacheEvent } from '../../../core/model/event.js'
import type { Note } from '../../../core/model/note.js'
import type { StoredValue } from '../../../core/model/stored-value.js'
import type {
  CompactionReport,
  CompactionRequest,
  Journal,
  JournalFigures,
  JournalHealth,
  JournalSession,
  RecoveryReport,
  SnapshotSource,
} from '../../../durable/contract.js'
import { queueTask } from '../../../durable/storage/event-loop.js'
import { CacheClosedError, NotLeaderError } from '../../../errors.js'
import type { Log } from '../log.js'
import { Applier } from './applier.js'
import { appendTerm, type Outcome } from './candidacy.js'
import type { ClusterClock } from './cluster-clock.js'
import { Following } from './following.js'
import { Leading } from './leading.js'
import { LogChanges } from './log-changes.js'
import { Objects } from './objects.js'
import { type OpenedLog, openLog, readLog } from './open-log.js'
import { identityOf, jsonBody, type Settings, writeSettings } from './records.js'
import { figuresOf, reportOf } from './reports.js'
import { busy, Snapshots } from './snapshots.js'
import type { Term } from './term-writer.js'

export interface ReplicatedJournalParts {
  readonly log: Log
  /** Of the cache. */
  readonly name: string
  /** Of this node; also its address. */
  readonly node: string
  readonly clock: ClusterClock
  newId(): string
}

export type NodeState = 'opening' | 'following' | 'candidate' | 'leading' | 'resigning' | 'failed' | 'closed'

export class ReplicatedJournal implements Journal {
  readonly isSpeculative = true
  readonly isDueForCompaction = false
  readonly directory = undefined
  onChange: (() => void) | undefined
  /** Called when this node's state, the term or its leader has changed. */
  onPlace: () => void = () => undefined
  readonly #listeners = new Set<() => void>()
  /** Called when this node leads no more, before anything is reverted. */
  onDeposed: () => void = () => undefined
  readonly snapshots: Snapshots
  readonly applier: Applier
  readonly #objects: Objects
  readonly #parts: ReplicatedJournalParts
  readonly #identity: { id: Buffer; seed: number }
  #state: NodeState = 'opening'
  #opened: OpenedLog | undefined
  #session: JournalSession | undefined
  #following: Following | undefined
  #leading: Leading | undefined
  /** Why this node cannot go on. */
  failure: Error | undefined
  /** How many records have come, those that say nothing new included, and when the last one did, by this node's clock. */
  heard = 0
  heardMs: number

  constructor(parts: ReplicatedJournalParts) {
    const { log, name, clock, newId } = parts
    this.#parts = parts
    this.#identity = identityOf(name)
    this.#objects = new Objects(log, newId)
    const { id, seed } = this.#identity
    this.applier = new Applier({ name, seed, objects: this.#objects, clock })
    const beginning = this.applier.header
    this.snapshots = new Snapshots({ log, objects: this.#objects, name, id, clock, beginning })
    this.heardMs = clock.ownNow()
  }

  get state(): NodeState {
    return this.#state
  }

  /** The node that leads, as far as this one knows. */
  get leader(): string | undefined {
    const { leader } = this.applier
    return leader === this.#parts.node && this.#leading === undefined ? undefined : leader
  }

  /** Whether the last term is this node's own, and it does not lead: it had to give up, or its record landed late. */
  get hasLostOwnTerm(): boolean {
    return this.applier.leader === this.#parts.node && this.#leading === undefined
  }

  get health(): JournalHealth {
    if (this.#state === 'leading') return { status: 'writable' }
    if (this.failure !== undefined) return { status: 'failed', error: this.failure }
    return { status: 'following', leader: this.leader, error: new NotLeaderError(this.leader) }
  }

  #refusal(): Error {
    if (this.#state === 'opening' || this.#state === 'closed') return new CacheClosedError('This node is not open')
    const { health } = this
    return health.status === 'writable' ? new NotLeaderError(this.leader) : health.error
  }

  /** What all nodes have in common, with the limits as of now. */
  get settings(): Settings {
    const { settings } = this.#opened as OpenedLog // after `prepare`
    const { maxSize, maxBytes } = this.#session?.limits ?? settings
    return { ...settings, maxSize, maxBytes }
  }

  // ── open ──

  /** Opens the log, which begins with `given` if it is empty, and returns its settings. */
  async prepare(given: Settings): Promise<Settings> {
    const { log, node } = this.#parts
    this.#opened = await openLog(log, this.snapshots, node, given, this.#parts.clock)
    return this.settings
  }

  /** After {@link prepare}. */
  async open(session: JournalSession): Promise<RecoveryReport> {
    const { log, clock } = this.#parts
    const { applier, snapshots } = this
    const beganMs = clock.ownNow()
    const opened = this.#opened as OpenedLog
    const restored = await readLog({ ...opened, log, applier, snapshots, clock, receiver: session.receiver })
    this.#session = session
    queueTask(() => this.#follow()) // when the cache is open
    return reportOf(applier, restored, clock.ownNow() - beganMs)
  }

  // ── following ──

  /** Follows the log from the first record that has not been applied. */
  #follow(): void {
    const session = this.#session
    if (this.#state === 'closed' || this.#state === 'failed' || session === undefined) return
    const { log, clock } = this.#parts
    const { applier, snapshots } = this
    this.#become('following')
    this.#following = new Following(
      { log, applier, snapshots, clock, session },
      {
        took: (record) => {
          this.#hear()
          if (record?.kind !== 'frame') this.#become('following')
          this.#tellApplied()
        },
        failed: (error) => this.#fail(error),
      },
    )
  }

  #hear(): void {
    this.heard++
    this.heardMs = this.#parts.clock.ownNow()
  }

  /** This node cannot go on. Its copy stays as it is. */
  #fail(error: unknown): void {
    if (this.#state === 'closed') return
    this.#stopReading()
    this.failure = error as Error
    this.#become('failed')
  }

  #stopReading(): void {
    this.#following?.stop()
    this.#following = undefined
  }

  /** Calls the listener when a further position has been applied, and when there will be none. Returns the function that stops it. */
  readonly onApplied = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #tellApplied(): void {
    for (const listener of this.#listeners) listener()
  }

  #become(state: NodeState): void {
    this.#state = state
    this.onChange?.()
    this.onPlace()
    if (state === 'closed' || state === 'failed') this.#tellApplied()
  }

  // ── the term ──

  /** Tries to become the leader. Does nothing unless this node follows and has applied everything that has arrived. */
  async stand(): Promise<Outcome | undefined> {
    if (this.#state !== 'following' || this.#following?.isIdle !== true) return undefined
    const { log, node, clock } = this.#parts
    const { position, epoch: before } = this.applier
    const epoch = before + 1
    this.#stopReading()
    this.#become('candidate')
    const timeMs = clock.now()
    const body = jsonBody({ ...writeSettings(this.settings), timeMs })
    const outcome = await appendTerm(log, this.applier, { kind: 'term', epoch, node, body }).catch((error) => {
      this.#fail(error)
    })
    if (outcome === undefined || !this.#is('candidate')) return undefined
    if (outcome === 'elected') this.#lead({ epoch, node, position: position + 1, timeMs })
    else this.#follow()
    return outcome
  }

  /** Not compared directly: it changes while others are awaited. */
  #is(state: NodeState): boolean {
    return this.#state === state
  }

  #lead(term: Term): void {
    const { log, clock } = this.#parts
    const { counters, replica } = this.#session as JournalSession // it has followed
    const parts = { log, objects: this.#objects, applier: this.applier, clock, seed: this.#identity.seed, counters }
    this.#leading = new Leading(parts, term, {
      committed: (sequence) => {
        this.#hear()
        replica.commit(sequence)
        this.#tellApplied()
      },
      failed: () => this.#stepDown(),
    })
    this.#hear()
    this.#become('leading')
    this.#tellApplied()
  }

  /** The one way out of a term that fails, whatever has failed. */
  #stepDown(): void {
    const waiting = this.#leading?.end() ?? []
    const wasResigning = this.#state === 'resigning'
    this.#leading = undefined
    this.#state = 'following'
    this.onChange?.() // before anybody could append
    this.onDeposed()
    this.#session?.replica.revert()
    for (const { reject } of waiting) reject(new NotLeaderError(undefined))
    if (!wasResigning) this.#follow()
  }

  append(events: readonly CacheEvent[], note?: Note): number {
    if (this.#state !== 'leading' || this.#leading === undefined) throw this.#refusal()
    return this.#leading.append(events, note)
  }

  flush(): Promise<number> {
    return this.#leading === undefined ? Promise.reject(this.#refusal()) : this.#leading.flush()
  }

  /** Says that this node leads. */
  beat(): void {
    if (this.#state === 'leading') this.#leading?.beat()
  }

  // ── snapshots, and rows that are staged ──

  /** The rows as of the last position that this node has applied. */
  freeze(): { source: SnapshotSource; sequence: number } {
    const { replica } = this.#session as JournalSession // it is open
    return { source: replica.freeze(), sequence: this.applier.end.nextSequence - 1 }
  }

  /** The changes after a sequence, from the log, then every new one. `caughtUp`: once this node has it. */
  changesSince<V>(sequence: number, restore: (stored: StoredValue) => unknown, caughtUp: () => Promise<void>) {
    const from = () => caughtUp().then(() => this.applier.before(sequence) ?? this.snapshots.before(sequence))
    const { log, name, clock } = this.#parts
    const isClosed = () => {
      if (this.failure !== undefined) throw this.failure
      return this.#state === 'closed'
    }
    const shared = { log, name, clock, seed: this.#identity.seed, objects: this.#objects, onApplied: this.onApplied }
    const parts = { ...shared, isClosed, position: () => this.applier.position }
    return new LogChanges<V>(parts, from, sequence, restore)
  }

  /** Writes a snapshot of what this node has applied. */
  async compact({ progress, signal }: Partial<CompactionRequest> = {}): Promise<CompactionReport> {
    const { applier, settings } = this
    if (this.#leading === undefined && this.#following?.isIdle !== true) throw this.failure ?? busy()
    const { header, bytes } = applier
    const report = await this.snapshots.write({ header, settings, source: this.freeze().source, progress, signal })
    applier.bytes -= bytes
    return report
  }

  stage(source: SnapshotSource, progress: (done: number, total: number) => void) {
    return this.snapshots.stage(this.applier, source, progress)
  }

  figures(): JournalFigures {
    return figuresOf(this.applier, this.snapshots, this.#leading?.figures)
  }

  // ── the end ──

  /** Hands over: what is pending gets into the log, then that this node leads no more. */
  async resign(): Promise<void> {
    const leading = this.#leading
    if (this.#state !== 'leading' || leading === undefined) return
    try {
      this.#become('resigning')
      await leading.flush()
      await leading.resign()
    } catch {
      // Then somebody else leads, or will.
    }
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return
    await this.resign()
    this.#leading?.end()
    this.#leading = undefined
    this.#stopReading()
    this.#become('closed')
    await this.#parts.log.close().catch(() => undefined) // what was acknowledged is in the log of a majority
  }
}
