/**
 * Which values Python accepts as a dict's key or a set's item, and which of them are equal to Python. An array becomes a
 * tuple and a Set a frozenset, if everything in them is hashable.
 *
 * To Python 1, 1.0 and True are one key, and so are two datetimes of the same time, or two bytes objects with the same bytes.
 * A Map may hold both; in a dict, one would silently replace the other. So each key gets a form that is the same for two keys
 * if and only if they are equal to Python. (nan is not equal to itself, but a Map holds only one.)
 */
import { types } from 'node:util'
import { KEY_PARTS_MAX, KEYS_REPEATED_MAX, NESTING_MAX } from './limits.js'

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

/** The forms of all keys and items of one value. */
export class HashableForms {
  /** Parts of the present key. */
  #parts = 0
  readonly #met = new Set<object>()
  /** What was met again comes to this much. It is written again, too. */
  #repeated = 0

  /**
   * The form of a key; undefined if Python cannot hash it, or if it is too large to be one (a cycle is), or the keys of the
   * value are too large because they share parts.
   *
   * @param level the nesting of the key if it is a container; 1 is the value itself
   */
  of(key: unknown, level: number): string | undefined {
    this.#parts = 0
    return this.#form(key, level, false)
  }

  #form(part: unknown, level: number, isInRepeated: boolean): string | undefined {
    if (++this.#parts > KEY_PARTS_MAX) return undefined
    const isRepeated = isInRepeated || (typeof part === 'object' && part !== null && this.#met.has(part))
    if (isRepeated && (this.#repeated += lengthOf(part)) > KEYS_REPEATED_MAX) return undefined
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
        return part === null ? 'None' : this.#formOfObject(part, level, isRepeated)
      default:
        return undefined
    }
  }

  #formOfObject(part: object, level: number, isRepeated: boolean): string | undefined {
    this.#met.add(part)
    if (types.isProxy(part)) return undefined
    if (types.isDate(part)) return `d${part.getTime()}`
    if (types.isUint8Array(part)) return `b${Buffer.from(part.buffer, part.byteOffset, part.length).toString('hex')}`
    if (level > NESTING_MAX || (!Array.isArray(part) && !types.isSet(part))) return undefined
    const forms: string[] = []
    for (const item of part) {
      const its = this.#form(item, level + 1, isRepeated)
      if (its === undefined) return undefined
      forms.push(its)
    }
    if (Array.isArray(part)) return `(${forms.join()})`
    // The order of a set's items does not matter, and Python would merge items that are equal.
    return new Set(forms).size === forms.length ? `{${forms.sort().join()}}` : undefined
  }
}

/** About how much is written for it, apart from what is inside. */
function lengthOf(part: unknown): number {
  if (typeof part === 'string' || types.isUint8Array(part)) return 1 + part.length
  return typeof part === 'bigint' ? 1 + part.toString(16).length : 1
}
