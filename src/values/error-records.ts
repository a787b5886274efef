/**
 * Errors in values. `v8.serialize` keeps of an error only one of seven classes, the message, the stack and the cause. So a bare
 * error stands for it in the copy, of which V8 keeps everything, and a record says what else the error has. The records travel
 * beside the value, and refer to the errors in it.
 */
import { types } from 'node:util'
import { dataOf } from './kinds.js'
import { define } from './plain/define.js'

export interface ErrorRecord {
  /** The error in the value that it is about. */
  readonly error: Error
  /** A native class that V8 does not keep. */
  class?: string
  name?: string
  /** Properties that are not enumerable: `cause`, and the `errors` of an AggregateError. */
  hidden?: Record<string, unknown>
  /** Enumerable properties: `code`, `status`, … */
  own?: Record<string, unknown>
}

type ErrorClass = new (message?: string) => Error

/** The native classes. Those that take more than a message are made of an Error. */
const CLASSES: ReadonlyMap<string, ErrorClass> = new Map(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((native) => [
    native.name,
    native,
  ]),
)
const PROTOTYPES: ReadonlyMap<string, object> = new Map(
  ['AggregateError', 'SuppressedError'].flatMap((name) => {
    const native = dataOf(globalThis, name) // older Nodes have no SuppressedError
    return typeof native === 'function' ? [[name, native.prototype as object]] : []
  }),
)
const HIDDEN = ['cause', 'errors', 'error', 'suppressed']

/** A bare error, with the class, message and stack of `error`. */
export function standInFor(error: Error): Error {
  const Class = CLASSES.get(nativeClassOf(error)) ?? Error
  const message = textOf(error.message)
  const standIn = message === '' && !Object.hasOwn(error, 'message') ? new Class() : new Class(message)
  const { stack } = error
  standIn.stack = typeof stack === 'string' ? stack : (undefined as unknown as string)
  return standIn
}

/**
 * What else an error has, if anything.
 * @param copyOf copies one of its properties; of one that is optional and cannot be cloned it returns undefined.
 */
export function recordOf(
  error: Error,
  standIn: Error,
  copyOf: (property: string, isOptional: boolean) => { value: unknown } | undefined,
): ErrorRecord | undefined {
  const record: ErrorRecord = { error: standIn }
  const native = nativeClassOf(error)
  if (PROTOTYPES.has(native)) record.class = native
  const keys = Object.keys(error)
  const name: unknown = keys.includes('name') ? undefined : error.name
  if (typeof name === 'string' && name !== native) record.name = name
  const hidden = HIDDEN.filter((key) => Object.hasOwn(error, key) && !keys.includes(key))
  if (error instanceof DOMException) hidden.push('code') // a getter of its class, which it loses
  const hiddenParts = partsOf(hidden, (key) => copyOf(key, key !== 'cause'))
  if (hiddenParts !== undefined) record.hidden = hiddenParts
  const own = partsOf(keys, (key) => copyOf(key, key !== 'cause'))
  if (own !== undefined) record.own = own
  return Object.keys(record).length > 1 ? record : undefined
}

function partsOf(
  keys: readonly string[],
  copyOf: (key: string) => { value: unknown } | undefined,
): Record<string, unknown> | undefined {
  let parts: Record<string, unknown> | undefined
  for (const key of keys) {
    const part = copyOf(key)
    if (part === undefined) continue
    parts ??= {}
    define(parts, key, part.value, true)
  }
  return parts
}

/** Gives the errors of a value what their records say. @throws TypeError for what are no records. */
export function restoreErrors(records: unknown): void {
  if (!Array.isArray(records)) throw new TypeError('the records of its errors are missing')
  for (const record of records as readonly Partial<Record<keyof ErrorRecord, unknown>>[]) {
    const error = record?.error
    if (!types.isNativeError(error)) throw new TypeError('a record of an error does not refer to one')
    const prototype = PROTOTYPES.get(String(record.class))
    if (prototype !== undefined) Object.setPrototypeOf(error, prototype)
    if (typeof record.name === 'string') define(error, 'name', record.name, false)
    for (const [key, value] of Object.entries(record.hidden ?? {})) define(error, key, value, false)
    for (const [key, value] of Object.entries(record.own ?? {})) {
      Reflect.deleteProperty(error, key) // for the order: V8 defines `stack` and `message` first
      define(error, key, value, true)
    }
  }
}

function textOf(message: unknown): string {
  return typeof message === 'string' ? message : String(message)
}

/** The name of the nearest native class in the prototype chain, of any realm. */
function nativeClassOf(error: Error): string {
  for (let prototype = Object.getPrototypeOf(error); prototype !== null; prototype = Object.getPrototypeOf(prototype)) {
    const maker = dataOf(prototype, 'constructor')
    if (typeof maker !== 'function' || maker.prototype !== prototype) continue
    const name = dataOf(maker, 'name')
    if (typeof name === 'string' && (CLASSES.has(name) || PROTOTYPES.has(name)) && isNative(maker)) return name
  }
  return 'Error'
}

/** Whether it is no class of a program that has the name of a native one. */
function isNative(maker: object): boolean {
  return /\{\s*\[native code\]\s*\}\s*$/.test(Function.prototype.toString.call(maker))
}
