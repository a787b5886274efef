/**
 * Makes the owner's operation from a row of the table of methods. The arguments of a request become those of the method,
 * which checks them as it does for any caller, and its result becomes the answer.
 */
import { messageOf } from '../../../cache/actor/messages.js'
import { type EntryToSet, listOf, type SetOptions } from '../../../cache/arguments/arguments.js'
import { METHODS, type Method, type MethodName } from '../../../cache/arguments/methods.js'
import { restoreValue, storeValue } from '../../../values/encode.js'
import { optionsOf, type RemoteMethod } from '../wire/codes.js'
import { toWireError } from '../wire/wire-error.js'
import { ENTRY, FILE_ERROR, LIST, PAIRS, PLAIN, toStored, toWire, type Wire } from '../wire/wire-value.js'
import type { Caller, Operation } from './caller.js'

type Callable = (...parameters: unknown[]) => unknown

/** The operation that calls the method of a row. */
export function operationOf(name: MethodName, row: Method): Operation {
  const encode = ENCODE[row.gives ?? 'data']
  const call = callOf(name, row)
  return row.waits === true
    ? (...request) => (call(...request) as Promise<unknown>).then(encode)
    : (caller, first, batch, at) => encode(call(caller, first, batch, at))
}

function callOf(name: MethodName, row: Method): (...request: Parameters<Operation>) => unknown {
  const { takes, isGetter } = row
  if (isGetter === true) return ({ cache }) => cache[name]
  const method = ({ cache }: Caller) => cache[name] as Callable
  // The most common forms need no list of arguments.
  const isPlain = optionsOf(row).length === 0 && takes.every((argument) => DECODE[argument] === undefined)
  if (isPlain && takes.length === 0) return (caller) => method(caller).call(caller.cache)
  if (isPlain && takes.length === 1) return (caller, first) => method(caller).call(caller.cache, first)
  if (isPlain && takes.length === 2)
    return (caller, first, batch, at) => method(caller).call(caller.cache, first, batch[at + 1])
  const parametersAt = parametersReader(row)
  return (caller, ...request) => method(caller).apply(caller.cache, parametersAt(...request))
}

/** The same operation, which first shows the request to an inspector as a call of `name`. */
export function inspected(name: RemoteMethod, takesOptions: boolean, operation: Operation): Operation {
  const parametersAt = parametersReader(takesOptions ? METHODS[name] : { takes: METHODS[name].takes })
  return (caller, first, batch, at) => {
    if (caller.door.isInspected) caller.door.inspect(messageOf(name, parametersAt(first, batch, at)))
    return operation(caller, first, batch, at)
  }
}

/** Reads the arguments of a method as a caller gives them. */
function parametersReader(row: Method): (first: unknown, batch: readonly unknown[], at: number) => unknown[] {
  const decoders = row.takes.map((argument) => DECODE[argument] ?? same)
  const optionsAt = optionsReader(row)
  return (first, batch, at) => {
    const parameters =
      row.isVariadic === true
        ? listOf(first, row.takes[0] as string) // it takes one
        : decoders.map((decode, index) => decode(index === 0 ? first : batch[at + index]))
    const options = optionsAt(batch, at)
    if (options !== undefined) parameters.push(options)
    return parameters
  }
}

/** Reads the options that follow a method's arguments, if any were passed. */
export function optionsReader(row: Method): (batch: readonly unknown[], at: number) => object | undefined {
  const { length } = row.takes
  const names = optionsOf(row)
  return (batch, at) => {
    let options: Record<string, unknown> | undefined
    for (let index = 0; index < names.length; index++) {
      const value = batch[at + length + index]
      if (value === undefined) continue
      options ??= {}
      options[names[index] as string] = value
    }
    return options
  }
}

/** By name: decodes an argument that is encoded on the wire. */
const DECODE: Readonly<Record<string, (wire: unknown) => unknown>> = {
  value: restoreWire,
  entries: (wire) => rowsOf(wire, restoreWire),
}

/** Encodes a result for the wire. */
const ENCODE: Readonly<Record<NonNullable<Method['gives']> | 'data', (result: unknown) => Wire>> = {
  data: (result) => (typeof result === 'object' && result !== null ? [PLAIN, result] : (result as Wire)),
  value: valueToWire,
  entry: (entry) => {
    if (entry === undefined) return undefined
    const { value, ...rest } = entry as { value: unknown }
    return [ENTRY, valueToWire(value), rest]
  },
  values: (values) => [LIST, ...(values as unknown[]).map(valueToWire)],
  entries: (pairs) => {
    const wire: [number, ...unknown[]] = [PAIRS]
    for (const [key, value] of pairs as Iterable<[string, unknown]>) wire.push(key, valueToWire(value))
    return wire
  },
  outcome: (result) => {
    const { ok, error } = result as { ok: boolean; error?: unknown }
    return ok ? [PLAIN, result] : [FILE_ERROR, ...toWireError(error)]
  },
}

function same(argument: unknown): unknown {
  return argument
}

function valueToWire(value: unknown): Wire {
  return value === undefined ? undefined : toWire(storeValue(value, 'copy'))
}

function restoreWire(wire: unknown): unknown {
  return restoreValue(toStored(wire), 'copy')
}

/** Rows from [key, value, options, key, value, options, …]. The method checks the keys and the options. */
export function rowsOf<T>(flat: unknown, decode: (wire: unknown) => T): EntryToSet<T>[] {
  const list = listOf(flat, 'entries')
  const rows: EntryToSet<T>[] = []
  for (let at = 0; at < list.length; at += 3) {
    const key = list[at] as string
    const value = decode(list[at + 1])
    const options = list[at + 2] as SetOptions | undefined
    rows.push(options === undefined ? [key, value] : [key, value, options])
  }
  return rows
}
