/**
 * The owner's side of every request: from the arguments that a port brought to what goes back. Each is done by the very
 * method that it is named after, which checks its arguments as it does for any caller; so a broken or hostile worker gets
 * refusals. What every method does follows from the table; those that take or give values hand them on as they are stored.
 */
import type { MessagePort } from 'node:worker_threads'
import { checkKey, listOf } from '../../../cache/arguments.js'
import type { Cache } from '../../../cache/cache.js'
import { messageOf } from '../../../cache/messages.js'
import { METHODS, type Method, type MethodName } from '../../../cache/methods.js'
import { shown } from '../../../errors.js'
import { restoreValue, storeValue } from '../../../values/encode.js'
import { ARITIES, OPERATION_NAMES, type OperationName, optionsOf, type RemoteMethod } from '../wire/protocol.js'
import { conditionFailed, holds, isStep } from '../wire/steps.js'
import { toWireError } from '../wire/wire-error.js'
import { FILE_ERROR, LIST, PAIRS, PLAIN, toStored, toWire, type Wire } from '../wire/wire-value.js'
import type { Inner } from './inner.js'
import type { ServedLoads } from './served-loads.js'
import type { ServedStreams } from './served-streams.js'

/** What requests of one port may need. */
export interface Desk {
  readonly cache: Cache
  readonly inner: Inner
  readonly loads: ServedLoads
  readonly streams: ServedStreams
  /** The number of the request that is being answered. */
  readonly currentId: number
  /** Ports to hand over with the answers of this batch. */
  readonly transfers: MessagePort[]
  share(): MessagePort
  useMemory(memory: unknown): void
  bye(): void
}

/** The arguments as they came: the first one, and where the others are in the batch. */
type Run = (desk: Desk, first: unknown, batch: readonly unknown[], at: number) => Wire | Promise<Wire>

type Callable = (...parameters: unknown[]) => unknown

/** Calls the method of a row, as any caller does. */
export function operationOf(name: string, row: Method): Run {
  const { takes, isGetter, gives, waits } = row
  const isPlain = optionsOf(row).length === 0 && takes.every((argument) => DECODE[argument] === undefined)
  const parametersAt = parametersReader(row)
  const encode = ENCODE[gives ?? 'data']
  const methods = (desk: Desk) => desk.cache as unknown as Record<string, Callable>
  const call: (...request: Parameters<Run>) => unknown =
    isGetter === true
      ? (desk) => methods(desk)[name]
      : isPlain && takes.length === 0
        ? (desk) => methods(desk)[name]?.()
        : isPlain && takes.length === 1
          ? (desk, first) => methods(desk)[name]?.(first)
          : (desk, ...request) => methods(desk)[name]?.(...parametersAt(...request))
  return waits === true
    ? (...request) => (call(...request) as Promise<unknown>).then(encode)
    : (desk, first, batch, at) => encode(call(desk, first, batch, at))
}

/** Shows an inspector the call that a request stands for. */
function inspected(name: OperationName, run: Run): Run {
  if (name === 'getOrSet') return run // does it itself, since the loader is made there
  const method = name === 'put' ? 'set' : (name as RemoteMethod)
  const parametersAt = parametersReader(name === 'put' ? { takes: METHODS.set.takes } : METHODS[method])
  return (desk, first, batch, at) => {
    if (desk.inner.isInspected) desk.inner.inspect(messageOf(method, parametersAt(first, batch, at)))
    return run(desk, first, batch, at)
  }
}

/** Reads the arguments of a method as a caller gives them. */
function parametersReader(row: Method): (first: unknown, batch: readonly unknown[], at: number) => unknown[] {
  const decoders = row.takes.map((argument) => DECODE[argument] ?? same)
  const optionsAt = optionsReader(row)
  return (first, batch, at) => {
    const parameters = decoders.map((decode, index) => decode(index === 0 ? first : batch[at + index]))
    const options = optionsAt(batch, at)
    return options === undefined ? parameters : [...parameters, options]
  }
}

function same(argument: unknown): unknown {
  return argument
}

/** Reads the options that follow a method's arguments, if any is given. */
function optionsReader(row: Method): (batch: readonly unknown[], at: number) => Record<string, unknown> | undefined {
  const { length } = row.takes
  const names = optionsOf(row)
  return (batch, at) => {
    let options: Record<string, unknown> | undefined
    for (const [index, name] of names.entries()) {
      const value = batch[at + length + index]
      if (value === undefined) continue
      options ??= {}
      options[name] = value
    }
    return options
  }
}

/** How an argument that doesn't travel as it is becomes one for a method. */
const DECODE: Readonly<Record<string, (wire: unknown) => unknown>> = {
  value: restoreWire,
  entries: (wire) => pairsOf(wire, restoreWire),
}

/** How a result travels. */
const ENCODE: Readonly<Record<NonNullable<Method['gives']> | 'data', (result: unknown) => Wire>> = {
  data: (result) => (typeof result === 'object' && result !== null ? [PLAIN, result] : (result as Wire)),
  value: valueToWire,
  values: (values) => [LIST, ...(values as unknown[]).map(valueToWire)],
  entries: (pairs) => [
    PAIRS,
    ...[...(pairs as Iterable<[string, unknown]>)].flatMap(([key, value]) => [key, valueToWire(value)]),
  ],
  outcome: (result) => {
    const { ok, error } = result as { ok: boolean; error?: unknown }
    return ok ? [PLAIN, result] : [FILE_ERROR, ...toWireError(error)]
  },
}

