/**
 * The owner's side of all ports of one cache: `share()` opens one, closing the cache closes them all, and under
 * `fsync: 'always'` those who wait for the disk are answered together.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Cache } from '../../../cache/cache.js'
import type { CacheCore } from '../../../cache/cache-core.js'
import { CacheClosedError } from '../../../errors.js'
import { Inner } from '../../remote/owner/inner.js'
import { ServedPort } from '../../remote/owner/session.js'

type AfterFlush = (failure: Error | undefined) => void

export class PortOwner {
  readonly #ports = new Set<ServedPort>()
  #waiting: AfterFlush[] = []
  /** Flushes on their way. */
  #flushing = 0
  readonly cache: Cache
  readonly inner: Inner
  /** `fsync: 'always'`. */
  readonly isEverythingDurable: boolean

  constructor(cache: Cache, core: CacheCore, isEverythingDurable: boolean) {
    this.cache = cache
    this.inner = new Inner(cache, core)
    this.isEverythingDurable = isEverythingDurable
    // After the answers that closing settles.
    cache.lifecycle$.subscribe({ complete: () => setImmediate(() => this.#close()) })
  }

  share(): MessagePort {
    const { port1, port2 } = new MessageChannel()
    this.#ports.add(new ServedPort(this, port1))
    return port2
  }

  forget(port: ServedPort): void {
    this.#ports.delete(port)
  }

  /** Calls back when everything done until now is on disk, or cannot be: one fsync for all who ask in one turn of the loop. */
  whenDurable(callback: AfterFlush): void {
    this.#waiting.push(callback)
    if (this.#waiting.length > 1) return
    setImmediate(() => {
      const callbacks = this.#waiting
      this.#waiting = []
      this.#flushing++
      const tell = (failure: Error | undefined) => {
        this.#flushing--
        for (const callback of callbacks) callback(failure)
      }
      this.inner.flush().then(
        () => tell(undefined),
        (error: Error) => tell(error),
      )
    })
  }

  /** Runs `task` when nobody waits for the disk any more. */
  whenIdle(task: () => void): void {
    if (this.#waiting.length === 0 && this.#flushing === 0) task()
    else this.whenDurable(() => queueMicrotask(task))
  }

  #close(): void {
    const reason = new CacheClosedError(
      'The cache was closed. Whether calls that were on the way were done is unknown; open it again with openCache() and look.',
    )
    for (const port of [...this.#ports]) port.close(reason)
  }
}
