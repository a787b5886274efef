/**
 * The texts of one pickle. The same property names come again and again, a hundred thousand times in a large cache:
 * those that were met lately are handed out again, which is faster than making them and keeps one string in memory.
 */
import { type Allowance, cost } from './limits.js'
import { decodeUtf8 } from './text.js'

/** Longer texts are rarely met twice. In bytes, all of them ASCII. */
const REMEMBERED_BYTES_MAX = 24
const SLOTS = 1024

export class Texts {
  readonly #file: Buffer
  readonly #allowance: Allowance
  /** By a hash of their bytes; a later text takes the slot of an earlier one. */
  readonly #texts: string[] = new Array<string>(SLOTS).fill('')
  /** Where in the file the text of a slot stands. */
  readonly #starts = new Float64Array(SLOTS)

  constructor(file: Buffer, allowance: Allowance) {
    this.#file = file
    this.#allowance = allowance
  }

  /** The text of the UTF-8 from `start` to `end`; undefined if it isn't that. `at` is for errors. */
  decode(start: number, end: number, at: number): string | undefined {
    const file = this.#file
    const slot = end - start <= REMEMBERED_BYTES_MAX ? this.#slotOf(start, end) : undefined
    if (slot !== undefined) {
      const met = this.#texts[slot]!
      if (met.length === end - start && this.#isSame(this.#starts[slot]!, start, end)) return met
    }
    // UTF-8 never takes fewer bytes in the file than in memory.
    this.#allowance.take(cost.text + end - start, at)
    if (slot === undefined) return decodeUtf8(file.subarray(start, end))
    this.#starts[slot] = start
    this.#texts[slot] = file.toString('latin1', start, end)
    return this.#texts[slot]
  }

  /** The slot of an ASCII text. */
  #slotOf(start: number, end: number): number | undefined {
    let hash = 0
    for (let at = start; at < end; at++) {
      const byte = this.#file[at]!
      if (byte >= 0x80) return undefined
      hash = (Math.imul(hash, 31) + byte) | 0
    }
    return (hash ^ (hash >>> 10)) & (SLOTS - 1)
  }

  #isSame(other: number, start: number, end: number): boolean {
    for (let at = start; at < end; at++, other++) if (this.#file[at] !== this.#file[other]) return false
    return true
  }
}
