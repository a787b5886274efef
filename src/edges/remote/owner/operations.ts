/**
 * The owner's side of every request, by code. Most operations are derived from the table of methods (method-operation.ts) and
 * call the method of the same name, with all its checks, so a broken or hostile client gets refusals. Defined here are those
 * that pass values in their stored form, and those that are not methods. Before: session. After: cache/cache.ts and
 * cache/door/door.ts.
 */

import { messageOf } from '../../../cache/actor/messages.js'
import { checkKeys, listOf } from '../../../cache/arguments/arguments.js'
import { METHODS, type Method, type MethodName } from '../../../cache/arguments/methods.js'
import { savedFilesOf } from '../../../cache/cache.js'
import type { Door } from '../../../cache/door/door.js'
import { checkLoadOptions, type LoadCall, type LoadOptions } from '../../../cache/loads/load-options.js'
import type { Loader } from '../../../cache/loads/loaded.js'
import type { StagedRows } from '../../../cache/saved-files/saved-files.js'
import type { StoredValue } from '../../../core/model/stored-value.js'
import { describe } from '../../../errors.js'
import { ARITIES, BY_VALUE, OPERATION_NAMES, type OperationName, type RemoteMethod } from '../wire/codes.js'
import { isStep } from '../wire/steps.js'
import { DATED, ENTRY, LIST, PAIRS, PLAIN, toStored, toWire, type Wire } from '../wire/wire-value.js'
import type { Caller, Operation } from './caller.js'
import { conditionFailed, holds } from './conditions.js'
import { inspected, operationOf, optionsReader, rowsOf } from './method-operation.js'

/** Operations that take and return values in their stored form. */
const OF_VALUES = {
  read: ({ door }, key) => toWire(door.getStored(key as string)),
  get: ({ door }, key, batch, at) => toWire(door.getStored(key as string, optionsAt.get(batch, at))),
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
  get: optionsReader(METHODS.get),
  set: optionsReader(METHODS.set),
  setMany: optionsReader(METHODS.setMany),
}

/** The options of a load, which follow its arguments. A `ttl` of BY_VALUE: the client has a function. */
function loadCallAt(length: number): (batch: readonly unknown[], at: number) => { call: LoadCall; options: object } {
  const optionsAt = optionsReader({ takes: Array(length), options: METHODS.getOrSet.options })
  return (batch, at) => {
    const { ttl, ...others } = (optionsAt(batch, at) ?? {}) as LoadOptions
    const options = ttl === undefined || ttl === (BY_VALUE as never) ? others : { ttl, ...others }
    const { call } = checkLoadOptions(options)
    return { call: ttl === (BY_VALUE as never) ? { ...call, isTtlByValue: true } : call, options }
  }
}

const loadCall = loadCallAt(METHODS.getOrSet.takes.length)
const reloadCall = loadCallAt(METHODS.getOrSet.takes.length + 1)

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
  getOrSet: (caller, key, batch, at) => {
    const { door, loads } = caller
    const { load, call, isMeasuredThere } = loadOf('getOrSet', caller, key, batch, at)
    const found = loads.within(batch[at + 1], () => door.getOrSet.one(key as string, load, call))
    if (found instanceof Promise) return found.then((result) => loads.toWire(key as string, result))
    return isMeasuredThere
      ? dated(door, key as string, toWire(found as StoredValue))
      : loads.toWire(key as string, found) // with the batch
  },
  getOrSetMany: async (caller, keys, batch, at) => {
    const { door, loads } = caller
    const list = checkKeys(keys)
    const { load, call, isMeasuredThere } = loadOf('getOrSetMany', caller, list, batch, at)
    const results = await loads.within(batch[at + 1], () => door.getOrSet.many(list, load, call))
    const pairs: [number, ...unknown[]] = [PAIRS]
    for (const [key, result] of results) {
      const wire = loads.toWire(key, result)
      pairs.push(key, isMeasuredThere ? dated(door, key, wire) : wire)
    }
    return pairs
  },
  reload: ({ door, loads, currentId }, keys, batch, at) => {
    const { call } = reloadCall(batch, at)
    const load: Loader = (missing, context) => loads.lease(missing, currentId, context)
    door.getOrSet.reload(checkKeys(keys), listOf(batch[at + 2], 'untils'), load, call)
    return undefined
  },
  openPast: ({ past }, method, batch, at) => past.open(method, listOf(batch[at + 1], 'parameters')),
  nextPast: ({ past }, id) => past.next(id),
  readPast: ({ past }, id, batch, at) => past.read(id, batch[at + 1], batch[at + 2]),
  endPast: ({ past }, id) => {
    past.end(id)
    return undefined
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
    loads.loaded(id as number, batch[at + 1], batch[at + 2])
    return undefined
  },
  notLoaded: ({ loads }, id, batch, at) => {
    loads.failed(id as number, batch[at + 1], batch[at + 2])
    return undefined
  },
  adopt: async ({ cache, readStaged }, file, batch, at) => {
    if (readStaged === undefined) throw new TypeError('This connection has nothing staged. Nothing was changed.')
    const staged = { file, checksum: batch[at + 1], entries: batch[at + 2] } as StagedRows
    return [PLAIN, await savedFilesOf(cache).adopt(staged, (rows) => readStaged(staged, rows))]
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

/** The loader and the options of a request. `isMeasuredThere`: the client finds out whether an entry is due for a reload. */
function loadOf(
  name: 'getOrSet' | 'getOrSetMany',
  { door, loads, currentId }: Caller,
  first: unknown,
  batch: readonly unknown[],
  at: number,
): { load: Loader; call: LoadCall; isMeasuredThere: boolean } {
  const load: Loader = (keys, context) => loads.lease(keys, currentId, context)
  const { call, options } = loadCall(batch, at)
  if (door.isInspected) door.inspect(messageOf(name, [first, load, options]))
  const isMeasuredThere = call.refresh !== undefined && call.isTtlByValue
  return { load, call: isMeasuredThere ? { ...call, refresh: undefined } : call, isMeasuredThere }
}

function dated(door: Door, key: string, wire: Wire): Wire {
  const left = door.getOrSet.left(key)
  return left === undefined ? wire : [DATED, wire, left.untilMs, left.leftMs, door.getOrSet.defaultTtlMs]
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
const SHORT: Partial<Record<OperationName, MethodName>> = { read: 'get', put: 'set', add: 'increment' }

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
    /** Whether it is one command, whose reply is the answer. */
    isOne: name === 'put' || name === 'add',
    mayTakeLong: row.mayTakeLong === true || name === 'count',
  }
})

/** What a code from a client stands for, if it is one. */
export function operationAt(code: unknown): (typeof OPERATIONS)[number] | undefined {
  return typeof code === 'number' ? OPERATIONS[code] : undefined
}

function runOf(name: OperationName): Operation {
  if (name === 'read' || name === 'put') return inspected(name === 'put' ? 'set' : 'get', false, OF_VALUES[name])
  if (Object.hasOwn(OF_VALUES, name))
    return inspected(name as RemoteMethod, true, OF_VALUES[name as keyof typeof OF_VALUES])
  return OTHERS[name] ?? operationOf(name as RemoteMethod, METHODS[name as RemoteMethod])
}
