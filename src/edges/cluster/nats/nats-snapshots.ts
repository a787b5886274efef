/** Snapshots in an object store, and the pointer to them as the one key of a bucket, whose revisions make it a compare-and-set. */

import { journalClock } from '../../../cache/system-clock.js'
import { reasonOf } from '../../../errors.js'
import { DamagedObjectError, type SnapshotPointer, type SnapshotStore } from '../log.js'
import { isWrongSequence } from './nats-errors.js'
import { type NatsNames, POINTER } from './nats-names.js'
import type { Buckets } from './nats-streams.js'

/** A reader gives up after so long without a chunk: the server that hosts its consumer may be gone. */
const SILENCE_MS = 10_000
/** In what the library says when the digest is another one. */
const CORRUPT = 'corrupt object'

export class NatsSnapshots implements SnapshotStore {
  readonly #names: NatsNames

  constructor(
    readonly buckets: () => Buckets,
    names: NatsNames,
  ) {
    this.#names = names
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
    const iterator = chunks[Symbol.asyncIterator]()
    const stream = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await iterator.next()
        if (done) controller.close()
        else controller.enqueue(value.slice())
      },
    })
    await this.buckets().objects.put({ name }, stream)
  }

  async *read(name: string): AsyncGenerator<Uint8Array> {
    const object = await this.buckets().objects.get(name)
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

  async remove(name: string): Promise<void> {
    const { manager, objects } = this.buckets()
    if ((await objects.info(name))?.deleted === false) await objects.delete(name)
    // The client library leaves a message that says that it is deleted.
    await manager.streams.purge(this.#names.objectStream, { filter: this.#names.describing(name) })
  }

  async names(): Promise<readonly string[]> {
    return (await this.buckets().objects.list()).map(({ name }) => name)
  }
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
