/**
 * Reads rows that are an object of the log, as they arrive: of a snapshot there is never more in memory than some frames. Before: snapshots,
 * applier. After: objects, and durable/snapshot.
 */
import type { Sequence } from '../../../core/model/sequence.js'
import { checksum } from '../../../durable/format/checksum.js'
import type { Frame } from '../../../durable/format/frame.js'
import { type ReadSnapshot, readRows } from '../../../durable/snapshot/read-snapshot.js'
import { type ReadableFile, readAll } from '../../../durable/storage/storage.js'
import { CorruptionError } from '../../../errors.js'
import { damaged, damagedObject } from './damage.js'
import type { Objects } from './objects.js'
import { ROWS_PREFIX_BYTES } from './rows-object.js'

/** No header is as long: it lists the clients of ten minutes. */
const HEADER_BYTES_MAX = 64 * 1024 * 1024

export type RowsVisitor = (frame: Frame, bytes: Buffer) => void

/** An object that is being read. Its parts can be read once, in order. {@link close} it. */
export class RowsObject implements ReadableFile {
  readonly path: string
  readonly #chunks: AsyncIterator<Uint8Array>
  /** What is left of the last chunk. */
  #left: Uint8Array = new Uint8Array(0)

  constructor(objects: Objects, name: string) {
    this.path = name
    this.#chunks = objects.chunks(name)[Symbol.asyncIterator]()
  }

  /** The first thing to read. @throws CorruptionError if it is damaged. */
  async header(): Promise<unknown> {
    const prefix = await this.#take(ROWS_PREFIX_BYTES)
    const bytes = prefix.readUInt32LE(0)
    if (bytes > HEADER_BYTES_MAX) throw damagedObject(this.path, 'its header cannot be read')
    const text = await this.#take(bytes)
    if (checksum(text) !== prefix.readUInt32LE(4))
      throw damagedObject(this.path, 'the checksum of its header does not match')
    return JSON.parse(text.toString('utf8'))
  }

  async #take(length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(length)
    if ((await readAll(this, bytes, 0, length, 0)) < length) throw damagedObject(this.path, 'its header is cut off')
    return bytes
  }

  /** The rows behind the header. @throws CorruptionError if they are damaged. */
  async rows(kind: 'snapshot' | 'loaded', sequence: Sequence, visit: RowsVisitor): Promise<ReadSnapshot> {
    try {
      return await readRows(this, { path: this.path, kind, sequence }, visit)
    } catch (error) {
      throw error instanceof CorruptionError ? damaged(error, error) : error
    }
  }

  /** Known only at the end. */
  size(): number {
    return Number.POSITIVE_INFINITY
  }

  /** The next bytes: what is read is read in order. */
  async read(target: Uint8Array, offset: number, length: number): Promise<number> {
    while (this.#left.length === 0) {
      const { done, value } = await this.#chunks.next()
      if (done === true) return 0
      this.#left = value
    }
    const part = this.#left.subarray(0, length)
    target.set(part, offset)
    this.#left = this.#left.subarray(part.length)
    return part.length
  }

  close(): void {
    void this.#chunks.return?.().catch(() => undefined)
  }
}
