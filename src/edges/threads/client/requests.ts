/**
 * From the arguments of a client's method to those of its operation: checked as the cache checks them, and taken as they are
 * now, since the batch leaves only at the end of the tick. Nothing that comes out of here can fail to be cloned, so that no
 * call spoils the batch it travels in.
 */
import {
  checkBy,
  checkKey,
  checkKeys,
  checkOnly,
  checkOptions,
  checkPattern,
  deadlineOf,
  listOf,
  type SetOptions,
} from '../../../cache/arguments.js'
import { type Duration, toMilliseconds } from '../../../cache/duration.js'
import { checkFile } from '../../../cache/save-options.js'
import { storeValue } from '../../../values/encode.js'
import { OP, type OperationName } from '../wire/protocol.js'
import { type Condition, checkStep, STEP_ARGUMENTS, type StepName, type WireCondition } from '../wire/steps.js'
import { toWire, transferToWire, type Wire } from '../wire/wire-value.js'
import type { ThreadSetOptions } from './thread-cache.js'

type Encode = (a?: unknown, b?: unknown, c?: unknown) => unknown[]

const NO_ARGUMENTS: Encode = () => []

function ofKey(key: unknown): unknown[] {
  checkKey(key)
  return [key]
}

function ofKeys(keys: unknown): unknown[] {
  return [checkKeys(keys)]
}

function ofCount(key: unknown, by: unknown = 1, options: unknown = {}): unknown[] {
  checkKey(key)
  checkBy(by)
  checkOptions(options)
  const { ttl } = options as { ttl?: Duration }
  if (ttl !== undefined) toMilliseconds(ttl, 'ttl')
  return [key, by, ttl]
}

/** ttl, expiresAt, only */
function ofSetOptions(options: SetOptions): unknown[] {
  const { ttl, expiresAt, only } = checkOptions(options)
  checkOnly(only)
  deadlineOf(ttl, expiresAt, 0, 0)
  return [ttl, expiresAt instanceof Date ? expiresAt.getTime() : expiresAt, only]
}

function ofPattern(pattern: unknown): unknown[] {
  checkPattern(pattern)
  return [pattern]
}

function ofFile(path: unknown, options: unknown = {}): unknown[] {
  const { format } = checkFile(path, options as object)
  return [path, format]
}

function wireOf(value: unknown): Wire {
  return toWire(storeValue(value, 'copy'))
}

export const REQUESTS = {
  get: ofKey,
  peek: ofKey,
  has: ofKey,
  exists: ofKey,
  set: (key, value, options) => {
    checkKey(key)
    if (options === undefined) return [key, wireOf(value), undefined, undefined, undefined]
    const { transfer } = (options ?? {}) as ThreadSetOptions
    if (transfer === undefined) return [key, wireOf(value), ...ofSetOptions(options as SetOptions)]
    const settings = ofSetOptions(options as SetOptions) // before anything is taken from the caller
    return [key, transferToWire(value, listOf(transfer, 'transfer') as ArrayBuffer[]), ...settings]
  },
  delete: ofKey,
  increment: ofCount,
  decrement: ofCount,
  ttl: ofKey,
  expire: (key, ttl) => {
    checkKey(key)
    toMilliseconds(ttl, 'ttl')
    return [key, ttl]
  },
  persist: ofKey,
  getMany: ofKeys,
  setMany: (entries, options = {}) => {
    const settings = ofSetOptions(options as SetOptions)
    const flat = listOf(entries, 'entries').flatMap((entry) => {
      const [key, value] = listOf(entry, 'An entry')
      checkKey(key)
      return [key, wireOf(value)]
    })
    return [flat, ...settings]
  },
  deleteMany: ofKeys,
  keys: (pattern = '*') => ofPattern(pattern),
  deletePattern: ofPattern,
  entries: (pattern = '*') => ofPattern(pattern),
  clear: NO_ARGUMENTS,
  size: NO_ARGUMENTS,
  stats: NO_ARGUMENTS,
  cleanup: NO_ARGUMENTS,
  transact: (steps) => [listOf(steps, 'steps').map(ofStep)],
  flush: NO_ARGUMENTS,
  compact: NO_ARGUMENTS,
  save: ofFile,
  load: ofFile,
  recovery: NO_ARGUMENTS,
  share: NO_ARGUMENTS,
} satisfies Partial<Record<OperationName, Encode>>

function ofStep(step: unknown): unknown[] {
  checkStep(step)
  if (step.type === 'require') return [undefined, [], [ofCondition(step)]]
  const encode = REQUESTS[step.type as StepName] as Encode
  const { when } = step
  const conditions = when === undefined ? undefined : Array.isArray(when) ? when : [when]
  return [
    OP[step.type as StepName],
    encode(...STEP_ARGUMENTS[step.type as StepName](step)),
    conditions?.map(ofCondition),
  ]
}

function ofCondition(condition: unknown): WireCondition {
  checkOptions(condition)
  const { key, exists, equals, atLeast, atMost } = condition as Condition
  checkKey(key)
  if (exists !== undefined && typeof exists !== 'boolean')
    throw new TypeError('exists must be true or false. Nothing was changed.')
  if (atLeast !== undefined) checkBound(atLeast, 'atLeast')
  if (atMost !== undefined) checkBound(atMost, 'atMost')
  const hasEquals = equals !== undefined
  return [key, exists, hasEquals, hasEquals ? wireOf(equals) : undefined, atLeast, atMost]
}

function checkBound(bound: unknown, name: string): void {
  if (typeof bound !== 'number' || Number.isNaN(bound))
    throw new TypeError(`${name} must be a number. Nothing was changed.`)
}
