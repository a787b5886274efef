/**
 * Turns the arguments of a client's method into those of its operation, by their names in the table of methods. They are checked
 * as the cache checks them and encoded at once, because the batch is sent only at the end of the tick. Every result can be
 * cloned, so that no call can make its whole batch fail. A missing argument is sent as `undefined`: the owner's method has a
 * default for it, or refuses it. Before: remote-client. After: requests.
 */
import { resolve } from 'node:path'
import { types } from 'node:util'
import { namesOf, parametersOf, splitItems } from '../../../cache/actor/messages.js'
import {
  checkBy,
  checkFunction,
  checkJitter,
  checkKey,
  checkKeys,
  checkNames,
  checkOnly,
  checkOptions,
  checkRefresh,
  checkTags,
  checkTtl,
  listOf,
} from '../../../cache/arguments/arguments.js'
import { type Duration, toMilliseconds } from '../../../cache/arguments/duration.js'
import { checkKeyPattern, checkPrefix } from '../../../cache/arguments/key-pattern.js'
import { checkLimit } from '../../../cache/arguments/limit-options.js'
import { type ArgumentName, METHODS, type Method } from '../../../cache/arguments/methods.js'
import { checkCursor } from '../../../cache/door/scans.js'
import { checkDirectory, checkDryRun } from '../../../cache/history/looking-back.js'
import { checkWhen } from '../../../cache/history/when.js'
import { checkFormat, checkPath } from '../../../cache/saved-files/save-options.js'
import { describe } from '../../../errors.js'
import { storeValue } from '../../../values/encode.js'
import { OP, optionsOf, REMOTE_METHODS, type RemoteMethod } from '../wire/codes.js'
import { type Condition, checkWants, stepType, type WireCondition } from '../wire/steps.js'
import { toWire, type Wire } from '../wire/wire-value.js'

type Encode = (argument: unknown) => unknown

/** By name: checks an argument and returns what is sent for it. */
const ENCODE: Readonly<Record<Exclude<ArgumentName, 'onProgress' | 'force'>, Encode>> = {
  key: checkedBy(checkKey),
  value: encodeValue,
  by: checkedBy(checkBy),
  keys: checkKeys,
  /** [key, value, options, key, value, options, …] */
  entries: (entries) =>
    listOf(entries, 'entries').flatMap((entry) => {
      const [key, value, options] = listOf(entry, 'An entry')
      checkKey(key)
      return [key, toWire(storeValue(value, 'copy', key)), options === undefined ? undefined : ownOptions(options)]
    }),
  pattern: (pattern) => (pattern === undefined ? undefined : checkKeyPattern(pattern)),
  prefix: checkedBy(checkPrefix),
  cursor: checkedBy(checkCursor),
  maxSize: checkedBy((maxSize) => checkLimit('maxSize', maxSize)),
  maxBytes: checkedBy((maxBytes) => checkLimit('maxBytes', maxBytes)),
  limit: checkedBy((limit) => checkLimit('limit', limit)),
  ttl: checkedBy(checkTtl),
  timeout: checkedBy((timeout) => toMilliseconds(timeout as Duration, 'timeout')),
  jitter: checkedBy(checkJitter),
  refresh: checkedBy(checkRefresh),
  hardTimeout: checkedBy((timeout) => toMilliseconds(timeout as Duration, 'hardTimeout')),
  expiresAt: (expiresAt) => {
    if (expiresAt === undefined || typeof expiresAt === 'number' || types.isDate(expiresAt)) return expiresAt
    throw new TypeError(
      `expiresAt must be a Date or epoch milliseconds; ${describe(expiresAt)} is neither. Nothing was changed.`,
    )
  },
  only: checkedBy(checkOnly),
  stale: checkedBy((stale) => typeof stale === 'boolean' || toMilliseconds(stale, 'stale')), // the owner checks which
  tags: checkTags,
  path: checkedBy(checkPath),
  directory: (directory) => resolve(checkDirectory(directory)),
  when: checkedBy((when) => checkWhen(when, 0)), // the owner knows the time
  dryRun: checkedBy(checkDryRun),
  format: checkedBy(checkFormat),
  fn: (steps) => listOf(steps, 'steps').map(encodeStep),
  loader: (loader) => checkFunction(loader, 'loader'), // the client replaces it
  loadMissing: (loadMissing) => checkFunction(loadMissing, 'loadMissing'), // so, too
}

