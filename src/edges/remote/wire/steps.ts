/**
 * `transact` of a client. A function cannot be sent, so a client sends a list of steps: messages named like the methods, with
 * arguments by name and, optionally, conditions. The list is one turn and one frame of the journal.
 *
 *   await client.transact([
 *     { type: 'require', key: 'stock', atLeast: 1 },                        // otherwise nothing changes
 *     { type: 'decrement', key: 'stock' },
 *     { type: 'set', key: 'first', value: me, when: { key: 'first', exists: false } },   // otherwise this step is skipped
 *   ])                                                                      // → [true, 41, true]
 */
import type { Message, ResultOf } from '../../../cache/actor/messages.js'
import {
  METHOD_NAMES,
  METHODS,
  type Method,
  type MethodName,
  type MethodsWith,
} from '../../../cache/arguments/methods.js'
import type { Cache } from '../../../cache/cache.js'
import { CacheError, describe } from '../../../errors.js'

/** What must be true of an entry; it has at least one part, and all must hold. Checking does not count as a hit, a miss or a use of the entry. */
export interface Condition<V = unknown> {
  key: string
  /** Whether there is a live entry. */
  exists?: boolean | undefined
  /** The entry's value equals this one, compared structurally (as `util.isDeepStrictEqual` does). */
  equals?: V | undefined
  /** The entry is a number, and at least this. */
  atLeast?: number | undefined
  /** The entry is a number, and at most this. */
  atMost?: number | undefined
}

interface Conditional<V> {
  /** Unless this holds when its turn comes, the step is skipped and its result is `undefined`. */
  when?: Condition<V> | readonly Condition<V>[] | undefined
}

/** Its result is `true`. If it does not hold, the transaction is refused with `CONDITION_FAILED` and changes nothing. */
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

/** The results of a list of steps, one for each. */
export type StepsResults<V, S extends readonly Step<V>[]> = { -readonly [I in keyof S]: StepResult<V, S[I]> }

/** Whether a method may be a step. */
export function isStep(name: unknown): name is StepName {
  return (
    typeof name === 'string' && Object.hasOwn(METHODS, name) && (METHODS[name as MethodName] as Method).isStep === true
  )
}

/** @throws CacheError `UNKNOWN_COMMAND` for what is not a step. */
export function stepType(step: unknown): StepName | 'require' {
  const type = (step as { type?: unknown } | null | undefined)?.type
  if (type === 'require' || isStep(type)) return type
  throw new CacheError(
    'UNKNOWN_COMMAND',
    `${describe(type ?? step)} is not a step of transact() (require, ${METHOD_NAMES.filter(isStep).join(', ')})`,
  )
}

/**
 * Checks what a condition says, but for the key and the value of `equals`: before it is sent, and when it has arrived. One that says
 * nothing would always hold, for example with what `get` returned of an entry that is not there as `equals`.
 */
export function checkWants(exists: unknown, hasEquals: boolean, atLeast: unknown, atMost: unknown): void {
  if (exists === undefined && !hasEquals && atLeast === undefined && atMost === undefined)
    throw new TypeError(
      'A condition must have exists, equals, atLeast or atMost; for "no entry" pass exists: false. Nothing was changed.',
    )
  if (exists !== undefined && typeof exists !== 'boolean')
    throw new TypeError('exists must be true or false. Nothing was changed.')
  if (atLeast !== undefined) checkBound(atLeast, 'atLeast')
  if (atMost !== undefined) checkBound(atMost, 'atMost')
}

function checkBound(bound: unknown, name: string): void {
  if (typeof bound !== 'number' || Number.isNaN(bound))
    throw new TypeError(`${name} must be a number. Nothing was changed.`)
}

/** A condition on the wire: [key, exists, whether `equals` is present, its value, atLeast, atMost] */
export type WireCondition = readonly unknown[]
