import type { StoredValue } from '../core/model/stored-value.js'
import { ValueError } from '../errors.js'

/** Every file may come to this much, and a large one to so many times its size: shared parts are stored with each entry. */
const LEAST_BYTES = 2 ** 32
const FACTOR = 4
/** Of the memory that is free when reading begins. */
const MEMORY_PART = 0.8

/**
 * What the rows of a pickle may come to. Entries of a pickle can share a part, each of a hundred thousand the same megabyte in
 * three bytes; stored, each holds it for itself, in memory or in the journal.
 */
export class RowsAllowance {
  #bytes = 0
  #outsideBytes = 0
  readonly #bytesMax: number
  readonly #outsideBytesMax = MEMORY_PART * process.availableMemory()

  constructor(fileBytes: number) {
    this.#bytesMax = Math.max(LEAST_BYTES, FACTOR * fileBytes)
  }

  /** @throws ValueError when all that was taken is too much. */
  take(key: string, value: StoredValue): void {
    this.#bytes += key.length + sizeOf(value)
    if (typeof value === 'object' && value !== null) this.#outsideBytes += value.bytes.length
    if (this.#bytes > this.#bytesMax) throw refusal(`more than ${this.#bytesMax} bytes`)
    if (this.#outsideBytes > this.#outsideBytesMax) throw refusal('more than there is memory')
  }
}

/** About what it takes, without looking at each character. */
function sizeOf(value: StoredValue): number {
  if (typeof value === 'string') return value.length
  if (typeof value === 'object' && value !== null) return value.bytes.length
  return typeof value === 'bigint' && (value > LONG || value < -LONG) ? value.toString(16).length : 8
}

const LONG = 2n ** 8_192n

function refusal(what: string): ValueError {
  return new ValueError(
    `Cannot load this pickle: its entries come to ${what}, because they share parts and are stored each by itself. Nothing was changed. Split the file.`,
  )
}