function checkedBy(check: (argument: unknown) => unknown): Encode {
  return (argument) => {
    if (argument !== undefined) check(argument)
    return argument
  }
}

/** The options of one entry of `setMany`: only what can be sent. */
function ownOptions(options: unknown): object {
  const names = METHODS.setMany.options
  const given = checkOptions(options as Record<string, unknown>, names)
  return Object.fromEntries(
    names.map((name) => {
      const option = given[name] // read once
      return [name, option === undefined ? undefined : ENCODE[name](option)]
    }),
  )
}

type EncodeCall = (parameters: readonly unknown[]) => unknown[]

const ENCODERS = new Map(REMOTE_METHODS.map((name) => [name, encoderOf(METHODS[name])]))

export function encodeCall(name: RemoteMethod, parameters: readonly unknown[]): unknown[] {
  return (ENCODERS.get(name) as EncodeCall)(parameters) // there is one for every method
}

function encoderOf(row: Method): EncodeCall {
  const encode = listEncoderOf(row)
  return row.isVariadic === true ? (parameters) => encode(splitItems(parameters)) : encode
}

function listEncoderOf(row: Method): EncodeCall {
  const encodersOf = (names: readonly string[]) => names.map((name) => ENCODE[name as keyof typeof ENCODE])
  const names = optionsOf(row)
  const options = encodersOf(names)
  const encodeArguments = argumentsEncoder(encodersOf(row.takes))
  if (names.length === 0) return encodeArguments
  return (parameters) => {
    const encoded = encodeArguments(parameters)
    const last = parameters[row.takes.length]
    const given = last === undefined ? NO_OPTIONS : last
    checkOptions(given, names)
    for (let index = 0; index < names.length; index++) {
      const option = (given as Record<string, unknown>)[names[index] as string]
      encoded.push(option === undefined ? undefined : (options[index] as Encode)(option))
    }
    return encoded
  }
}

/** Methods with at most two arguments, the most common ones, need no loop. */
function argumentsEncoder([first, second, ...others]: readonly Encode[]): EncodeCall {
  if (first === undefined) return () => []
  if (second === undefined) return (parameters) => [first(parameters[0])]
  if (others.length === 0) return (parameters) => [first(parameters[0]), second(parameters[1])]
  return (parameters) => [first, second, ...others].map((encode, index) => encode(parameters[index]))
}

const NO_OPTIONS = {}

function encodeValue(value: unknown): Wire {
  return toWire(storeValue(value, 'copy'))
}

const CONDITION_NAMES = Object.keys({
  key: true,
  exists: true,
  equals: true,
  atLeast: true,
  atMost: true,
} satisfies Record<keyof Condition, true>)
const REQUIRE_NAMES = [...CONDITION_NAMES, 'type']

/** [code, arguments, conditions]; a `require` has no code. */
function encodeStep(step: unknown): unknown[] {
  const type = stepType(step)
  if (type === 'require') return [undefined, [], [encodeCondition(step, REQUIRE_NAMES)]]
  checkNames(step as object, [...namesOf(type), 'type', 'when'], 'argument')
  const { when } = step as { when?: unknown }
  const conditions = when === undefined ? undefined : Array.isArray(when) ? when : [when]
  return [
    OP[type],
    encodeCall(type, parametersOf(type, step as object)),
    conditions?.map((condition) => encodeCondition(condition)),
  ]
}

function encodeCondition(condition: unknown, names = CONDITION_NAMES): WireCondition {
  checkOptions(condition, names)
  const { key, exists, equals, atLeast, atMost } = condition as Condition
  checkKey(key)
  const hasEquals = equals !== undefined
  checkWants(exists, hasEquals, atLeast, atMost)
  return [key, exists, hasEquals, hasEquals ? encodeValue(equals) : undefined, atLeast, atMost]
}
