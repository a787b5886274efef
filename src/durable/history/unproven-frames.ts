import type { Sequence } from '../../core/model/sequence.js'
import type { JournalFile } from '../format/journal-files.js'

/** A frame of events of which no later frame has said yet that it is durable. */
export interface UnprovenFrame {
  /** Of its last event. */
  sequence: Sequence
  file: JournalFile
  /** The place behind it. */
  offset: number
}

/**
 * A queue, without an array's `shift()`: that moves all the rest, and under `everysec` a second's worth of frames may be in
 * it.
 */
export class UnprovenFrames {
  readonly #frames: UnprovenFrame[] = []
  #first = 0

  add(frame: UnprovenFrame): void {
    this.#frames.push(frame)
  }

  /** Removes the frames that are durable with this sequence, and returns the last of them. */
  prove(durableSequence: Sequence): UnprovenFrame | undefined {
    let last: UnprovenFrame | undefined
    for (let next = this.#frames[this.#first]; next !== undefined && next.sequence <= durableSequence; ) {
      last = next
      next = this.#frames[++this.#first]
    }
    if (last !== undefined && this.#first > 1_000 && this.#first * 2 > this.#frames.length) {
      this.#frames.splice(0, this.#first)
      this.#first = 0
    }
    return last
  }
}
