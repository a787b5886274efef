/** A pair of lines in one thread: a message is cloned and arrives at the other end through the event loop. */
import type { Line, Taken } from '../../../src/edges/remote/line.js'

export class MemoryLine implements Line {
  #other: MemoryLine | undefined
  #listener: ((message: unknown) => void) | undefined
  readonly #arrived: unknown[] = []
  readonly #onClose: (() => void)[] = []
  #isClosed = false
  isHeld = false
  sent = 0

  /** `isTakeable`: it can be read without the event loop, as a port can and a socket cannot. */
  static pair({ isTakeable }: { isTakeable: boolean }): [MemoryLine, MemoryLine] {
    const [one, other] = isTakeable ? [new TakeableLine(), new TakeableLine()] : [new MemoryLine(), new MemoryLine()]
    one.#other = other
    other.#other = one
    return [one, other]
  }

  post(message: unknown, transfer: readonly object[] = []): void {
    const clone = structuredClone(message, { transfer: transfer as ArrayBuffer[] })
    if (this.#isClosed) return
    this.sent++
    const other = this.#other as MemoryLine // set by `pair`
    other.#arrived.push(clone)
    setImmediate(() => {
      if (other.#arrived.length > 0) other.#listener?.(other.#arrived.shift())
    })
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#listener = listener
  }

  onClose(listener: () => void): void {
    this.#onClose.push(listener)
  }

  protected takeArrived(): Taken | undefined {
    return this.#arrived.length === 0 ? undefined : { message: this.#arrived.shift() }
  }

  hold(isHeld: boolean): void {
    this.isHeld = isHeld
  }

  close(): void {
    for (const line of [this, this.#other as MemoryLine]) {
      if (line.#isClosed) continue
      line.#isClosed = true
      // What was posted before arrives before the end.
      setImmediate(() =>
        setImmediate(() => {
          for (const listener of line.#onClose) listener()
        }),
      )
    }
  }
}

class TakeableLine extends MemoryLine {
  take(): Taken | undefined {
    return this.takeArrived()
  }

  takeSoon(): Taken | undefined {
    return this.takeArrived()
  }
}
