/**
 * The owner's side of all ports of one cache; closing the cache closes them all. Each has a session over a line
 * (edges/remote/owner/session.ts), and the memory that its client may share. Loaded by `sharing.ts` when it is needed.
 */

import { isSharedArrayBuffer } from 'node:util/types'
import type { MessagePort } from 'node:worker_threads'
import { type Cache, innerOf } from '../../../cache/cache.js'
import { queueTask } from '../../../durable/storage/event-loop.js'
import { CacheClosedError, describe } from '../../../errors.js'
import { DurableAnswers } from '../../remote/owner/durable-answers.js'
import { type Served, Session } from '../../remote/owner/session.js'
import { PLAIN } from '../../remote/wire/wire-value.js'
import { DOORBELL_BYTES, OWNER_SIDE } from '../line/doorbell.js'
import { PortLine } from '../line/port-line.js'
import { LOOK, PACKET_BYTES } from '../line/sync-packet.js'
import { ServedPackets } from './served-packets.js'

export class Ports {
  readonly #sessions = new Set<Session>()
  readonly #served: Served

  readonly #share: () => MessagePort

  /** @param share Opens another port. */
  constructor(cache: Cache, share: () => MessagePort) {
    this.#share = share
    const door = innerOf(cache)
    this.#served = { cache, door, durableAnswers: new DurableAnswers(door) }
    // After the answers to calls that closing settles.
    cache.lifecycle$.subscribe({ complete: () => queueTask(() => this.#close()) })
  }

  /** @param port Has the owner's greeting. */
  serve(port: MessagePort): void {
    const line = new PortLine(port, 1)
    let packets: ServedPackets | undefined
    const session: Session = new Session(this.#served, line, {
      extras: {
        share: () => {
          const other = this.#share()
          session.sender.transfer(other)
          return [PLAIN, other]
        },
        doorbell: (memory) => {
          line.attach(shared(memory, DOORBELL_BYTES), OWNER_SIDE)
          return undefined
        },
        packets: (memory) => {
          packets = new ServedPackets(session, shared(memory, PACKET_BYTES))
          line.onSent = packets.signal
          return undefined
        },
      },
      onOther: (message) => {
        if (message === LOOK) packets?.look()
        return message === LOOK
      },
      onClose: () => {
        packets?.end()
        this.#sessions.delete(session)
      },
    })
    this.#sessions.add(session)
  }

  #close(): void {
    const reason = new CacheClosedError('The cache was closed', {
      consequence: 'Calls under way may or may not have taken effect.',
    })
    for (const session of [...this.#sessions]) session.close(reason)
  }
}

/** @throws TypeError for anything but shared memory of this size. */
function shared(memory: unknown, bytes: number): SharedArrayBuffer {
  if (isSharedArrayBuffer(memory) && memory.byteLength === bytes) return memory
  throw new TypeError(`${describe(memory)} cannot be shared. Nothing was changed.`)
}
