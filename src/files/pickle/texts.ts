/**
 * The texts of one pickle. The same property names recur, a hundred thousand times in a large cache. Recent ones are reused,
 * which is faster than decoding them and keeps one string in memory.
 */
import { type Allowance, cost } from './limits.js'
import { decodeUtf8 } from './text.js'

/** Longer texts rarely recur. In bytes, which are all ASCII. */
const REMEMBERED_BYTES_MAX = 24
const SLOTS = 1024

export class Texts {
  readonly #file: Buffer
  readonly #allowance: Allowance
  /** By a hash of their bytes. A later text replaces an earlier one in its slot. */
  readonly #texts: string[] = new Array<string>(SLOTS).fill('')
  /** Where in the file the text of each slot is. */
  readonly #starts = new Float64Array(SLOTS)

  constructor(file: Buffer, allowance: Allowance) {
    this.#file = file
    this.#allowance = allowance
  }

  /** Decodes the UTF-8 from `start` to `end`; undefined if it is not UTF-8. `at` is for errors. */
  decode(start: number, end: number, at: number): string | undefined {
    const file = this.#file
    const slot = end - start <= REMEMBERED_BYTES_MAX ? this.#slotOf(start, end) : undefined
    if (slot !== undefined) {
      const met = this.#texts[slot]!
      if (met.length === end - start && this.#isSame(this.#starts[slot]!, start, end)) return met
    }
    // In UTF-8 a text never takes fewer bytes than in memory.
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
