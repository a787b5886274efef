/** The conditions of steps, checked by the owner. */
import { checkKey } from '../../../cache/arguments/arguments.js'
import type { StoredValue } from '../../../core/model/stored-value.js'
import { CacheError, describe } from '../../../errors.js'
import { restoreValue } from '../../../values/encode.js'
import { isEqual } from '../../../values/equal.js'
import { checkWants, type WireCondition } from '../wire/steps.js'
import { toStored } from '../wire/wire-value.js'

/** Whether a condition from a client holds. Throws a TypeError or ValueError for what is not a condition. */
export function holds(condition: unknown, peek: (key: string) => StoredValue | undefined): boolean {
  if (!Array.isArray(condition)) throw new TypeError(`${describe(condition)} is not a condition. Nothing was changed.`)
  const [key, exists, hasEquals, equals, atLeast, atMost] = condition as WireCondition
  checkKey(key)
  checkWants(exists, hasEquals === true, atLeast, atMost)
  const stored = peek(key)
  if (exists !== undefined && exists !== (stored !== undefined)) return false
  if (hasEquals === true) {
    if (stored === undefined) return false
    if (!isEqual(restoreValue(stored, 'copy'), restoreValue(toStored(equals), 'copy'))) return false
  }
  if (atLeast !== undefined && !(typeof stored === 'number' && stored >= (atLeast as number))) return false
  return !(atMost !== undefined && !(typeof stored === 'number' && stored <= (atMost as number)))
}

export function conditionFailed(index: number, key: unknown): CacheError {
  return new CacheError(
    'CONDITION_FAILED',
    `A condition on ${describe(key)} in step ${index} of the transaction does not hold`,
  )
}
