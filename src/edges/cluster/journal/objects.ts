/**
 * Objects beside the log: what is too large for a record, the rows of a `loaded` event, and snapshots. A name says what an object is, and
 * the position of the log and the term in which it was written, so that a trim knows what it may remove. Before: term-writer, replicated-journal and
 * snapshots. After: the log's store.
 */
import { checksum } from '../../../durable/format/checksum.js'
import { reasonOf } from '../../../errors.js'
import { DamagedObjectError, type Log, type Position, type SnapshotStore } from '../log.js'
import { damagedObject } from './damage.js'
import type { StagedBody } from './records.js'
import { SEAL_BYTES } from './sealed-record.js'

export type ObjectKind = 'record' | 'loaded' | 'snapshot'

const CHUNK_BYTES = 256 * 1024
const NAME = /^(record|loaded|snapshot)-(\d+)-(\d+)-/

/** What the name of an object says. */
export interface NamedObject {
  readonly name: string
  readonly kind: ObjectKind
  readonly position: Position
  readonly epoch: number
}

export class Objects {
  readonly #log: Pick<Log, 'snapshots' | 'bodyBytesMax'>
  readonly #newId: () => string

  constructor(log: Pick<Log, 'snapshots' | 'bodyBytesMax'>, newId: () => string) {
    this.#log = log
    this.#newId = newId
  }

  /** Of a record without its seal; larger ones are objects. An engine knows it once its log is open. */
  get bodyBytesMax(): number {
    return (this.#log.bodyBytesMax ?? Number.POSITIVE_INFINITY) - SEAL_BYTES
  }

  get #store(): SnapshotStore {
    return this.#log.snapshots
  }

  /** A new name: no two objects have the same. */
  nameOf(kind: ObjectKind, { position, epoch }: { position: Position; epoch: number }): string {
    return `${kind}-${String(position).padStart(16, '0')}-${epoch}-${this.#newId()}`
  }

  /** Writes the body of the record at this position, in this term. Resolves with what the record has instead. */
  async stage(place: { position: Position; epoch: number }, body: Uint8Array): Promise<StagedBody> {
    const object = this.nameOf('record', place)
    await this.#store.write(object, chunksOf(body))
    return { object, checksum: checksum(body) }
  }

  /** The body that was staged. Throws as {@link read} does. */
  async readStaged({ object, checksum: expected }: StagedBody): Promise<Buffer> {
    const body = await this.read(object)
    if (checksum(body) !== expected) throw damagedObject(object, 'this is not what was written')
    return body
  }

  /** The object as a whole. Throws as {@link chunks} does. */
  async read(name: string): Promise<Buffer> {
    const chunks: Uint8Array[] = []
    for await (const chunk of this.chunks(name)) chunks.push(chunk)
    return Buffer.concat(chunks)
  }

  /** @throws CorruptionError if it is missing or damaged. Any other error: the engine does not answer now. */
  async *chunks(name: string): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#store.read(name)
    } catch (error) {
      if (!(error instanceof DamagedObjectError)) throw error
      throw damagedObject(name, reasonOf(error), error)
    }
  }

  /** The objects that there are. */
  async list(): Promise<NamedObject[]> {
    return named(await this.#store.names())
  }

  /** What writers have begun and not finished, dead or alive. */
  async unfinished(): Promise<NamedObject[]> {
    return named((await this.#store.unfinished?.()) ?? [])
  }

  remove(name: string): Promise<void> {
    return this.#store.remove(name)
  }
}

function named(names: readonly string[]): NamedObject[] {
  return names.flatMap((name) => {
    const [, kind, position, epoch] = NAME.exec(name) ?? []
    return kind === undefined
      ? []
      : [{ name, kind: kind as ObjectKind, position: Number(position), epoch: Number(epoch) }]
  })
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES)
}
