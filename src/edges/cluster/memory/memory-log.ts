/** The log of one node in the memory of this process. `network.ts` has the faults, `records.ts` the content. */
import {
  DamagedObjectError,
  type Log,
  LogConflict,
  type LogFollower,
  type LogRecord,
  type Position,
  type SnapshotStore,
} from '../log.js'
import { Calls } from './calls.js'
import type { MemoryControl } from './memory-control.js'
import { MemoryWire } from './memory-wire.js'
import { ENGINE, type Network } from './network.js'
import type { Place } from './place.js'
import type { Records } from './records.js'

const CHUNK_BYTES = 64 * 1024

export class MemoryLog implements Log {
  readonly wire: MemoryWire
  readonly snapshots: SnapshotStore
  readonly #control: MemoryControl
  readonly #records: Records
  readonly #calls: Calls
  readonly #network: Network
  readonly #place: Place
  readonly #following = new Set<{ stop(): void }>()

  constructor(control: MemoryControl, name: string, node: string) {
    const { records, servers } = control.shared(name)
    this.#control = control
    this.#records = records
    this.#network = control.network
    this.#place = control.network.place(node)
    this.#calls = new Calls(control.network, this.#place)
    this.wire = new MemoryWire(this.#calls, servers)
    this.snapshots = snapshotStore(this.#calls, records)
  }

  get bodyBytesMax(): number {
    return this.#control.bodyBytesMax
  }

  open(): Promise<{ first: Position; last: Position }> {
    return this.#calls.ask('open', () => ({ first: this.#records.first, last: this.#records.last }))
  }

  async append(record: LogRecord, after: Position): Promise<Position> {
    const { kind, epoch, node } = record
    if (record.body.length > this.bodyBytesMax)
      throw new RangeError(`The body has ${record.body.length} bytes; at most ${this.bodyBytesMax} fit into a record.`)
    const stored = { kind, epoch, node, body: record.body.slice() }
    return this.#calls.ask('append', (isRefused) => {
      if (isRefused) throw new LogConflict('the engine has refused the record')
      return this.#records.append(stored, after)
    })
  }

  follow(from: Position, to: LogFollower): { stop(): void } {
    let next = from
    let isFollowing = true
    let isSent = false
    const stop = () => {
      isFollowing = false
      watching.stop()
      this.#following.delete(following)
    }
    const deliver = () => {
      isSent = false
      try {
        // It may stop, pause or crash between two records.
        while (isFollowing && this.#place.isRunning && next <= this.#records.last) {
          const record = this.#records.at(next)
          if (record !== undefined) to.take({ ...record, body: record.body.slice() }, next++)
          else {
            stop()
            to.gap()
          }
        }
      } finally {
        send()
      }
    }
    const send = () => {
      if (isSent || !isFollowing || next > this.#records.last) return
      isSent = true
      const message = { from: ENGINE, to: this.#place.name, what: 'records' }
      this.#network.sendSurely(
        message,
        () => isFollowing,
        () => this.#place.run(deliver),
      )
    }
    const watching = this.#records.watch(send)
    const following = { stop }
    this.#following.add(following)
    send()
    return following
  }

  trim(upTo: Position): Promise<void> {
    return this.#calls.ask('trim', () => this.#records.trim(upTo))
  }

  async close(): Promise<void> {
    for (const one of [...this.#following]) one.stop()
    this.wire.close()
    this.#calls.close()
  }
}

function snapshotStore(calls: Calls, records: Records): SnapshotStore {
  const { objects } = records
  return {
    latest: () => calls.ask('latest', () => ({ pointer: records.pointer, revision: records.revision })),
    write: async (name, chunks) => {
      const parts: Uint8Array[] = []
      for await (const chunk of chunks) parts.push(chunk.slice())
      const bytes = Buffer.concat(parts)
      await calls.ask('write', () => objects.set(name, { bytes, isDamaged: false }))
    },
    point: (pointer, revision) => calls.ask('point', () => records.point(pointer, revision)),
    read: async function* (name) {
      const object = await calls.ask('read', () => objects.get(name))
      if (object === undefined) throw new DamagedObjectError(`There is no object ${name}.`)
      const bytes = object.bytes.slice()
      for (let from = 0; from < bytes.length; from += CHUNK_BYTES) yield bytes.subarray(from, from + CHUNK_BYTES)
      if (object.isDamaged) throw new DamagedObjectError(`The object ${name} is damaged.`)
    },
    remove: (name) => calls.ask('remove', () => void objects.delete(name)),
    names: () => calls.ask('names', () => [...objects.keys()]),
  }
}
