/** `transact` in a namespace of a client: steps with the prefix added to every key. Before: `cache/namespace`. After: encode-call. */
import { messageOf, namesOf, parametersOf } from '../../../cache/actor/messages.js'
import { checkNames, checkOptions, listOf } from '../../../cache/arguments/arguments.js'
import { enter, KEYED_METHODS, type KeyedMethod, leave } from '../../../cache/namespace.js'
import { CacheError, describe } from '../../../errors.js'
import { stepType } from '../wire/steps.js'

/** @throws CacheError `UNKNOWN_COMMAND` for a step that concerns the whole cache. */
export function stepsWithin(steps: unknown, prefix: string): object[] {
  return listOf(steps, 'steps').map((step) => stepWithin(step, prefix))
}

function stepWithin(step: unknown, prefix: string): object {
  const type = stepType(step)
  if (type === 'require') return conditionWithin(step, prefix)
  if (!isKeyed(type)) {
    throw new CacheError(
      'UNKNOWN_COMMAND',
      `${describe(type)} is not a step of transact() in a namespace, because it concerns the whole cache`,
    )
  }
  checkNames(step as object, [...namesOf(type), 'type', 'when'], 'argument')
  const message = messageOf(type, enter(type, parametersOf(type, step as object), prefix))
  const { when } = step as { when?: unknown }
  if (when === undefined) return message
  const conditions = Array.isArray(when) ? when : [when]
  return { ...message, when: conditions.map((condition) => conditionWithin(condition, prefix)) }
}

function conditionWithin(condition: unknown, prefix: string): object {
  if (typeof condition !== 'object' || condition === null) checkOptions(condition, []) // refuses it
  const { key } = condition as { key?: unknown }
  const [full] = enter('has', [key], prefix)
  return { ...(condition as object), key: full }
}

/** The results as those of the steps in the namespace. */
export function resultsWithin(steps: unknown, results: readonly unknown[], prefix: string): unknown[] {
  return listOf(steps, 'steps').map((step, index) => {
    const { type } = step as { type: string }
    return isKeyed(type) && results[index] !== undefined ? leave(type, results[index], prefix) : results[index]
  })
}

function isKeyed(type: string): type is KeyedMethod {
  return (KEYED_METHODS as string[]).includes(type)
}
