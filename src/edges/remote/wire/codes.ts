/**
 * The operations that a client can request. Each is a number and has a fixed number of arguments: the methods of the cache, in
 * the order of their table, and a few others.
 */
import {
  METHOD_NAMES,
  METHODS,
  type Method,
  type MethodName,
  type MethodsWith,
} from '../../../cache/arguments/methods.js'

/** The methods that a client calls on the owner; it applies the others to itself. */
export type RemoteMethod = Exclude<MethodName, MethodsWith<{ isLocal: true }>>

export const REMOTE_METHODS = METHOD_NAMES.filter(
  (name): name is RemoteMethod => (METHODS[name] as Method).isLocal !== true,
)

/**
 * The options of a method that are sent: those that are not functions. (Arguments that are functions are replaced: in
 * `transact` by the list of its steps, a loader by the id of the getOrSet whose loader made this call, if any.)
 */
export function optionsOf({ options = [] }: Method): readonly string[] {
  return options.filter((option) => option !== 'onProgress')
}

/** The `ttl` of a load on the wire, if the client has a function of the value. */
export const BY_VALUE = true

/** The operations that are not methods, with their arguments. */
const OTHERS = {
  /** `get`, `set` and `increment` without options, so that the most common calls carry no empty arguments. */
  read: ['key'],
  put: ['key', 'value'],
  add: ['key', 'by'],
  /** Begins a view or an iterator, which look back: `at`, `history`, `diff` or `changesSince`. */
  openPast: ['method', 'parameters'],
  /** The next items of an iterator. */
  nextPast: ['id'],
  /** A method of a view. */
  readPast: ['id', 'method', 'argument'],
  endPast: ['id'],
  /** The size of a namespace. */
  count: ['prefix'],
  /** Whether the cache is open. */
  hello: [],
  subscribe: ['subscription', 'kind', 'pattern'],
  /** The same of a client whose line was replaced. `after`: the sequence of the last change that it received. */
  resubscribe: ['subscription', 'kind', 'pattern', 'after'],
  unsubscribe: ['subscription'],
  /** The subscribers have received one more message of events. */
  acknowledge: ['subscription'],
  /** Reloads what a client found to be due, unless it has changed since: DATED gave it the times. */
  reload: ['keys', 'loader', 'untils', ...optionsOf(METHODS.getOrSet)],
  /** What the loader of a request returned ([key, value, ttl in milliseconds, key, …]), or the error that it failed with. */
  loaded: ['request', 'rows', 'lease'],
  notLoaded: ['request', 'error', 'lease'],
  /** Switches to rows that the client has staged: `load` of a client that has the file. */
  adopt: ['file', 'checksum', 'entries'],
  /** An operation that only this kind of line has. */
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

const LONG = OPERATION_NAMES.map(
  (name) =>
    ['openPast', 'nextPast', 'adopt'].includes(name) ||
    (METHODS as Partial<Record<string, Method>>)[name]?.waits === true,
)

/** Whether the call takes longer than a turn. */
export function isLong(code: number): boolean {
  return LONG[code] === true
}

/**
 * Whether it changes the cache and takes longer than a turn: the answer cannot be in the frame of the change, so once it was
 * sent it is not asked again. (`getOrSet` is: whoever asks finds what was stored.)
 */
export function isOnce(code: number): boolean {
  return code === OP.load || code === OP.restore || code === OP.adopt
}

/** By code: how many arguments follow it. For a method: its arguments, then its options, whether or not they were passed. */
export const ARITIES: readonly number[] = [
  ...REMOTE_METHODS.map((name) => METHODS[name].takes.length + optionsOf(METHODS[name]).length),
  ...Object.values(OTHERS).map((names) => names.length),
]

/** Stands for the first argument of the previous request. */
export const SAME = 0
/** In place of a code: repeats the previous request as many times as the next element says. */
export const AGAIN = -1
