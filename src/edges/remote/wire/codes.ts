/**
 * The operations that a client asks for, each a number with a fixed number of arguments: the methods of the cache, in the order
 * of their table, and a few others.
 */
import { METHOD_NAMES, METHODS, type Method, type MethodName, type MethodsWith } from '../../../cache/methods.js'

/** The methods that a client asks the owner for; the others it does to itself. */
export type RemoteMethod = Exclude<MethodName, MethodsWith<{ isLocal: true }>>

export const REMOTE_METHODS = METHOD_NAMES.filter(
  (name): name is RemoteMethod => (METHODS[name] as Method).isLocal !== true,
)

/**
 * The options of a method that travel: those that are not functions. (Of arguments that are functions something else travels
 * in their place: for `transact` the list of its steps, for a loader the id of the getOrSet whose loader made this call.)
 */
export function optionsOf({ options = [] }: Method): readonly string[] {
  return options.filter((option) => option !== 'onProgress')
}

/** The operations that are not methods, with their arguments. */
const OTHERS = {
  /** A `set` and an `increment` without options: the commonest calls carry no empty arguments. */
  put: ['key', 'value'],
  add: ['key', 'by'],
  /** Whether the cache is open. */
  hello: [],
  subscribe: ['subscription', 'kind', 'pattern'],
  unsubscribe: ['subscription'],
  /** The subscribers have had one more message of events. */
  acknowledge: ['subscription'],
  /** What the loader of a getOrSet returned, or failed with. */
  loaded: ['request', 'value'],
  notLoaded: ['request', 'error'],
  /** Something that only this kind of line has. */
  extra: ['name', 'argument'],
  /** The last request of a client. */
  bye: [],
} as const

export type OperationName = RemoteMethod | keyof typeof OTHERS

/** The order gives the codes. */
export const OPERATION_NAMES: readonly OperationName[] = [
  ...REMOTE_METHODS,
  ...(Object.keys(OTHERS) as (keyof typeof OTHERS)[]),
]

/** The code of each operation. */
export const OP = Object.fromEntries(OPERATION_NAMES.map((name, code) => [name, code])) as Readonly<
  Record<OperationName, number>
>

/** By code: how many arguments follow it. For a method: its arguments, then its options, whether given or not. */
export const ARITIES: readonly number[] = [
  ...REMOTE_METHODS.map((name) => METHODS[name].takes.length + optionsOf(METHODS[name]).length),
  ...Object.values(OTHERS).map((names) => names.length),
]

/** Stands for the first argument of the request before. */
export const SAME = 0
/** In the place of a code: the request before, as many more times as the next element says. */
export const AGAIN = -1
