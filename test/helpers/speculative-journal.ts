import { NEW_LIMITS } from '../../src/core/model/limits.js'
import type { Note } from '../../src/core/model/note.js'
import {
  type CacheEvent,
  type CompactionReport,
  type ForeignFrame,
  type Journal,
  type JournalFigures,
  type JournalHealth,
  type JournalSession,
  NotLeaderError,
  type RecoveryReport,
  type Replica,
} from '../../src/index.js'

/** A journal in memory that has other writers, as far as the test says so. What is appended waits for {@link commit}. */
export class SpeculativeJournal implements Journal {
  readonly isSpeculative = true
  /** What every writer has written, and what was appended here since. */
  readonly events: CacheEvent[] = []
  readonly notes: Note[] = []
  /** The last sequence of each turn that was appended. */
  readonly ends: number[] = []
  committed = 0
  session!: JournalSession
  health: JournalHealth
  onChange: (() => void) | undefined
  readonly isDueForCompaction = false
  readonly directory = undefined
  /** Why what is pending cannot be written, if it cannot. */
  failure: Error | undefined

  constructor(leads = true) {
    this.health = leads ? { status: 'writable' } : following('other')
  }

  async open(session: JournalSession): Promise<RecoveryReport> {
    this.session = session
    session.receiver.limits(session.limits === undefined ? NEW_LIMITS : { ...session.limits })
    return {
      ...{ snapshot: undefined, segments: 0, frames: 0, events: 0, sequence: 0, bytes: 0, durationMs: 0, clean: true },
      ...{ setAside: undefined, damage: undefined, evicted: 0, expired: 0 },
    }
  }

  get replica(): Replica {
    return this.session.replica
  }

  append(events: readonly CacheEvent[], note?: Note): number {
    if (this.health.status !== 'writable') throw this.health.error
    const first = this.events.length + 1
    this.events.push(...events)
    this.ends.push(this.events.length)
    if (note !== undefined) this.notes.push(note)
    return first
  }

  /** What was appended up to a sequence, or all of it, is in the log. */
  commit(sequence = this.events.length): void {
    this.committed = sequence
    this.replica.commit(sequence)
  }

  /** Another node leads; what was appended here is not in the log. */
  depose(leader = 'other'): void {
    this.#become(following(leader))
    this.revert()
  }

  revert(): void {
    this.events.length = this.committed
    while ((this.ends.at(-1) ?? 0) > this.committed) this.ends.pop()
    this.replica.revert()
  }

  lead(): void {
    this.#become({ status: 'writable' })
  }

  /** A frame of another node. */
  receive(events: readonly CacheEvent[], more: Partial<ForeignFrame> = {}): void {
    const firstSequence = this.events.length + 1
    this.events.push(...events)
    this.committed = this.events.length
    this.replica.follow({ events, notes: [], firstSequence, timeMs: 0, ...more }, this.session.clock.now())
  }

  #become(health: JournalHealth): void {
    this.health = health
    this.onChange?.()
  }

  async flush(): Promise<number> {
    if (this.failure !== undefined) throw this.failure
    this.commit()
    return this.committed
  }

  async compact(): Promise<CompactionReport> {
    throw new Error('not in this test')
  }

  async stage(): Promise<{ file: string; checksum: number; entries: number }> {
    return { file: 'staged', checksum: 0, entries: 0 }
  }

  figures(): JournalFigures {
    return {
      ...{ sequence: this.events.length, durableSequence: this.committed, pendingBytes: 0, bytes: 0, segments: 0 },
      ...{ snapshotSequence: 0, snapshotBytes: 0, oldestSequence: 0, oldestTimeMs: 0, historyBytes: 0 },
    }
  }

  async close(): Promise<void> {
    if (this.health.status === 'writable') await this.flush()
  }
}

function following(leader: string): JournalHealth {
  return { status: 'following', leader, error: new NotLeaderError(leader) }
}

/** The rows of the last commit, by key, and what else a snapshot has. */
export function frozen(replica: Replica) {
  const source = replica.freeze()
  const rows: unknown[] = []
  for (let row = source.read(); row !== undefined; row = source.read()) rows.push(row)
  source.release()
  const key = (row: unknown) => (row as { key: string }).key
  rows.sort((one, other) => (key(one) < key(other) ? -1 : 1))
  return { rows, count: source.count, counters: { ...source.counters }, limits: source.limits, notes: source.notes }
}
