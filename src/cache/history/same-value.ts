import {
  type EncodedPlain,
  EncodedValue,
  type PlainBytes,
  type PlainData,
  type StoredValue,
} from '../../core/model/stored-value.js'
import { restoreValue } from '../../values/encode.js'
import { isEqual } from '../../values/equal.js'
import { plainBytesOf } from '../../values/plain/encode.js'
import type { StoredEntry } from '../turns/stored-entry.js'

/** Whether two entries have the same value, deadlines and tags. */
export function isSameEntry(a: StoredEntry | undefined, b: StoredEntry | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return (
    a.expiresAtMs === b.expiresAtMs &&
    a.freshUntilMs === b.freshUntilMs &&
    a.tags.length === b.tags.length &&
    a.tags.every((tag) => b.tags.includes(tag)) &&
    isSameValue(a.value, b.value)
  )
}

/** Whether two stored values are those of equal values. */
export function isSameValue(a: StoredValue, b: StoredValue): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b)
  if (a === b || isSameBytes(a, b)) return true
  try {
    return isEqual(restoreValue(a, 'copy'), restoreValue(b, 'copy'))
  } catch {
    return false // one of them cannot be read, and their bytes differ
  }
}

/** Faster than comparing the values, and usually enough. */
function isSameBytes(a: ObjectValue, b: ObjectValue): boolean {
  if (!(a instanceof EncodedValue) && !(b instanceof EncodedValue)) return isSame(plainBytes(a), plainBytes(b))
  return a instanceof EncodedValue && b instanceof EncodedValue && a.encoding === b.encoding && isSame(a.bytes, b.bytes)
}

type ObjectValue = EncodedPlain | EncodedValue

function plainBytes(value: EncodedPlain): PlainBytes {
  return value.bytes ?? plainBytesOf(value.copy as PlainData) // it has one of the two
}

function isSame(a: PlainBytes, b: PlainBytes): boolean {
  return typeof a === 'string' || typeof b === 'string' ? a === b : Buffer.compare(a, b) === 0
}
