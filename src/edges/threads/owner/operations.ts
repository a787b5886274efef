/**
 * The owner's side of every request: from the arguments that a port brought to what goes back. Each is done by the very
 * method that it is named after, which checks its arguments as it does for any caller; so a broken or hostile worker gets
 * refusals. Values are handed on as they are stored.
 */
import type { MessagePort } from 'node:worker_threads'
import { listOf, type SetOptions } from '../../../cache/arguments.js'
import type { Cache } from '../../../cache/cache.js'
import type { Door } from '../../../cache/door.js'
import type { Duration } from '../../../cache/duration.js'
import type { StoredValue } from '../../../core/model/stored-value.js'
import { describe } from '../../../errors.js'
import { restoreValue, storeValue } from '../../../values/encode.js'
import { ARITY, OPERATION_NAMES, type OperationName } from '../wire/protocol.js'
import { conditionFailed, holds, STEP_ARGUMENTS } from '../wire/steps.js'
import { toWireError } from '../wire/wire-error.js'
import { FILE_ERROR, LIST, PAIRS, PLAIN, toStored, toWire, type Wire } from '../wire/wire-value.js'
import type { ServedLoads } from './served-loads.js'
import type { ServedStreams } from './served-streams.js'

/** What requests of one port may need. */
export interface Desk {
  readonly cache: Cache
  readonly door: Door
  readonly loads: ServedLoads
  readonly streams: ServedStreams
  /** The number of the request that is being answered. */
  readonly currentId: number
  /** Whether an inspector wants to be told of every call. */
  readonly isTold: boolean
  /** Ports to hand over with the answers of this batch. */
  readonly transfers: MessagePort[]
  share(): MessagePort
  useMemory(memory: unknown): void
  bye(): void
}

type Run = (desk: Desk, a: never, b: never, c: never, d: never, e: never) => Wire | Promise<Wire>

const RUN: Readonly<Record<OperationName, Run>> = {
  get: (desk, key: string) => {
    if (desk.isTold) return valueToWire(desk.cache.get(key))
    return toWire(desk.door.getStored(key))
  },
  peek: (desk, key: string) => {
    if (desk.isTold) return valueToWire(desk.cache.peek(key))
    return toWire(desk.door.peekStored(key))
  },
  has: ({ cache }, key: string) => cache.has(key),
  exists: ({ cache }, key: string) => cache.exists(key),
  set: (desk, key: string, value: Wire, ttl: Duration, expiresAt: number, only: 'absent') => {
    return setStored(desk, key, value, { ttl, expiresAt, only })
  },
  put: (desk, key: string, value: Wire) => setStored(desk, key, value),
  add: ({ cache }, key: string, by: number) => cache.increment(key, by),
  delete: ({ cache }, key: string) => cache.delete(key),
  increment: ({ cache }, key: string, by: number, ttl: Duration) => cache.increment(key, by, { ttl }),
  decrement: ({ cache }, key: string, by: number, ttl: Duration) => cache.decrement(key, by, { ttl }),
  ttl: ({ cache }, key: string) => cache.ttl(key),
  expire: ({ cache }, key: string, ttl: Duration) => cache.expire(key, ttl),
  persist: ({ cache }, key: string) => cache.persist(key),
  getMany: (desk, keys: string[]) => {
    if (desk.isTold) return [LIST, ...desk.cache.getMany(keys).map(valueToWire)]
    return [LIST, ...desk.door.getManyStored(keys).map(toWire)]
  },
  setMany: (desk, flat: unknown[], ttl: Duration, expiresAt: number, only: 'absent') => {
    const list = listOf(flat, 'entries')
    const rows: [string, StoredValue][] = []
    for (let at = 0; at < list.length; at += 2) {
      rows.push([list[at] as string, toStored(list[at + 1])])
    }
    const options = { ttl, expiresAt, only }
    if (!desk.isTold) return desk.door.setManyStored(rows, options)
    const entries = rows.map(([key, value]) => [key, restoreValue(value, 'copy')] as const)
    return desk.cache.setMany(entries, options)
  },
  deleteMany: ({ cache }, keys: string[]) => cache.deleteMany(keys),
  keys: ({ cache }, pattern: string) => [PLAIN, cache.keys(pattern)],
  deletePattern: ({ cache }, pattern: string) => cache.deletePattern(pattern),
  entries: (desk, pattern: string) => {
    const { cache } = desk
    if (desk.isTold) return [PAIRS, ...[...cache.entries(pattern)].flatMap(([key, value]) => [key, valueToWire(value)])]
    return [PAIRS, ...desk.door.entriesStored(pattern).flatMap(([key, value]) => [key, toWire(value)])]
  },
  clear: ({ cache }) => cache.clear() as undefined,
  size: ({ cache }) => cache.size,
  stats: ({ cache }) => [PLAIN, cache.stats()],
  cleanup: ({ cache }) => cache.cleanup(),
  transact: (desk, steps: unknown[]) => {
    const list = listOf(steps, 'steps')
    const results: Wire[] = []
    desk.cache.transact(() => {
      for (const [index, step] of list.entries()) results.push(runStep(desk, step, index))
    })
    return [LIST, ...results]
  },
  getOrSet: (desk, key: string, ttl: Duration, timeout: Duration, parent: number) => {
    const { cache, door, loads, currentId } = desk
    if (desk.isTold) {
      const load = async () => restoreValue(await loads.lease(key, currentId), 'copy')
      return loads.within(parent, () => cache.getOrSet(key, load, { ttl, timeout }).then(valueToWire))
    }
    if (door.peekStored(key) !== undefined) return toWire(door.getStored(key))
    return loads.within(parent, () =>
      door.getOrSetStored(key, () => loads.lease(key, currentId), { ttl, timeout }).then(toWire),
    )
  },
  flush: ({ cache }) => cache.flush(),
  compact: ({ cache }) => cache.compact().then((report) => [PLAIN, report] as const),
  save: ({ cache }, path: string, format: 'pickle') => cache.save(path, { format }).then(fileResult),
  load: ({ cache }, path: string, format: 'pickle') => cache.load(path, { format }).then(fileResult),
  recovery: ({ cache }) => [PLAIN, cache.recovery],
  share: (desk) => {
    const port = desk.share()
    desk.transfers.push(port)
    return [PLAIN, port]
  },
  hello: ({ door }) => door.admit() as undefined,
  sync: (desk, memory: unknown) => desk.useMemory(memory) as undefined,
  subscribe: ({ streams }, id: number, kind: string, pattern: string) =>
    streams.subscribe(id, kind, pattern) as undefined,
  unsubscribe: ({ streams }, id: number) => streams.unsubscribe(id) as undefined,
  acknowledge: ({ streams }, id: number) => streams.acknowledge(id) as undefined,
  loaded: ({ loads }, id: number, value: Wire) => loads.loaded(id, value) as undefined,
  notLoaded: ({ loads }, id: number, error: unknown[]) => loads.failed(id, error) as undefined,
  bye: (desk) => desk.bye() as undefined,
}

