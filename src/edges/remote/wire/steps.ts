/**
 * `transact` over a port. A function cannot travel, so a client sends a list of steps: commands named like the methods,
 * with the arguments by name, each with conditions if it likes. The list is one turn and one frame of the journal.
 *
 *   await client.transact([
 *     { type: 'require', key: 'stock', atLeast: 1 },                        // else nothing of it happens
 *     { type: 'decrement', key: 'stock' },
 *     { type: 'set', key: 'first', value: me, when: { key: 'first', exists: false } },   // else only this is left out
 *   ])                                                                      // → [true, 41, true]
 */
import { isDeepStrictEqual } from 'node:util'
import { checkKey } from '../../../cache/arguments.js'
import type { Cache } from '../../../cache/cache.js'
import type { Message, ResultOf } from '../../../cache/messages.js'
import { METHOD_NAMES, METHODS, type Method, type MethodName, type MethodsWith } from '../../../cache/methods.js'
import type { StoredValue } from '../../../core/model/stored-value.js'
import { CacheError, shown } from '../../../errors.js'
import { restoreValue } from '../../../values/encode.js'
import { toStored } from './wire-value.js'

/** What must hold of one entry, all of it. Looking at it counts neither hit nor use. */
export interface Condition<V = unknown> {
  key: string
  /** Whether there is a live entry. */
  exists?: boolean | undefined
  /** The entry's value is this one, compared structurally (as `util.isDeepStrictEqual` does). */
  equals?: V | undefined
  /** The entry is a number, at least this. */
  atLeast?: number | undefined
  /** The entry is a number, at most this. */
  atMost?: number | undefined
}

interface Conditional<V> {
  /** The step is left out, with `undefined` as its result, unless this holds when its turn comes. */
  when?: Condition<V> | readonly Condition<V>[] | undefined
}

/** `true`, or the whole transaction is refused with a `CacheError` `CONDITION_FAILED` and nothing of it has happened. */
type Require<V> = { type: 'require' } & Condition<V>

type StepName = MethodsWith<{ isStep: true }>

type CommandStep<V> = { [M in StepName]: Message<Cache<V>, M> & Conditional<V> }[StepName]

/** One step of a client's `transact`. */
export type Step<V = unknown> = CommandStep<V> | Require<V>

type StepResult<V, S> = S extends { type: 'require' }
  ? true
  : S extends { type: infer M extends StepName }
    ? S extends { when: object }
      ? ResultOf<Cache<V>, M> | undefined
      : ResultOf<Cache<V>, M>
    : unknown

/** The results of a list of steps, one each. */
export type StepsResults<V, S extends readonly Step<V>[]> = { -readonly [I in keyof S]: StepResult<V, S[I]> }

/** Whether a method may be a step. */
export function isStep(name: unknown): name is StepName {
  return (
    typeof name === 'string' && Object.hasOwn(METHODS, name) && (METHODS[name as MethodName] as Method).isStep === true
  )
}

/** @throws CacheError `UNKNOWN_COMMAND` for what is no step. */
export function stepType(step: unknown): StepName | 'require' {
  const type = (step as { type?: unknown } | null | undefined)?.type
  if (type === 'require' || isStep(type)) return type
  throw new CacheError(
    'UNKNOWN_COMMAND',
    `${shown(type ?? step)} cannot be a step of transact(). Nothing was changed; a step is { type: … } with one of require, ${METHOD_NAMES.filter(isStep).join(', ')}.`,
  )
}

/** [key, exists, whether `equals` is given, its wire, atLeast, atMost] */
export type WireCondition = readonly unknown[]

/** Whether a condition from a port holds. Throws a TypeError or ValueError for what is none. */
export function holds(condition: unknown, peek: (key: string) => StoredValue | undefined): boolean {
  if (!Array.isArray(condition)) throw new TypeError(`${shown(condition)} is no condition. Nothing was changed.`)
  const [key, exists, hasEquals, equals, atLeast, atMost] = condition as WireCondition
  checkKey(key)
  const stored = peek(key)
  if (exists !== undefined && exists !== (stored !== undefined)) return false
  if (hasEquals === true) {
    if (stored === undefined) return false
    if (!isDeepStrictEqual(restoreValue(stored, 'copy'), restoreValue(toStored(equals), 'copy'))) return false
  }
  if (atLeast !== undefined && !(typeof stored === 'number' && stored >= (atLeast as number))) return false
  return !(atMost !== undefined && !(typeof stored === 'number' && stored <= (atMost as number)))
}

export function conditionFailed(index: number, key: unknown): CacheError {
  return new CacheError(
    'CONDITION_FAILED',
    `Step ${index} of the transaction requires something of ${shown(key)} that does not hold. Nothing of the transaction has happened; look at the entry and try again.`,
  )
}
