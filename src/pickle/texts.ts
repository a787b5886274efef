/**
 * The texts of one pickle. The same property names come again and again, a hundred thousand times in a large cache:
 * those that were met lately are handed out again, which is faster than making them and keeps one string in memory.
 */
import { decodeUtf8 } from './text.js'

/** Longer texts are rarely met twice. In bytes, all of them ASCII. */
const REMEMBERED_BYTES_MAX = 24
const SLOTS = 1024

export class Texts {
  readonly #file: Buffer
  /** By a hash of their bytes; a later text takes the slot of an earlier one. */
  readonly #texts: string[] = new Array<string>(SLOTS).fill('')
  /** Where in the file the text of a slot stands. */
  readonly #starts = new Float64Array(SLOTS)

  constructor(file: Buffer) {
    this.#file = file
  }

  /** The text of the UTF-8 from `start` to `end`; undefined if it isn't that. */
  decode(start: number, end: number): string | undefined {
    const file = this.#file
    if (end - start > REMEMBERED_BYTES_MAX) return decodeUtf8(file.subarray(start, end))
    let hash = 0
    for (let at = start; at < end; at++) {
      const byte = file[at]!
      if (byte >= 0x80) return decodeUtf8(file.subarray(start, end))
      hash = (Math.imul(hash, 31) + byte) | 0
    }
    const slot = (hash ^ (hash >>> 10)) & (SLOTS - 1)
    const met = this.#texts[slot]!
    if (met.length === end - start && this.#isSame(this.#starts[slot]!, start, end)) return met
    const text = file.toString('latin1', start, end)
    this.#texts[slot] = text
    this.#starts[slot] = start
    return text
  }

  #isSame(other: number, start: number, end: number): boolean {
    for (let at = start; at < end; at++, other++) if (this.#file[at] !== this.#file[other]) return false
    return true
  }
}