function valueToWire(value: unknown): Wire {
  return value === undefined ? undefined : toWire(storeValue(value, 'copy'))
}

function restoreWire(wire: unknown): unknown {
  return restoreValue(toStored(wire), 'copy')
}

/** Of [key, value, key, value, …]. */
function pairsOf<T>(flat: unknown, decode: (wire: unknown) => T): [string, T][] {
  const list = listOf(flat, 'entries')
  const pairs: [string, T][] = []
  for (let at = 0; at < list.length; at += 2) pairs.push([list[at] as string, decode(list[at + 1])])
  return pairs
}

/** [code, arguments, conditions]; a `require` has no code. */
function runStep(desk: Desk, step: unknown, index: number): Wire {
  const [code, parameters, conditions] = listOf(step, 'A step')
  const list = conditions === undefined ? [] : listOf(conditions, 'when')
  for (const condition of list) {
    if (holds(condition, (key) => desk.inner.peekStored(key))) continue
    if (code === undefined) throw conditionFailed(index, (condition as unknown[])[0])
    return undefined
  }
  if (code === undefined) return true
  const name = OPERATION_NAMES[code as number]
  const operation = OPERATIONS[code as number]
  if (operation === undefined || !isStep(name))
    throw new TypeError(`${shown(name ?? code)} cannot be a step of transact(). Nothing was changed.`)
  const given = listOf(parameters, 'Arguments')
  return operation.run(desk, given[0], given, 0) as Wire // no step waits
}

const setOptionsAt = optionsReader(METHODS.set)
const setManyOptionsAt = optionsReader(METHODS.setMany)
const loadOptionsAt = optionsReader(METHODS.getOrSet)

/** Values on their way in and out as they are stored. */
const OF_VALUES: Partial<Record<OperationName, Run>> = {
  get: ({ inner }, key) => toWire(inner.getStored(key as string)),
  peek: ({ inner }, key) => toWire(inner.peekStored(key as string)),
  put: ({ inner }, key, batch, at) => inner.setStored(key as string, toStored(batch[at + 1])),
  set: ({ inner }, key, batch, at) => {
    checkKey(key)
    return inner.setStored(key, toStored(batch[at + 1]), setOptionsAt(batch, at))
  },
  getMany: ({ inner }, keys) => [LIST, ...inner.getManyStored(keys as string[]).map(toWire)],
  setMany: ({ inner }, entries, batch, at) =>
    inner.setManyStored(pairsOf(entries, toStored), setManyOptionsAt(batch, at)),
  entries: ({ inner }, pattern) => {
    const pairs: [number, ...unknown[]] = [PAIRS]
    for (const [key, stored] of inner.entriesStored(pattern as string)) pairs.push(key, toWire(stored))
    return pairs
  },
  getOrSet: ({ inner, loads, currentId }, key, batch, at) => {
    const load = () => loads.lease(key as string, currentId)
    const options = loadOptionsAt(batch, at) ?? {}
    if (inner.isInspected) inner.inspect(messageOf('getOrSet', [key, load, options]))
    // What is there is answered with the batch.
    if (inner.peekStored(key as string) !== undefined) return toWire(inner.getStored(key as string))
    return loads.within(batch[at + 1], () => inner.getOrSetStored(key as string, load, options).then(toWire))
  },
}

const OTHERS: Partial<Record<OperationName, Run>> = {
  add: ({ cache }, key, batch, at) => cache.increment(key as string, batch[at + 1] as number),
  transact: (desk, steps) => {
    const list = listOf(steps, 'steps')
    const results: Wire[] = []
    desk.cache.transact(() => {
      for (const [index, step] of list.entries()) results.push(runStep(desk, step, index))
    })
    return [LIST, ...results]
  },
  share: (desk) => {
    const port = desk.share()
    desk.transfers.push(port)
    return [PLAIN, port]
  },
  hello: ({ cache }) => {
    void cache.size // refused by a cache that is closed
    return undefined
  },
  sync: (desk, memory) => desk.useMemory(memory) as undefined,
  subscribe: ({ streams }, id, batch, at) =>
    streams.subscribe(id as number, batch[at + 1] as string, batch[at + 2]) as undefined,
  unsubscribe: ({ streams }, id) => streams.unsubscribe(id as number) as undefined,
  acknowledge: ({ streams }, id) => streams.acknowledge(id as number) as undefined,
  loaded: ({ loads }, id, batch, at) => loads.loaded(id as number, batch[at + 1]) as undefined,
  notLoaded: ({ loads }, id, batch, at) => loads.failed(id as number, batch[at + 1]) as undefined,
  bye: (desk) => desk.bye() as undefined,
}

/** By code. */
export const OPERATIONS = OPERATION_NAMES.map((name, code) => {
  const method: Partial<Method> = Object.hasOwn(METHODS, name) ? METHODS[name as MethodName] : {}
  const ofValues = OF_VALUES[name]
  return {
    run:
      ofValues === undefined
        ? (OTHERS[name] ?? operationOf(name, METHODS[name as RemoteMethod]))
        : inspected(name, ofValues),
    arity: ARITIES[code] as number,
    /**
     * Under `fsync: 'always'` it is answered when it is on disk; so is `bye`: what a port has changed is durable before its
     * client is told that it is closed. What waits sees to that itself.
     */
    mustBeDurable: (method.changes === true && method.waits !== true) || ['put', 'add', 'bye'].includes(name),
    mayTakeLong: method.mayTakeLong === true,
  }
})
