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
import { checkKey, type SetOptions } from '../../../cache/arguments.js'
import type { Duration } from '../../../cache/duration.js'
import type { Stats } from '../../../cache/streams/stats.js'
import type { StoredValue } from '../../../core/model/stored-value.js'
import { CacheError, describe } from '../../../errors.js'
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

interface StepKinds<V> {
  get: { key: string }
  peek: { key: string }
  has: { key: string }
  exists: { key: string }
  set: { key: string; value: V } & SetOptions
  delete: { key: string }
  increment: { key: string; by?: number | undefined; ttl?: Duration | undefined }
  decrement: { key: string; by?: number | undefined; ttl?: Duration | undefined }
  ttl: { key: string }
  expire: { key: string; ttl: Duration }
  persist: { key: string }
  getMany: { keys: Iterable<string> }
  setMany: { entries: Iterable<readonly [string, V]> } & SetOptions
  deleteMany: { keys: Iterable<string> }
  keys: { pattern?: string | undefined }
  deletePattern: { pattern: string }
  entries: { pattern?: string | undefined }
  clear: unknown
  size: unknown
  stats: unknown
  cleanup: unknown
}

interface StepResults<V> {
  get: V | undefined
  peek: V | undefined
  has: boolean
  exists: boolean
  set: boolean
  delete: boolean
  increment: number
  decrement: number
  ttl: number | undefined
  expire: boolean
  persist: boolean
  getMany: (V | undefined)[]
  setMany: number
  deleteMany: number
  keys: string[]
  deletePattern: number
  entries: IterableIterator<[string, V]>
  clear: undefined
  size: number
  stats: Stats
  cleanup: number
}

export type StepName = keyof StepKinds<unknown>

type CommandStep<V> = { [T in StepName]: { type: T } & StepKinds<V>[T] & Conditional<V> }[StepName]

/** One step of a client's `transact`. */
export type Step<V = unknown> = CommandStep<V> | Require<V>

type ResultOf<V, S> = S extends { type: 'require' }
  ? true
  : S extends { type: infer T extends StepName }
    ? S extends { when: object }
      ? StepResults<V>[T] | undefined
      : StepResults<V>[T]
    : unknown

/** The results of a list of steps, one each. */
export type StepsResults<V, S extends readonly Step<V>[]> = { -readonly [I in keyof S]: ResultOf<V, S[I]> }

/** From a step to the arguments of its method. Also the list of what a step may be. */
export const STEP_ARGUMENTS: Readonly<Record<StepName, (step: Record<string, unknown>) => unknown[]>> = {
  get: ({ key }) => [key],
  peek: ({ key }) => [key],
  has: ({ key }) => [key],
  exists: ({ key }) => [key],
  set: ({ key, value, ttl, expiresAt, only }) => [key, value, { ttl, expiresAt, only }],
  delete: ({ key }) => [key],
  increment: ({ key, by, ttl }) => [key, by, { ttl }],
  decrement: ({ key, by, ttl }) => [key, by, { ttl }],
  ttl: ({ key }) => [key],
  expire: ({ key, ttl }) => [key, ttl],
  persist: ({ key }) => [key],
  getMany: ({ keys }) => [keys],
  setMany: ({ entries, ttl, expiresAt, only }) => [entries, { ttl, expiresAt, only }],
  deleteMany: ({ keys }) => [keys],
  keys: ({ pattern }) => [pattern],
  deletePattern: ({ pattern }) => [pattern],
  entries: ({ pattern }) => [pattern],
  clear: () => [],
  size: () => [],
  stats: () => [],
  cleanup: () => [],
}

export function checkStep(step: unknown): asserts step is Record<string, unknown> & { type: StepName | 'require' } {
  const type = (step as { type?: unknown } | null | undefined)?.type
  if (typeof type === 'string' && (type === 'require' || Object.hasOwn(STEP_ARGUMENTS, type))) return
  throw new CacheError(
    'UNKNOWN_COMMAND',
    `${describe(type ?? step)} cannot be a step of transact(). Nothing was changed; a step is { type: … } with one of require, ${Object.keys(STEP_ARGUMENTS).join(', ')}.`,
  )
}

/** [key, exists, whether `equals` is given, its wire, atLeast, atMost] */
export type WireCondition = readonly unknown[]

/** Whether a condition from a port holds. Throws a TypeError or ValueError for what is none. */
export function holds(condition: unknown, peek: (key: string) => StoredValue | undefined): boolean {
  if (!Array.isArray(condition)) throw new TypeError(`${describe(condition)} is no condition. Nothing was changed.`)
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
    `Step ${index} of the transaction requires something of ${describe(key)} that does not hold. Nothing of the transaction has happened; look at the entry and try again.`,
  )
}