const MUTATIONS: ReadonlySet<OperationName> = new Set<OperationName>([
  'set',
  'put',
  'add',
  'delete',
  'increment',
  'decrement',
  'expire',
  'persist',
  'setMany',
  'deleteMany',
  'deletePattern',
  'clear',
  'cleanup',
  'transact',
  'bye', // what this port has changed is durable before its client is told that it is closed
])

/** After these it is time to look at the clock. */
const LONG: ReadonlySet<OperationName> = new Set<OperationName>([
  'getMany',
  'setMany',
  'deleteMany',
  'keys',
  'deletePattern',
  'entries',
  'clear',
  'cleanup',
  'transact',
])

/** By code. */
export const OPERATIONS = OPERATION_NAMES.map((name) => ({
  run: RUN[name] as (desk: Desk, ...parameters: unknown[]) => Wire | Promise<Wire>,
  isMutation: MUTATIONS.has(name),
  arity: ARITY[name],
  mayTakeLong: LONG.has(name),
}))

/** With an inspector, by the method that shows it the value as the caller gave it. */
function setStored(desk: Desk, key: string, wire: Wire, options?: SetOptions): boolean {
  const stored = toStored(wire)
  return desk.isTold
    ? desk.cache.set(key, restoreValue(stored, 'copy'), options)
    : desk.door.setStored(key, stored, options)
}

function valueToWire(value: unknown): Wire {
  return value === undefined ? undefined : toWire(storeValue(value, 'copy'))
}

function fileResult(result: { ok: true } | { ok: false; error: Error }): Wire {
  return result.ok ? [PLAIN, result] : [FILE_ERROR, ...toWireError(result.error)]
}

/** [code, arguments, conditions]; a `require` has no code. */
function runStep(desk: Desk, step: unknown, index: number): Wire {
  const [code, parameters, conditions] = listOf(step, 'A step')
  const list = conditions === undefined ? [] : listOf(conditions, 'when')
  for (const condition of list) {
    if (holds(condition, (key) => desk.door.peekStored(key))) continue
    if (code === undefined) throw conditionFailed(index, (condition as unknown[])[0])
    return undefined
  }
  if (code === undefined) return true
  const name = OPERATION_NAMES[code as number]
  if (name === undefined || !Object.hasOwn(STEP_ARGUMENTS, name))
    throw new TypeError(`${describe(name ?? code)} cannot be a step of transact(). Nothing was changed.`)
  return (RUN[name] as (desk: Desk, ...parameters: unknown[]) => Wire)(desk, ...listOf(parameters, 'Arguments'))
}
