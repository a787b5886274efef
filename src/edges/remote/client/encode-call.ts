/**
 * From the arguments of a client's method to those of its operation, by the names that the table of methods gives them:
 * checked as the cache checks them, and taken as they are now, since the batch leaves only at the end of the tick. Nothing that
 * comes out of here can fail to be cloned, so that no call spoils the batch it travels in. What is not given travels as
 * `undefined`: the owner's method has a default for it, or refuses it.
 */
import {
  checkBy,
  checkFunction,
  checkKey,
  checkKeys,
  checkOnly,
  checkOptions,
  checkPattern,
  listOf,
} from '../../../cache/arguments.js'
import { type Duration, toMilliseconds } from '../../../cache/duration.js'
import { parametersOf } from '../../../cache/messages.js'
import { type ArgumentName, METHODS, type Method } from '../../../cache/methods.js'
import { checkFormat, checkPath } from '../../../cache/save-options.js'
import { shown } from '../../../errors.js'
import { storeValue } from '../../../values/encode.js'
import { OP, optionsOf, REMOTE_METHODS, type RemoteMethod } from '../wire/protocol.js'
import { type Condition, stepType, type WireCondition } from '../wire/steps.js'
import { toWire, type Wire } from '../wire/wire-value.js'

type Encode = (argument: unknown) => unknown

/** How what a name stands for is checked, and what of it travels. */
const ENCODE: Readonly<Record<Exclude<ArgumentName, 'onProgress'>, Encode>> = {
  key: checkedBy(checkKey),
  value: encodeValue,
  by: checkedBy(checkBy),
  keys: checkKeys,
  /** [key, value, key, value, …] */
  entries: (entries) =>
    listOf(entries, 'entries').flatMap((entry) => {
      const [key, value] = listOf(entry, 'An entry')
      checkKey(key)
      return [key, encodeValue(value)]
    }),
  pattern: checkedBy(checkPattern),
  ttl: checkedBy((ttl) => toMilliseconds(ttl as Duration, 'ttl')),
  timeout: checkedBy((timeout) => toMilliseconds(timeout as Duration, 'timeout')),
  expiresAt: (expiresAt) => {
    const atMs = expiresAt instanceof Date ? expiresAt.getTime() : expiresAt
    if (atMs === undefined || typeof atMs === 'number') return atMs
    throw new TypeError(
      `expiresAt must be a Date or epoch milliseconds; ${shown(expiresAt)} is neither. Nothing was changed.`,
    )
  },
  only: checkedBy(checkOnly),
  path: checkedBy(checkPath),
  format: checkedBy(checkFormat),
  fn: (steps) => listOf(steps, 'steps').map(encodeStep),
  loader: (loader) => checkFunction(loader, 'loader'), // the client says in whose loader it is asked for, if in any
}

function checkedBy(check: (argument: unknown) => unknown): Encode {
  return (argument) => {
    if (argument !== undefined) check(argument)
    return argument
  }
}

type Named = readonly [name: string, encode: Encode]

/** By method: how each argument and each option travels. */
const ENCODERS = new Map(
  REMOTE_METHODS.map((name) => {
    const row: Method = METHODS[name]
    const encoders = (names: readonly string[]) =>
      names.map((each): Named => [each, ENCODE[each as keyof typeof ENCODE]])
    return [name, { takes: encoders(row.takes), options: encoders(optionsOf(row)) }]
  }),
)

export function encodeCall(name: RemoteMethod, parameters: readonly unknown[]): unknown[] {
  const { takes, options } = ENCODERS.get(name) as { takes: Named[]; options: Named[] } // it has every method
  const encoded = takes.map(([, encode], index) => encode(parameters[index]))
  if (options.length === 0) return encoded
  const { [takes.length]: given = {} } = parameters
  checkOptions(given)
  for (const [option, encode] of options) encoded.push(encode((given as Record<string, unknown>)[option]))
  return encoded
}

function encodeValue(value: unknown): Wire {
  return toWire(storeValue(value, 'copy'))
}

/** [code, arguments, conditions]; a `require` has no code. */
function encodeStep(step: unknown): unknown[] {
  const type = stepType(step)
  if (type === 'require') return [undefined, [], [encodeCondition(step)]]
  const { when } = step as { when?: unknown }
  const conditions = when === undefined ? undefined : Array.isArray(when) ? when : [when]
  return [OP[type], encodeCall(type, parametersOf(type, step as object)), conditions?.map(encodeCondition)]
}

function encodeCondition(condition: unknown): WireCondition {
  checkOptions(condition)
  const { key, exists, equals, atLeast, atMost } = condition as Condition
  checkKey(key)
  if (exists !== undefined && typeof exists !== 'boolean')
    throw new TypeError('exists must be true or false. Nothing was changed.')
  if (atLeast !== undefined) checkBound(atLeast, 'atLeast')
  if (atMost !== undefined) checkBound(atMost, 'atMost')
  const hasEquals = equals !== undefined
  return [key, exists, hasEquals, hasEquals ? encodeValue(equals) : undefined, atLeast, atMost]
}

function checkBound(bound: unknown, name: string): void {
  if (typeof bound !== 'number' || Number.isNaN(bound))
    throw new TypeError(`${name} must be a number. Nothing was changed.`)
}
