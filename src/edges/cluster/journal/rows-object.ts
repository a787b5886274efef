/**
 * Rows as an object of the log: a snapshot, or what a `loaded` event replaces everything with. It is a file of the journal (durable/snapshot)
 * behind a header of its own:
 *
 *   bytes of the header as a u32, little-endian │ the header as JSON │ the file
 *
 * Before: snapshots, replicated-journal. After: durable/snapshot, and the log's store.
 */
import type { Sequence } from '../../../core/model/sequence.js'
import type { SnapshotSource } from '../../../durable/contract.js'
import { type ReadSnapshot, type RowsVisitor, readRows } from '../../../durable/snapshot/read-snapshot.js'
import { type WrittenSnapshot, writeRows } from '../../../durable/snapshot/write-snapshot.js'
import type { ReadableFile } from '../../../durable/storage/storage.js'
import { CorruptionError } from '../../../errors.js'
import type { SnapshotStore } from '../log.js'

const LENGTH_BYTES = 4

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
    const length = Buffer.alloc(LENGTH_BYTES)
    length.writeUInt32LE(text.length)
    await pipe.write(Buffer.concat([length, text]))
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

/** The header of an object that was read, and the file behind it. @throws CorruptionError if there is none. */
export function splitRowsObject(name: string, bytes: Buffer): { header: unknown; file: Buffer } {
  try {
    const end = LENGTH_BYTES + bytes.readUInt32LE(0)
    return { header: JSON.parse(bytes.toString('utf8', LENGTH_BYTES, end)), file: bytes.subarray(end) }
  } catch (error) {
    throw new CorruptionError(
      { file: name, offset: 0, sequence: 0, reason: 'its header cannot be read' },
      { cause: error },
    )
  }
}

/** Passes the rows of such a file to `visit`. @throws CorruptionError if it is damaged. */
export function readRowsFile(
  name: string,
  file: Buffer,
  kind: 'snapshot' | 'loaded',
  sequence: Sequence,
  visit: RowsVisitor,
): Promise<ReadSnapshot> {
  return readRows(new BytesFile(name, file), { path: name, kind, sequence }, visit)
}

class BytesFile implements ReadableFile {
  constructor(
    readonly path: string,
    readonly bytes: Buffer,
  ) {}

  size(): number {
    return this.bytes.length
  }

  async read(target: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    const part = this.bytes.subarray(position, position + length)
    target.set(part, offset)
    return part.length
  }

  close(): void {}
}
