/**
 * A line within the process that owns the cache, so that it asks in the same way as all others. Messages are cloned: the two ends
 * share no bytes.
 */
import { journalClock } from '../../../cache/system-clock.js'
import type { Clock } from '../../../core/model/clock.js'
import { queueMicrotask } from '../../../durable/storage/event-loop.js'
import type { Line, Taken } from '../line.js'
import { decodeFrame, encodeFrame, HEADER_BYTES } from './frames.js'

/** Longer than any process runs. */
const FOREVER_MS = 2 ** 31 - 1

export class LocalLine implements Line {
  #other: LocalLine | undefined
  #listener: ((message: unknown) => void) | undefined
  readonly #arrived: Buffer[] = []
  readonly #onClose: (() => void)[] = []
  #isDelivering = false
  #isClosed = false
  #timer: unknown

  readonly #timers: Pick<Clock, 'setTimeout' | 'clearTimeout'>

  private constructor(timers: Pick<Clock, 'setTimeout' | 'clearTimeout'>) {
    this.#timers = timers
  }

  /** `timers` keep the process alive while somebody waits. */
  static pair(timers: Pick<Clock, 'setTimeout' | 'clearTimeout'> = journalClock): [LocalLine, LocalLine] {
    const [one, other] = [new LocalLine(timers), new LocalLine(timers)]
    one.#other = other
    other.#other = one
    return [one, other]
  }

  post(message: unknown): void {
    const frame = encodeFrame(message).subarray(HEADER_BYTES)
    if (this.#isClosed) return
    const other = this.#other as LocalLine // set by `pair`
    other.#arrived.push(frame)
    queueMicrotask(() => other.#deliver())
  }

  #deliver(): void {
    if (this.#isDelivering) return
    this.#isDelivering = true
    while (this.#arrived.length > 0 && this.#listener !== undefined && !this.#isClosed)
      this.#listener(this.take()?.message)
    this.#isDelivering = false
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#listener = listener
    queueMicrotask(() => this.#deliver())
  }

  onClose(listener: () => void): void {
    this.#onClose.push(listener)
  }

  take(): Taken | undefined {
    const frame = this.#arrived.shift()
    return frame && { message: decodeFrame(frame) }
  }

  hold(isHeld: boolean): void {
    this.#timers.clearTimeout(this.#timer)
    this.#timer = isHeld ? this.#timers.setTimeout(() => undefined, FOREVER_MS, true) : undefined
  }

  close(): void {
    for (const line of [this, this.#other as LocalLine]) {
      if (line.#isClosed) continue
      // What was posted before arrives before the end.
      queueMicrotask(() => {
        if (line.#isClosed) return
        line.#isClosed = true
        line.hold(false)
        for (const listener of line.#onClose) listener()
      })
    }
  }
}
