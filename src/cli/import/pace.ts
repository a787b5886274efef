import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Cache } from '../../cache/cache.js'

const TURN_BYTES = 1024 * 1024
const TURN_MS = 20
const FLUSH_BYTES = 64 * 1024 * 1024
const FLUSH_MS = 1_000

/**
 * Keeps an import from running ahead of the disk: after every megabyte the event loop turns, so that the journal is
 * written, timers fire and Ctrl-C is heard; after every 64 MB, or a
 * second, everything so far is forced to disk.
 */
export class Pace {
  readonly #cache: Cache
  readonly #onDurable: (() => void) | undefined
  #turnBytes = 0
  #flushBytes = 0
  #turnedAtMs = performance.now()
  #flushedAtMs = performance.now()

  /** `onDurable` is called when everything set before the last {@link keep} is on disk. */
  constructor(cache: Cache, onDurable?: () => void) {
    this.#cache = cache
    this.#onDurable = onDurable
  }

  async keep(bytes: number): Promise<void> {
    this.#turnBytes += bytes
    this.#flushBytes += bytes
    const nowMs = performance.now()
    if (this.#flushBytes >= FLUSH_BYTES || nowMs - this.#flushedAtMs > FLUSH_MS) await this.flush()
    else if (this.#turnBytes >= TURN_BYTES || nowMs - this.#turnedAtMs > TURN_MS) {
      this.#turned()
      await nextTurn()
    }
  }

  async flush(): Promise<void> {
    this.#flushBytes = 0
    this.#turned()
    await this.#cache.flush()
    this.#flushedAtMs = performance.now()
    this.#onDurable?.()
  }

  #turned(): void {
    this.#turnBytes = 0
    this.#turnedAtMs = performance.now()
  }
}
