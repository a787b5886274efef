/**
 * Following the log: every record behind what has been applied is applied, in order. If the next one is gone, the cache forgets everything and
 * goes on from a snapshot; if one is damaged, it is read once more, because it may have been trimmed meanwhile, and then it is as good as
 * gone if a snapshot has it. What the engine does not give now is asked for until it does. Before: replicated-journal. After: log-reader,
 * applier, snapshots.
 */
import type { JournalSession } from '../../../durable/contract.js'
import { CorruptionError } from '../../../errors.js'
import type { Log, LogRecord, Position } from '../log.js'
import type { Applier } from './applier.js'
import type { ClusterClock } from './cluster-clock.js'
import { LogReader } from './log-reader.js'
import { gone } from './open-log.js'
import { AGAIN_MS, isFinal } from './patience.js'
import type { Snapshots } from './snapshots.js'

/** How often: the server that is asked for the snapshot may have been away, too, and not know of it yet. */
const GONE_TRIES = 20

export interface FollowingParts {
  readonly log: Log
  readonly applier: Applier
  readonly snapshots: Snapshots
  readonly clock: ClusterClock
  readonly session: JournalSession
}

export interface FollowingHooks {
  /** A record has been applied, or a snapshot, which has many. */
  took(record: LogRecord | undefined): void
  /** This node cannot go on. */
  failed(error: Error): void
}

export class Following {
  readonly #parts: FollowingParts
  readonly #hooks: FollowingHooks
  #reader: LogReader | undefined
  #failedAt: Position | undefined
  #goneTries = 0
  #isStopped = false

  constructor(parts: FollowingParts, hooks: FollowingHooks) {
    this.#parts = parts
    this.#hooks = hooks
    this.#read()
  }

  /** Whether everything that has arrived has been applied. */
  get isIdle(): boolean {
    return this.#reader?.isIdle === true
  }

  stop(): void {
    this.#isStopped = true
    this.#reader?.stop()
    this.#reader = undefined
  }

  #read(): void {
    const { log, applier, session } = this.#parts
    if (this.#isStopped) return
    this.#reader = new LogReader(log, applier.position + 1, {
      take: (record, at) => {
        const pending = applier.take(record, at, session)
        if (pending !== undefined) return pending.then(() => this.#took(record))
        this.#took(record)
        return undefined
      },
      gap: () => this.#resynchronize(),
      failed: (error) => this.#retry(error as Error),
    })
  }

  #took(record: LogRecord | undefined): void {
    if (!this.#isStopped) this.#hooks.took(record)
  }

  /** Only to a snapshot that has the record after the last one that was applied: what has been emitted is not emitted again. */
  #resynchronize(damage?: Error): void {
    const { session, snapshots, applier, clock } = this.#parts
    if (this.#isStopped) return
    this.#reader?.stop()
    this.#reader = undefined
    const { receiver, replica } = session
    replica.reset()
    snapshots
      .restore(receiver, () => replica.reset())
      .then(
        (restored) => {
          if (this.#isStopped) return
          if (restored === undefined) {
            if (++this.#goneTries >= GONE_TRIES) this.#fail(gone())
            else clock.setTimeout(() => this.#resynchronize(damage), AGAIN_MS)
            return
          }
          this.#goneTries = 0
          if (damage !== undefined && restored.header.position <= applier.position) {
            this.#fail(damage)
            return
          }
          const { nextSequence, timeMs } = restored.header
          replica.follow({ events: [], notes: [], firstSequence: nextSequence, timeMs }, clock.ownNow()) // it is complete
          applier.restore(restored.header)
          this.#took(undefined)
          this.#read()
        },
        (error) => {
          if (isFinal(error)) this.#fail(error)
          else clock.setTimeout(() => this.#resynchronize(damage), AGAIN_MS)
        },
      )
  }

  #retry(error: Error): void {
    this.#reader = undefined
    const at = this.#parts.applier.position + 1
    if (this.#failedAt === at && isFinal(error)) {
      if (error instanceof CorruptionError) this.#passOver(error, at)
      else this.#fail(error)
      return
    }
    this.#failedAt = at
    this.#readAgain()
  }

  #readAgain(): void {
    this.#parts.clock.setTimeout(() => this.#read(), AGAIN_MS)
  }

  /** Whatever this node has applied or emitted before, the snapshot replaces: also what came from a copy of the log that differs. */
  #passOver(damage: Error, at: Position): void {
    this.#parts.snapshots.look().then(
      (position) => {
        if (position < at) this.#fail(damage)
        else this.#resynchronize(damage)
      },
      () => this.#readAgain(),
    )
  }

  #fail(error: Error): void {
    if (!this.#isStopped) this.#hooks.failed(error)
  }
}
