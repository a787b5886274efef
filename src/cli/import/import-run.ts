/**
 * One run of an import: its progress, its results and its pace. It must not run ahead of the disk: after every megabyte
 * the event loop turns, so that the journal is written, timers fire and Ctrl-C is noticed; after every 64 MB, or every
 * second, everything so far is forced to disk.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Duration } from '../../cache/arguments/duration.js'
import type { Cache } from '../../cache/cache.js'
import { JournalWriteError } from '../../errors.js'
import { messageOf } from '../terminal/failures.js'
import { Progress } from '../terminal/progress.js'
import { ratePerSecond, showBytes, showCount, showCountOf, showMilliseconds } from '../terminal/quantities.js'
import type { FoundFile } from './find-files.js'

const TURN_BYTES = 1024 * 1024
const TURN_MS = 20
const FLUSH_BYTES = 64 * 1024 * 1024
const FLUSH_MS = 1_000
/** For fewer files or lines the rate would measure the start-up, not the import. */
const RATED_MIN = 100

export interface ImportRequest {
  cache: Cache
  files: readonly FoundFile[]
  /** What becomes an entry. */
  unit: 'file' | 'line'
  ttl: Duration | undefined
  signal: AbortSignal
}

export class ImportRun {
  readonly request: ImportRequest
  /** Called when everything imported so far is on disk. */
  onDurable: (() => void) | undefined
  readonly #progress = new Progress({ verbs: { bytes: 'Importing' }, plainLines: true })
  readonly #totalBytes: number
  readonly #startMs = performance.now()
  #doneBytes = 0
  #imported = 0
  #importedBytes = 0
  /** Already there with the same content. */
  #unchanged = 0
  #failed = 0
  #turnBytes = 0
  #turnedAtMs = this.#startMs
  #flushedAtBytes = 0
  #flushedAtMs = this.#startMs

  constructor(request: ImportRequest) {
    this.request = request
    this.#totalBytes = request.files.reduce((sum, file) => sum + file.bytes, 0)
  }

  get failed(): number {
    return this.#failed
  }

  get isStopped(): boolean {
    return this.request.signal.aborted
  }

  imported(bytes: number): void {
    this.#imported++
    this.#importedBytes += bytes
  }

  unchanged(): void {
    this.#unchanged++
  }

  /** Reports a file or line that failed. @throws `error` if it comes from the journal: all others would fail, too. */
  leftOut(name: string, error: unknown): void {
    if (error instanceof JournalWriteError) throw error
    this.#failed++
    this.remark(`daybook: ${name} was left out: ${messageOf(error)}`)
  }

  remark(text: string): void {
    this.#progress.remark(text)
  }

  /** @param doneBytes Of all files together. */
  async advanceTo(doneBytes: number): Promise<void> {
    this.#turnBytes += doneBytes - this.#doneBytes
    this.#doneBytes = doneBytes
    this.#progress.update(doneBytes, this.#totalBytes, 'bytes', () =>
      showCountOf(this.#imported + this.#unchanged, this.request.unit),
    )
    const nowMs = performance.now()
    if (doneBytes - this.#flushedAtBytes >= FLUSH_BYTES || nowMs - this.#flushedAtMs > FLUSH_MS) await this.flush()
    else if (this.#turnBytes >= TURN_BYTES || nowMs - this.#turnedAtMs > TURN_MS) {
      this.#turned()
      await nextTurn()
    }
  }

  async flush(): Promise<void> {
    this.#turned()
    this.#flushedAtBytes = this.#doneBytes
    await this.request.cache.flush()
    this.#flushedAtMs = performance.now()
    this.onDurable?.()
  }

  #turned(): void {
    this.#turnBytes = 0
    this.#turnedAtMs = performance.now()
  }

  /** Removes the bar. */
  end(): void {
    this.#progress.end()
  }

  /** What was done, in one line. */
  summary(): string {
    const elapsedMs = performance.now() - this.#startMs
    const count = showCountOf(this.#imported, this.request.unit)
    const parts = [`Imported ${count} (${showBytes(this.#importedBytes)}) in ${showMilliseconds(elapsedMs)}`]
    if (this.#imported >= RATED_MIN) parts.push(`${showCount(ratePerSecond(this.#imported, elapsedMs))} per second`)
    if (this.#unchanged > 0) parts.push(`${showCount(this.#unchanged)} unchanged`)
    if (this.#failed > 0) parts.push(`${showCount(this.#failed)} failed`)
    return `${parts.join(', ')}.`
  }
}
