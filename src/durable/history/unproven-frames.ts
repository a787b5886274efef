import type { Sequence } from '../../core/model/sequence.js'
import type { JournalFile } from '../format/journal-files.js'

/** A frame of events that no later frame has yet proven to be durable. */
export interface UnprovenFrame {
  /** Of its last event. */
  sequence: Sequence
  file: JournalFile
  /** Where it ends. */
  offset: number
}

/**
 * A queue that does not use `Array.shift()`, which moves all other elements: under `everysec` it may hold the frames of a
 * second.
 */
export class UnprovenFrames {
  readonly #frames: UnprovenFrame[] = []
  #first = 0

  add(frame: UnprovenFrame): void {
    this.#frames.push(frame)
  }

  /** Removes the frames through this sequence, and returns the last of them. */
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
