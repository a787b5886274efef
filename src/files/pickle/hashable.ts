/**
 * Which values Python accepts as a dict's key or a set's item, and which of them are equal to Python. An array becomes a
 * tuple and a Set a frozenset, if everything in them is hashable.
 *
 * To Python 1, 1.0 and True are one key, and so are two datetimes of the same time, or two bytes objects with the same bytes.
 * A Map may hold both; in a dict, one would silently replace the other. So each key gets a form that is the same for two keys
 * if and only if they are equal to Python. (nan is not equal to itself, but a Map holds only one.)
 */
import { types } from 'node:util'
import { KEY_PARTS_MAX, NESTING_MAX } from './limits.js'

/** True if all keys are strings, or all are numbers: no two keys of a Map are then equal to Python. */
export function areSurelyDistinct(keys: Iterable<unknown>): boolean {
  let kind: string | undefined
  for (const key of keys) {
    const its = typeof key
    if ((its !== 'string' && its !== 'number') || (kind !== undefined && its !== kind)) return false
    kind = its
  }
  return true
}

/**
 * The form of a key; undefined if Python cannot hash it, or if it is too large (such as a cycle).
 *
 * @param level nesting level of the key, if it is a container; that of the value itself is 1
 */
export function hashableForm(key: unknown, level: number): string | undefined {
  let parts = 0
  const form = (part: unknown, level: number): string | undefined => {
    if (++parts > KEY_PARTS_MAX) return undefined
    switch (typeof part) {
      case 'string':
        return JSON.stringify(part)
      case 'number':
        return Number.isInteger(part) ? `i${BigInt(part).toString(16)}` : `f${part}`
      case 'bigint':
        return `i${part.toString(16)}`
      case 'boolean':
        return part ? 'i1' : 'i0'
      case 'object':
        return part === null ? 'None' : formOfObject(part, level)
      default:
        return undefined
    }
  }
  const formOfObject = (part: object, level: number): string | undefined => {
    if (types.isProxy(part)) return undefined
    if (types.isDate(part)) return `d${part.getTime()}`
    if (types.isUint8Array(part)) return `b${Buffer.from(part.buffer, part.byteOffset, part.length).toString('hex')}`
    if (level > NESTING_MAX || (!Array.isArray(part) && !types.isSet(part))) return undefined
    const forms: string[] = []
    for (const item of part) {
      const its = form(item, level + 1)
      if (its === undefined) return undefined
      forms.push(its)
    }
    if (Array.isArray(part)) return `(${forms.join()})`
    // The order of a set's items does not matter, and Python would merge items that are equal.
    return new Set(forms).size === forms.length ? `{${forms.sort().join()}}` : undefined
  }
  return form(key, level)
}
