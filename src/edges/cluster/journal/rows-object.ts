/**
 * Rows as an object of the log: a snapshot, or what a `loaded` event replaces everything with. It is a file of the journal (durable/snapshot)
 * behind a header of its own:
 *
 *   bytes of the header, its checksum: u32, little-endian │ the header as JSON │ the file
 *
 * Before: snapshots. After: durable/snapshot, and the log's store. read-rows-object.ts reads it.
 */
import type { Sequence } from '../../../core/model/sequence.js'
import type { SnapshotSource } from '../../../durable/contract.js'
import { checksum } from '../../../durable/format/checksum.js'
import { type WrittenSnapshot, writeRows } from '../../../durable/snapshot/write-snapshot.js'
import type { SnapshotStore } from '../log.js'

/** In front of the header. */
export const ROWS_PREFIX_BYTES = 8

export interface RowsToWrite {
  readonly name: string
  readonly kind: 'snapshot' | 'loaded'
  readonly header: object
  readonly journalId: Buffer
  readonly sequence: Sequence
  readonly previousChecksum: number
  readonly createdAtMs: number
  readonly source: SnapshotSource
  readonly progress?: ((done: number, total: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** Writes the object while turns go on. */
export async function writeRowsObject(store: SnapshotStore, rows: RowsToWrite): Promise<WrittenSnapshot> {
  const pipe = new Pipe()
  const { name, header, progress, signal, ...request } = rows
  const writing = (async () => {
    const text = Buffer.from(JSON.stringify(header))
    const prefix = Buffer.alloc(ROWS_PREFIX_BYTES)
    prefix.writeUInt32LE(text.length, 0)
    prefix.writeUInt32LE(checksum(text), 4)
    await pipe.write(Buffer.concat([prefix, text]))
    const written = await writeRows((bytes) => pipe.write(bytes), {
      ...request,
      ...(progress === undefined ? {} : { progress }),
      ...(signal === undefined ? {} : { signal }),
    })
    pipe.end()
    return written
  })()
  writing.catch((error) => pipe.end(error))
  await store.write(name, pipe)
  return writing
}

/** Parts of bytes on their way from one that writes them to one that reads them: each waits for the other. */
class Pipe implements AsyncIterable<Uint8Array> {
  #part: Uint8Array | undefined
  #error: unknown
  #isEnded = false
  #taken: (() => void) | undefined
  #given: (() => void) | undefined

  /** Resolves when the bytes have been taken: a copy of them, because the writer uses its memory again. */
  write(bytes: Uint8Array): Promise<void> {
    this.#part = Uint8Array.from(bytes)
    this.#given?.()
    return new Promise((resolve) => {
      this.#taken = resolve
    })
  }

  end(error?: unknown): void {
    this.#error = error
    this.#isEnded = true
    this.#given?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#part === undefined && !this.#isEnded) {
        await new Promise<void>((resolve) => {
          this.#given = resolve
        })
      }
      const part = this.#part
      if (part === undefined) {
        if (this.#error !== undefined) throw this.#error
        return
      }
      this.#part = undefined
      yield part
      this.#taken?.()
    }
  }
}
