import { getHeapStatistics } from 'node:v8'
import { EncodedPlain, EncodedValue, type PlainBytes, type StoredValue } from '../core/model/stored-value.js'
import { ValueError } from '../errors.js'

/** The entries of any file may take this much, and those of a large file this many times its size. */
const LEAST_BYTES = 2 ** 32
const FACTOR = 4
/** Of the memory that is free when reading begins. */
const MEMORY_PART = 0.8

/**
 * Limits what the entries of a pickle may take when they are stored. In a pickle, a hundred thousand entries can share a
 * megabyte at three bytes each; stored, in memory and in the journal, each entry has a copy.
 */
export class RowsAllowance {
  #bytes = 0
  #heapBytes = 0
  #outsideBytes = 0
  readonly #bytesMax: number
  readonly #heapBytesMax = MEMORY_PART * freeHeapBytes()
  readonly #outsideBytesMax = MEMORY_PART * process.availableMemory()

  constructor(fileBytes: number) {
    this.#bytesMax = Math.max(LEAST_BYTES, FACTOR * fileBytes)
  }

  /** @throws ValueError if the entries so far take too much. */
  take(key: string, value: StoredValue): void {
    const bytes = bytesOf(value)
    this.#bytes += key.length + (bytes?.length ?? sizeOf(value))
    if (typeof bytes === 'string') this.#heapBytes += bytes.length
    else if (bytes !== undefined) this.#outsideBytes += bytes.length
    if (this.#bytes > this.#bytesMax) throw refusal(`more than ${this.#bytesMax} bytes`)
    if (this.#outsideBytes > this.#outsideBytesMax || this.#heapBytes > this.#heapBytesMax)
      throw refusal('more memory than is available')
  }
}

/** Of an object, which is encoded. */
function bytesOf(value: StoredValue): PlainBytes | undefined {
  return value instanceof EncodedValue || value instanceof EncodedPlain ? value.bytes : undefined
}

function freeHeapBytes(): number {
  const { heap_size_limit, used_heap_size } = getHeapStatistics()
  return heap_size_limit - used_heap_size
}

/** Of a primitive: an estimate that does not look at each character. */
function sizeOf(value: StoredValue): number {
  if (typeof value === 'string') return value.length
  return typeof value === 'bigint' && (value > LONG || value < -LONG) ? value.toString(16).length : 8
}

const LONG = 2n ** 8_192n

function refusal(what: string): ValueError {
  return new ValueError(
    `Cannot load this pickle: its entries take ${what}, because they share parts and each is stored with its own copy`,
    { advice: 'Split the file.' },
  )
}
