/**
 * From a caller's value to a stored one, and back. A value is anything that the structured clone algorithm accepts: a walk makes
 * a copy of it (`private-copy.ts`), which `v8.serialize` turns into bytes (`structured.ts`).
 */
import { types } from 'node:util'
import { EncodedValue, type Encoding, type StoredValue } from '../core/model/stored-value.js'
import { describe, reasonOf, ValueError } from '../errors.js'
import { restoreErrors } from './error-records.js'
import { privateCopyOf } from './private-copy.js'
import { deserialize, refuseShared, serialize } from './structured.js'

/** `'copy'`: callers and cache never share an object. `'share'`: `get` returns the object that was set. */
export type Isolation = 'copy' | 'share'

/**
 * What the cache stores for `value`.
 * @param key of the entry, for the error; left out where the caller sees which entry it is.
 * @throws ValueError for `undefined` (except inside), functions and symbols at any depth, whatever else structured cloning
 * refuses, objects of which it would keep nothing, views of a SharedArrayBuffer, and nesting deeper than 1,000 levels.
 */
export function storeValue(value: unknown, isolation: Isolation, key?: string): StoredValue {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'bigint':
      return value
    case 'object':
      return value === null ? null : encodeObject(value, isolation, key)
    default:
      throw cannotStore(value, key)
  }
}

/** A function of its own, to keep storeValue() small enough for V8 to inline. */
function cannotStore(value: unknown, key: string | undefined): ValueError {
  return new ValueError(
    `Cannot store ${describe(value)}${key === undefined ? '' : ` as the value of ${describe(key)}`}`,
  )
}

function encodeObject(value: object, isolation: Isolation, key: string | undefined): EncodedValue {
  const shared = isolation === 'share' ? value : undefined
  try {
    const encoding = bytesEncodingOf(value)
    if (encoding !== undefined) return new EncodedValue(encoding, new Uint8Array(value as Uint8Array), shared)
    return encodeStructured(value, shared, key)
  } catch (error) {
    if (error instanceof ValueError) throw error
    throw new ValueError(`Cannot store this value: ${reasonOf(error)}`, { cause: error })
  }
}

function encodeStructured(value: object, shared?: object, key?: string): EncodedValue {
  const { copy, records } = privateCopyOf(value, key)
  if (records.length === 0) return new EncodedValue('structured', serialize(copy), shared)
  return new EncodedValue('errors', serialize([copy, records]), shared)
}

/**
 * A value that was encoded elsewhere, presumably by `storeValue`. It is decoded and encoded again, because that is the only proof
 * that it is a value that {@link storeValue} would accept.
 * @throws ValueError for bytes that are no such value.
 */
export function adoptEncoded(encoding: Encoding, bytes: Uint8Array): StoredValue {
  if (encoding === 'bytes' || encoding === 'buffer') return new EncodedValue(encoding, bytes)
  let value: unknown
  try {
    value = decodeStructured(encoding, bytes)
  } catch (error) {
    throw new ValueError(`Cannot store these bytes: they are not an encoded value (${reasonOf(error)})`, {
      cause: error,
    })
  }
  return storeValue(value, 'copy')
}

/** Only for a real Uint8Array (not a Proxy) or a Buffer, not for other subclasses; structured cloning handles the rest. */
function bytesEncodingOf(value: object): 'bytes' | 'buffer' | undefined {
  if (!types.isUint8Array(value)) return undefined
  refuseShared(value)
  if (Buffer.isBuffer(value)) return 'buffer'
  return Object.getPrototypeOf(value) === Uint8Array.prototype ? 'bytes' : undefined
}

/** A caller's value: a copy, or with `'share'` the object that was set (after a recovery: the object that was decoded first). @throws ValueError for bytes that are not a value. */
export function restoreValue(stored: StoredValue, isolation: Isolation): unknown {
  if (typeof stored !== 'object' || stored === null) return stored
  if (isolation === 'copy') return decodeObject(stored)
  stored.shared ??= decodeObject(stored)
  return stored.shared
}

function decodeObject({ encoding, bytes }: EncodedValue): unknown {
  switch (encoding) {
    case 'bytes':
      return bytes.slice()
    case 'buffer':
      return Buffer.from(bytes)
    default:
      return readStructured(encoding, bytes)
  }
}

/** Values of a journal are decoded when they are first asked for, and matching checksums do not prove that they can be. */
function readStructured(encoding: 'structured' | 'errors', bytes: Uint8Array): unknown {
  let value: unknown
  try {
    value = decodeStructured(encoding, bytes)
  } catch (error) {
    if (error instanceof RangeError) throw error // too little stack
    throw unreadable(reasonOf(error), error)
  }
  if (value === undefined) throw unreadable('it is undefined')
  return value
}

function decodeStructured(encoding: 'structured' | 'errors', bytes: Uint8Array): unknown {
  const decoded = deserialize(bytes)
  if (encoding === 'structured') return decoded
  if (!Array.isArray(decoded)) throw new TypeError('it has no records of errors')
  restoreErrors(decoded[1])
  return decoded[0]
}

function unreadable(reason: string, cause?: unknown): ValueError {
  return new ValueError(`Cannot read a value of the journal: ${reason}`, {
    cause,
    advice: 'A newer Node.js or another program wrote it: delete the key, or set it again.',
  })
}
