/** A log without faults, shared by the nodes that get the same value. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Engine, Log, LogFollower, LogRecord, Position, SnapshotPointer } from '../../../src/edges/cluster/log.js'
import { LogConflict } from '../../../src/edges/cluster/log.js'
import type { Clock } from '../../../src/testing.js'

export interface PlainLog {
  readonly engine: Engine
  readonly records: LogRecord[]
  first: Position
  readonly objects: Map<string, Uint8Array>
  pointer: SnapshotPointer | undefined
  /** Called before a record is appended: throws in place of the log. */
  onAppend: (record: LogRecord, node: string) => void
}

export function plainLog(clock?: Clock, bodyBytesMax = 1024 * 1024): PlainLog {
  const followers = new Set<{ next: Position; to: LogFollower }>()
  const served = new Map<string, (body: Uint8Array) => Promise<Uint8Array>>()
  let revision = 0
  const shared: PlainLog = {
    engine: Object.assign((_name: string, node: string) => logOf(node), { clock }),
    records: [],
    first: 1,
    objects: new Map(),
    pointer: undefined,
    onAppend: () => undefined,
  }
  const pump = () => {
    for (const follower of followers) {
      while (followers.has(follower) && follower.next <= shared.records.length) {
        if (follower.next < shared.first) {
          followers.delete(follower)
          follower.to.gap()
          break
        }
        const at = follower.next++
        follower.to.take(shared.records[at - 1] as LogRecord, at)
      }
    }
  }

  function logOf(node: string): Log {
    const own = new Set<{ next: Position; to: LogFollower }>()
    return {
      bodyBytesMax,
      open: async () => ({ first: shared.first, last: shared.records.length }),
      append: async (record, after) => {
        await nextTurn()
        shared.onAppend(record, node)
        if (after !== shared.records.length) throw new LogConflict(`${after} is not the last`)
        shared.records.push({ ...record, body: Uint8Array.from(record.body) })
        const position = shared.records.length
        setImmediate(pump)
        await nextTurn()
        return position
      },
      follow: (from, to) => {
        const follower = { next: from, to }
        followers.add(follower)
        own.add(follower)
        setImmediate(pump)
        return { stop: () => void followers.delete(follower) }
      },
      trim: async (upTo) => {
        shared.first = Math.max(shared.first, Math.min(upTo, shared.records.length - 1) + 1)
      },
      snapshots: {
        latest: async () => ({ pointer: shared.pointer, revision }),
        write: async (name, chunks) => {
          const parts: Uint8Array[] = []
          for await (const chunk of chunks) parts.push(Uint8Array.from(chunk))
          shared.objects.set(name, Buffer.concat(parts))
        },
        point: async (pointer, expected) => {
          if (expected !== revision) return false
          shared.pointer = pointer
          revision++
          return true
        },
        async *read(name) {
          const bytes = shared.objects.get(name)
          if (bytes === undefined) throw new Error(`${name} is missing`)
          yield bytes
        },
        remove: async (name) => void shared.objects.delete(name),
        names: async () => [...shared.objects.keys()],
      },
      wire: {
        request: async (address, body) => {
          await nextTurn()
          const handle = served.get(address)
          if (handle === undefined) throw new Error(`nobody is at ${address}`)
          const answer = await handle(Uint8Array.from(body))
          await nextTurn()
          return answer
        },
        serve: (address, handle) => {
          served.set(address, handle)
          return { stop: () => void served.delete(address) }
        },
        cast: (address, body) => {
          setImmediate(() => served.get(address)?.(Uint8Array.from(body)))
        },
      },
      close: async () => {
        for (const follower of own) followers.delete(follower)
      },
    }
  }
  return shared
}
