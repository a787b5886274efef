/**
 * What Python lets be a dict's key or a set's item, and which of those it takes for equal. An array there is a tuple and
 * a Set a frozenset, if all that they hold is hashable too.
 *
 * Python's 1, 1.0 and True are one key, two datetimes of one moment are one, two bytes objects with the same bytes are one.
 * A Map may hold them apart; as a dict, one would silently replace the other. So each key gets a form that is equal for
 * two keys exactly if Python takes them for equal. (nan, which is not even equal to itself, can be in a Map once.)
 */
import { types } from 'node:util'
import { KEY_PARTS_MAX, NESTING_MAX } from './limits.js'

/** True if no two of the keys can be equal to Python: JavaScript keeps strings apart, and numbers, as Python does. */
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
 * The form of a key; undefined if Python cannot hash it, or if it is too large to be one (a cycle is).
 *
 * @param level the nesting of the key if it is a container; 1 is the value itself
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
    // The order of a set's items says nothing, and two that are equal to Python would be one.
    return new Set(forms).size === forms.length ? `{${forms.sort().join()}}` : undefined
  }
  return form(key, level)
}
