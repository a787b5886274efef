/**
 * The owner's side of every request: from the arguments that a port brought to what goes back. Each is done by the very
 * method that it is named after, which checks its arguments as it does for any caller; so a broken or hostile worker gets
 * refusals. Values are handed on as they are stored.
 */
import type { MessagePort } from 'node:worker_threads'
import { checkKey, checkKeys, listOf } from '../../../cache/arguments.js'
import type { Cache } from '../../../cache/cache.js'
import type { CacheCore } from '../../../cache/cache-core.js'
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
  readonly core: CacheCore
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
    checkKey(key)
    return toWire(desk.core.get(key))
  },
  peek: (desk, key: string) => {
    if (desk.isTold) return valueToWire(desk.cache.peek(key))
    checkKey(key)
    desk.core.admitRead()
    return toWire(peek(desk, key))
  },
  has: ({ cache }, key: string) => cache.has(key),
  exists: ({ cache }, key: string) => cache.exists(key),
  set: (desk, key: string, value: Wire, ttl: Duration, expiresAt: number, only: 'absent') => {
    const { cache } = desk
    checkKey(key)
    return cache.set(key, given(desk, value), { ttl, expiresAt, only })
  },
  put: (desk, key: string, value: Wire) => desk.cache.set(key, given(desk, value)),
  add: ({ cache }, key: string, by: number) => cache.increment(key, by),
  delete: ({ cache }, key: string) => cache.delete(key),
  increment: ({ cache }, key: string, by: number, ttl: Duration) => cache.increment(key, by, { ttl }),
  decrement: ({ cache }, key: string, by: number, ttl: Duration) => cache.decrement(key, by, { ttl }),
  ttl: ({ cache }, key: string) => cache.ttl(key),
  expire: ({ cache }, key: string, ttl: Duration) => cache.expire(key, ttl),
  persist: ({ cache }, key: string) => cache.persist(key),
  getMany: (desk, keys: string[]) => {
    if (desk.isTold) return [LIST, ...desk.cache.getMany(keys).map(valueToWire)]
    const list = checkKeys(keys)
    desk.core.admitRead()
    return [LIST, ...desk.core.turns.runAll(() => list.map((key) => toWire(desk.core.get(key))))]
  },
  setMany: (desk, flat: unknown[], ttl: Duration, expiresAt: number, only: 'absent') => {
    const list = listOf(flat, 'entries')
    const entries: [string, unknown][] = []
    for (let at = 0; at < list.length; at += 2) {
      const key = list[at]
      checkKey(key)
      entries.push([key, given(desk, list[at + 1])])
    }
    return desk.cache.setMany(entries, { ttl, expiresAt, only })
  },
  deleteMany: ({ cache }, keys: string[]) => cache.deleteMany(keys),
  keys: ({ cache }, pattern: string) => [PLAIN, cache.keys(pattern)],
  deletePattern: ({ cache }, pattern: string) => cache.deletePattern(pattern),
  entries: (desk, pattern: string) => {
    const { cache } = desk
    if (desk.isTold) return [PAIRS, ...[...cache.entries(pattern)].flatMap(([key, value]) => [key, valueToWire(value)])]
    const pairs: [number, ...unknown[]] = [PAIRS]
    for (const key of cache.keys(pattern)) {
      const stored = peek(desk, key)
      if (stored !== undefined) pairs.push(key, toWire(stored)) // else it has expired since the line above
    }
    return pairs
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
    const { cache, core, loads, currentId } = desk
    checkKey(key)
    core.admitRead()
    if (!desk.isTold && peek(desk, key) !== undefined) return toWire(core.get(key))
    return loads.within(parent, () =>
      cache.getOrSet(key, () => loads.lease(key, currentId), { ttl, timeout }).then(valueToWire),
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
  hello: ({ core }) => core.admitRead() as undefined,
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

function peek({ core }: Desk, key: string): StoredValue | undefined {
  return core.run({ type: 'peek', key, nowMs: core.clock.now() }) as StoredValue | undefined
}

/** A value to be set: as it is stored already, or as the caller gave it when an inspector is to see it. */
function given(desk: Desk, wire: unknown): unknown {
  const stored = toStored(wire)
  return desk.isTold ? restoreValue(stored, 'copy') : stored
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
    if (holds(condition, (key) => peek(desk, key))) continue
    if (code === undefined) throw conditionFailed(index, (condition as unknown[])[0])
    return undefined
  }
  if (code === undefined) return true
  const name = OPERATION_NAMES[code as number]
  if (name === undefined || !Object.hasOwn(STEP_ARGUMENTS, name))
    throw new TypeError(`${describe(name ?? code)} cannot be a step of transact(). Nothing was changed.`)
  return (RUN[name] as (desk: Desk, ...parameters: unknown[]) => Wire)(desk, ...listOf(parameters, 'Arguments'))
}
