/**
 * Snapshots in an object store, and the pointer to them as the one key of a bucket, whose revisions make it a compare-and-set.
 *
 * An object is written here and not by the client library, in the library's form, because the library gives its chunks a random subject: of
 * those that a killed writer has left, nobody could say what they were to become. Here their subject has the object's name.
 */
import { createHash } from 'node:crypto'
import type { ObjectInfo } from '@nats-io/obj'
import { headers } from '@nats-io/transport-node'
import { journalClock } from '../../../cache/system-clock.js'
import { reasonOf } from '../../../errors.js'
import { DamagedObjectError, type SnapshotPointer, type SnapshotStore } from '../log.js'
import { isWrongSequence } from './nats-errors.js'
import { encodeObject, type NatsNames, POINTER } from './nats-names.js'
import type { Buckets } from './nats-streams.js'

/** A reader gives up after so long without a chunk: the server that hosts its consumer may be gone. */
const SILENCE_MS = 10_000
/** Of a chunk, at most. */
const CHUNK_BYTES = 128 * 1024
/** In what the library says when the digest is another one. */
const CORRUPT = 'corrupt object'

export class NatsSnapshots implements SnapshotStore {
  readonly #names: NatsNames
  readonly #payloadBytesMax: () => number

  constructor(
    readonly buckets: () => Buckets,
    names: NatsNames,
    payloadBytesMax: () => number,
  ) {
    this.#names = names
    this.#payloadBytesMax = payloadBytesMax
  }

  async latest(): Promise<{ pointer: SnapshotPointer | undefined; revision: number }> {
    const entry = await this.buckets().pointer.get(POINTER)
    if (entry === null) return { pointer: undefined, revision: 0 }
    return { pointer: entry.json<SnapshotPointer>(), revision: entry.revision }
  }

  /**
   * By the last sequence of the stream, which has this one key: that of the subject is compared by nats-server 2.9 with what is stored,
   * so that two at the same time both pass. Sequence 0 is not compared at all, so the first one has a message id.
   */
  async point(pointer: SnapshotPointer, revision: number): Promise<boolean> {
    const { client } = this.buckets()
    const first = { msgID: POINTER, expect: { lastSubjectSequence: 0 } }
    const options = revision === 0 ? first : { expect: { lastSequence: revision } }
    try {
      return !(await client.publish(this.#names.pointer, JSON.stringify(pointer), options)).duplicate
    } catch (error) {
      if (isWrongSequence(error)) return false
      throw error
    }
  }

  async write(name: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { client, manager } = this.buckets()
    const digest = createHash('sha256')
    let size = 0
    let count = 0
    try {
      for await (const chunk of joined(chunks, Math.min(CHUNK_BYTES, this.#payloadBytesMax()))) {
        digest.update(chunk)
        size += chunk.length
        count++
        await client.publish(this.#names.chunksOf(name), chunk)
      }
      const description = {
        name,
        bucket: this.#names.bucket,
        nuid: encodeObject(name), // the last token of the subject of its chunks
        size,
        chunks: count,
        digest: `SHA-256=${padded(digest.digest('base64url'))}`,
        mtime: new Date(journalClock.now()).toISOString(),
        options: { max_chunk_size: CHUNK_BYTES },
      }
      const replacing = headers()
      replacing.set('Nats-Rollup', 'sub')
      await client.publish(this.#names.describing(name), JSON.stringify(description), { headers: replacing })
    } catch (error) {
      await manager.streams
        .purge(this.#names.objectStream, { filter: this.#names.chunksOf(name) })
        .catch(() => undefined)
      throw error
    }
  }

  async *read(name: string): AsyncGenerator<Uint8Array> {
    const { objects } = this.buckets()
    const description = await objects.info(name)
    if (description !== null) await this.#checkChunks(description)
    const object = await objects.get(name)
    if (object === null) throw new DamagedObjectError(`There is no object ${name}.`)
    object.error.catch(() => undefined) // the reader throws it too
    const reader = object.data.getReader()
    try {
      for (;;) {
        const { done, value } = await withinSilence(reader.read(), name)
        if (done) return
        if (value.length > 0) yield value
      }
    } catch (error) {
      if (reasonOf(error).includes(CORRUPT)) throw new DamagedObjectError(reasonOf(error), { cause: error })
      throw error
    } finally {
      void reader.cancel().catch(() => undefined)
    }
  }

  /** The description last: while it is there, the object is removed again. */
  async remove(name: string): Promise<void> {
    const { streams } = this.buckets().manager
    for (const filter of [this.#names.chunksOf(name), this.#names.describing(name)])
      await streams.purge(this.#names.objectStream, { filter })
  }

  async names(): Promise<readonly string[]> {
    return [...(await this.#there()).described]
  }

  async unfinished(): Promise<readonly string[]> {
    const { described, begun } = await this.#there()
    return [...begun].filter((name) => !described.has(name))
  }

  /** The objects that have a description, and those that have chunks. */
  async #there(): Promise<{ described: Set<string>; begun: Set<string> }> {
    const described = new Set<string>()
    const begun = new Set<string>()
    for (const subject of Object.keys(await this.#messages('>'))) {
      const { name, isChunk } = this.#names.objectOf(subject)
      if (isChunk) begun.add(name)
      else described.add(name)
    }
    return { described, begun }
  }

  /** The library would wait for chunks that are gone as for a server that does not answer. @throws DamagedObjectError. */
  async #checkChunks({ name, chunks, nuid }: ObjectInfo): Promise<void> {
    const subject = this.#names.chunks(nuid)
    const { [subject]: count = 0 } = await this.#messages(subject)
    if (count < chunks) throw new DamagedObjectError(`The object ${name} has ${count} of its ${chunks} chunks.`)
  }

  /** How many messages of each subject there are: the server answers that leads the stream. */
  async #messages(filter: string): Promise<Record<string, number>> {
    const { manager } = this.buckets()
    const { state } = await manager.streams.info(this.#names.objectStream, { subjects_filter: filter })
    return state.subjects ?? {}
  }
}

/** In pieces of this length; the last one may be shorter. */
async function* joined(chunks: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array> {
  let piece = Buffer.allocUnsafe(length)
  let filled = 0
  for await (const chunk of chunks)
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + length - filled)
      piece.set(part, filled)
      filled += part.length
      at += part.length
      if (filled < length) continue
      yield piece
      piece = Buffer.allocUnsafe(length)
      filled = 0
    }
  if (filled > 0) yield piece.subarray(0, filled)
}

function padded(base64: string): string {
  return base64.padEnd(Math.ceil(base64.length / 4) * 4, '=')
}

async function withinSilence<Result>(reading: Promise<Result>, name: string): Promise<Result> {
  let timer: unknown
  const silence = new Promise<never>((_, reject) => {
    const error = new Error(`No chunk of the object ${name} came within ${SILENCE_MS} ms.`)
    timer = journalClock.setTimeout(() => reject(error), SILENCE_MS, true)
  })
  try {
    return await Promise.race([reading, silence])
  } finally {
    journalClock.clearTimeout(timer)
  }
}
