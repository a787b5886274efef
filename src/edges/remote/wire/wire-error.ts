/**
 * Errors on the wire: an error arrives as the same class, with the same code, message and cause. daybook's own
 * are constructed again at the receiving end; of others (a loader's, the file system's) the standard class, the name, the stack
 * and every own property that can be cloned are sent.
 */
import { serialize } from 'node:v8'
import {
  CacheClosedError,
  CacheError,
  CacheLockedError,
  CorruptionError,
  describe,
  type ErrorCode,
  JournalWriteError,
  NotLeaderError,
  ValueError,
} from '../../../errors.js'

/**
 * [class, message, name, code, fields, has a cause, cause]; or [undefined, { value }] for what is not an error. Foreign data is in
 * objects, into which nobody who takes a message apart looks.
 */
export type WireError = readonly unknown[]

const STANDARD: Readonly<Record<string, ErrorConstructor>> = {
  Error,
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
}

/** How far a chain of causes is followed: far enough for any real chain, and a limit for a circular one. */
const CAUSES_MAX = 16

export function toWireError(error: unknown): WireError {
  try {
    return encode(error, 0)
  } catch {
    // A getter or a proxy throws; the waiting call must still be rejected with an error.
    return ['Error', 'The error that was thrown cannot be read.', 'Error']
  }
}

function encode(error: unknown, depth: number): WireError {
  if (!(error instanceof Error)) return [undefined, { value: cloneable(error) }]
  const hasCause = Object.hasOwn(error, 'cause') && depth < CAUSES_MAX
  const cause = hasCause ? encode(error.cause, depth + 1) : undefined
  if (error instanceof CorruptionError) {
    const { file, offset, sequence, reason } = error
    return [
      'CorruptionError',
      error.message,
      error.name,
      error.code,
      { file, offset, sequence, reason },
      hasCause,
      cause,
    ]
  }
  if (error instanceof NotLeaderError) {
    const { message, name, code, leader } = error
    return ['NotLeaderError', message, name, code, { leader }, hasCause, cause]
  }
  if (error instanceof CacheError) {
    return [ownClass(error), error.message, error.name, error.code, undefined, hasCause, cause]
  }
  return [standardClass(error), textOf(error.message), textOf(error.name), undefined, fields(error), hasCause, cause]
}

/** From whom it comes may be broken or hostile. Throws for what is not an error on the wire. */
export function fromWireError(wire: WireError): unknown {
  const [kind, first, second, code, fields, hasCause, wireCause] = wire
  if (kind === undefined) return (first as { value?: unknown }).value
  const [message, name] = [textOf(first), textOf(second)]
  const cause = hasCause === true ? fromWireError(wireCause as WireError) : undefined
  const error = make(textOf(kind), message, textOf(code) as ErrorCode, fields, { cause })
  if (error.message !== message) define(error, 'message', message)
  if (error.name !== name) define(error, 'name', name)
  if (hasCause === true && !Object.hasOwn(error, 'cause')) define(error, 'cause', cause) // an undefined cause
  return error
}

function make(kind: string, message: string, code: ErrorCode, fields: unknown, options: { cause?: unknown }): Error {
  switch (kind) {
    case 'ValueError':
      return new ValueError(message, options)
    case 'CacheClosedError':
      return new CacheClosedError(message, options)
    case 'CacheLockedError':
      return new CacheLockedError(message, options)
    case 'JournalWriteError':
      return new JournalWriteError(code as JournalWriteError['code'] & 'OUTCOME_UNKNOWN', message, options)
    case 'CorruptionError': {
      const { file, offset, sequence, reason } = fields as CorruptionError
      const known = {
        file: textOf(file),
        offset: numberOf(offset),
        sequence: numberOf(sequence),
        reason: textOf(reason),
      }
      return new CorruptionError(known, options) // the caller corrects the message
    }
    case 'NotLeaderError': {
      const { leader } = fields as NotLeaderError
      return new NotLeaderError(leader === undefined ? undefined : textOf(leader), options) // the caller corrects the message
    }
    case 'CacheError':
      return new CacheError(code, message, options)
  }
  const Standard = (Object.hasOwn(STANDARD, kind) ? STANDARD[kind] : undefined) ?? Error
  const error = new Standard(message, options.cause === undefined ? undefined : options)
  for (const [field, value] of Object.entries((fields ?? {}) as Record<string, unknown>)) {
    if (field === 'stack') define(error, field, textOf(value))
    else Object.defineProperty(error, field, { value, enumerable: true, writable: true, configurable: true })
  }
  return error
}

function define(error: Error, name: string, value: unknown): void {
  Object.defineProperty(error, name, { value, writable: true, configurable: true })
}

function ownClass(error: CacheError): string {
  if (error instanceof ValueError) return 'ValueError'
  if (error instanceof CacheClosedError) return 'CacheClosedError'
  if (error instanceof CacheLockedError) return 'CacheLockedError'
  return error instanceof JournalWriteError ? 'JournalWriteError' : 'CacheError'
}

function standardClass(error: Error): string {
  for (const [name, Standard] of Object.entries(STANDARD)) {
    if (name !== 'Error' && error instanceof Standard) return name
  }
  return 'Error'
}

/** The own properties of an error, `errno` and `syscall` for example, and its stack. */
function fields(error: Error): Record<string, unknown> {
  const found: Record<string, unknown> = { stack: textOf(error.stack) }
  for (const key of Object.keys(error)) {
    if (key === 'cause' || key === 'name' || key === 'message') continue
    const value = (error as unknown as Record<string, unknown>)[key]
    if (isCloneable(value)) found[key] = value
  }
  return found
}

/** Nothing else is made a text: that of an array is all of its parts, each as often as it is in there. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : describe(value)
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : Number.NaN
}

function cloneable(value: unknown): unknown {
  return isCloneable(value) ? value : describe(value)
}

function isCloneable(value: unknown): boolean {
  try {
    serialize(value)
    return true
  } catch {
    return false
  }
}
