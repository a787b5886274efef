/** Freezes whole values, for callers to share. */
import { types } from 'node:util'

/**
 * Freezes an object and everything in it.
 * @returns false, having frozen nothing, if there is something in it that cannot be frozen: a Map, a Set, a Date, or bytes.
 */
export function freezeWhole(value: object): boolean {
  const parts = new Set<object>([value])
  // A Set is iterated with what is added meanwhile.
  for (const part of parts) {
    if (!canBeFrozen(part)) return false
    for (const key of Reflect.ownKeys(part)) {
      const member: unknown = (part as Record<PropertyKey, unknown>)[key]
      if (typeof member === 'object' && member !== null) parts.add(member)
    }
  }
  for (const part of parts) Object.freeze(part)
  return true
}

function canBeFrozen(part: object): boolean {
  const hasContent = types.isMap(part) || types.isSet(part) || types.isDate(part)
  return !hasContent && !ArrayBuffer.isView(part) && !types.isAnyArrayBuffer(part)
}
