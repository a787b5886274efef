import {
  type CacheEvent,
  type CompactionReport,
  type CompactionRequest,
  type Journal,
  type JournalFigures,
  type JournalHealth,
  type JournalSession,
  memoryJournal,
  type RecoveryReport,
} from '../../src/index.js'

/**
 * A journal in memory that fails on demand, with the health that a file journal would have. For tests of the cache; the effects of
 * failures on files are tested with faulty storage.
 */
export class BreakableJournal implements Journal {
  readonly #inner = memoryJournal()
  #health: JournalHealth | undefined
  /** Called before every append; may throw. */
  onAppend: ((events: readonly CacheEvent[]) => void) | undefined
  /** The events of each append. */
  readonly appended: (readonly CacheEvent[])[] = []
  onChange: (() => void) | undefined

  /** From now on it behaves as after a failed write (`stalled`) or a failed fsync (`failed`). */
  break(status: 'stalled' | 'failed', error = new Error('EIO: i/o error')): void {
    this.#health = { status, error }
    this.onChange?.()
  }

  mend(): void {
    this.#health = undefined
    this.onChange?.()
  }

  get health(): JournalHealth {
    return this.#health ?? this.#inner.health
  }

  open(session: JournalSession): Promise<RecoveryReport> {
    this.#inner.onChange = () => this.onChange?.()
    return this.#inner.open(session)
  }

  append(events: readonly CacheEvent[]): number {
    this.onAppend?.(events)
    if (this.#health !== undefined) throw this.#health.status === 'writable' ? new Error() : this.#health.error
    this.appended.push([...events])
    return this.#inner.append(events)
  }

  async flush(): Promise<number> {
    if (this.#health !== undefined && this.#health.status !== 'writable') throw this.#health.error
    return this.#inner.flush()
  }

  async compact(request: CompactionRequest): Promise<CompactionReport> {
    if (this.#health !== undefined && this.#health.status !== 'writable') throw this.#health.error
    return this.#inner.compact(request)
  }

  stage(...parameters: Parameters<Journal['stage']>): ReturnType<Journal['stage']> {
    return this.#inner.stage(...parameters)
  }

  figures(): JournalFigures {
    return this.#inner.figures()
  }

  get isDueForCompaction(): boolean {
    return this.#inner.isDueForCompaction
  }

  close(order?: Uint8Array): Promise<void> {
    return this.#inner.close(order)
  }

  get directory(): string | undefined {
    return undefined
  }
}
