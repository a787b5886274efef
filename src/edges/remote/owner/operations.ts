/**
 * The owner's side of every request, by code. Most operations are derived from the table of methods (method-operation.ts) and
 * call the method of the same name, with all its checks, so a broken or hostile client gets refusals. Defined here are those
 * that pass values in their stored form, and those that are not methods. Before: session. After: cache/cache.ts and
 * cache/door.ts.
 */

import { listOf } from '../../../cache/arguments.js'
import type { Loader } from '../../../cache/loads.js'
import { messageOf } from '../../../cache/messages.js'
import { METHODS, type Method, type MethodName } from '../../../cache/methods.js'
import { describe } from '../../../errors.js'
import { ARITIES, OPERATION_NAMES, type OperationName, type RemoteMethod } from '../wire/codes.js'
import { isStep } from '../wire/steps.js'
import { ENTRY, LIST, PAIRS, toStored, toWire, type Wire } from '../wire/wire-value.js'
import type { Caller, Operation } from './caller.js'
import { conditionFailed, holds } from './conditions.js'
import { inspected, operationOf, optionsReader, rowsOf } from './method-operation.js'

/** Operations that take and return values in their stored form. */
const OF_VALUES = {
  get: ({ door }, key) => toWire(door.getStored(key as string)),
  peek: ({ door }, key) => toWire(door.peekStored(key as string)),
  put: ({ door }, key, batch, at) => door.setStored(key as string, toStored(batch[at + 1])),
  set: ({ door }, key, batch, at) => door.setStored(key as string, toStored(batch[at + 1]), optionsAt.set(batch, at)),
  take: ({ door }, key) => door.takeStored(key as string, toWire),
  entry: ({ door }, key) => {
    const entry = door.entryStored(key as string)
    if (entry === undefined) return undefined
    const { value, ...rest } = entry
    return [ENTRY, toWire(value), rest]
  },
  getMany: ({ door }, keys) => [LIST, ...door.getManyStored(keys as string[]).map(toWire)],
  setMany: ({ door }, entries, batch, at) =>
    door.setManyStored(rowsOf(entries, toStored), optionsAt.setMany(batch, at)),
  entries: ({ door }, pattern) => {
    const pairs: [number, ...unknown[]] = [PAIRS]
    for (const [key, stored] of door.entriesStored(pattern === undefined ? '*' : pattern)())
      pairs.push(key, toWire(stored))
    return pairs
  },
} satisfies Partial<Record<OperationName, Operation>>

const optionsAt = {
  set: optionsReader(METHODS.set),
  setMany: optionsReader(METHODS.setMany),
  getOrSet: optionsReader(METHODS.getOrSet),
}

const OTHERS: Partial<Record<OperationName, Operation>> = {
  add: ({ cache }, key, batch, at) => cache.increment(key as string, batch[at + 1] as number),
  transact: (caller, steps) => {
    const list = listOf(steps, 'steps')
    const results: Wire[] = []
    caller.cache.transact(() => {
      for (const [index, step] of list.entries()) results.push(doStep(caller, step, index))
    })
    return [LIST, ...results]
  },
  getOrSet: ({ door, loads, currentId }, key, batch, at) => {
    const load: Loader = (_, { signal }) => loads.lease(key as string, currentId, signal)
    const options = optionsAt.getOrSet(batch, at) ?? {}
    if (door.isInspected) door.inspect(messageOf('getOrSet', [key, load, options]))
    const found = loads.within(batch[at + 1], () => door.getOrSetStored(key as string, load, options))
    return found instanceof Promise ? found.then(toWire) : toWire(found) // with the batch
  },
  count: ({ door }, prefix) => door.count(prefix as string),
  hello: ({ door }) => {
    door.admit()
    return undefined
  },
  subscribe: ({ door, streams }, id, batch, at) => {
    streams.subscribe(id as number, batch[at + 1] as string, batch[at + 2])
    return door.sequence
  },
  resubscribe: ({ door, streams }, id, batch, at) => {
    streams.unsubscribe(id as number)
    streams.subscribe(id as number, batch[at + 1] as string, batch[at + 2], batch[at + 3])
    return door.sequence
  },
  unsubscribe: ({ streams }, id) => {
    streams.unsubscribe(id as number)
    return undefined
  },
  acknowledge: ({ streams }, id) => {
    streams.acknowledge(id as number)
    return undefined
  },
  loaded: ({ loads }, id, batch, at) => {
    loads.loaded(id as number, batch[at + 1])
    return undefined
  },
  notLoaded: ({ loads }, id, batch, at) => {
    loads.failed(id as number, batch[at + 1])
    return undefined
  },
  extra: ({ extras }, name, batch, at) => {
    const extra = typeof name === 'string' && Object.hasOwn(extras, name) ? extras[name] : undefined
    if (extra === undefined) throw new TypeError(`This connection has no ${describe(name)}. Nothing was changed.`)
    return extra(batch[at + 1])
  },
  bye: (caller) => {
    caller.leave()
    return undefined
  },
}

/** A step as it travels: [code, arguments, conditions]; a `require` has no code. */
function doStep(caller: Caller, step: unknown, index: number): Wire {
  const [code, parameters, conditions] = listOf(step, 'A step')
  const list = conditions === undefined ? [] : listOf(conditions, 'when')
  for (const condition of list) {
    if (holds(condition, (key) => caller.door.peekStored(key))) continue
    if (code === undefined) throw conditionFailed(index, (condition as unknown[])[0])
    return undefined
  }
  if (code === undefined) return true
  const operation = operationAt(code)
  if (operation === undefined || !isStep(operation.name))
    throw new TypeError(`${describe(operation?.name ?? code)} cannot be a step of transact(). Nothing was changed.`)
  const given = listOf(parameters, 'Arguments')
  return operation.run(caller, given[0], given, 0) as Wire // no step waits
}

/** Short forms of methods, without options. */
const SHORT: Partial<Record<OperationName, MethodName>> = { put: 'set', add: 'increment' }

/** By code. */
const OPERATIONS = OPERATION_NAMES.map((name, code) => {
  const method = SHORT[name] ?? name
  const row: Partial<Method> = Object.hasOwn(METHODS, method) ? METHODS[method as MethodName] : {}
  return {
    name,
    run: runOf(name),
    arity: ARITIES[code] as number,
    /**
     * Whether, under `fsync: 'always'`, the answer waits until its change is on disk. That of `bye` does, too, so a client's
     * changes are durable before it is closed. Methods that return a promise wait themselves.
     */
    mustBeDurable: (row.changes === true && row.waits !== true) || name === 'bye',
    /** Whether the frame of its change keeps the answer, if its client numbers its commands. */
    isNumbered: row.changes === true && row.waits !== true,
    mayTakeLong: row.mayTakeLong === true || name === 'count',
  }
})

/** What a code from a client stands for, if it is one. */
export function operationAt(code: unknown): (typeof OPERATIONS)[number] | undefined {
  return typeof code === 'number' ? OPERATIONS[code] : undefined
}

function runOf(name: OperationName): Operation {
  if (name === 'put') return inspected('set', false, OF_VALUES.put)
  if (Object.hasOwn(OF_VALUES, name))
    return inspected(name as RemoteMethod, true, OF_VALUES[name as keyof typeof OF_VALUES])
  return OTHERS[name] ?? operationOf(name as RemoteMethod, METHODS[name as RemoteMethod])
}
