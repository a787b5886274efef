/**
 * From a caller's value to a stored one, and back. A value is anything that the structured clone algorithm accepts. A walk (`walk.ts`)
 * writes plain data as bytes, and makes a copy of anything else, which V8 turns into bytes (`structured.ts`).
 */
import { types } from 'node:util'
import {
  EncodedPlain,
  EncodedValue,
  type Encoding,
  type PlainBytes,
  type PlainData,
  type StoredValue,
} from '../core/model/stored-value.js'
import { describe, reasonOf, ValueError } from '../errors.js'
import { restoreErrors } from './error-records.js'
import { freezeWhole } from './freeze.js'
import { decodePlain } from './plain/decode.js'
import { copyOut, frozenOut } from './plain/plain-data.js'
import { deserialize, refuseShared, serialize } from './structured.js'
import { walkThrough } from './walk.js'

/**
 * `'copy'`: callers and cache never share an object. `'share'`: `get` returns the object that was set. `'freeze'`: `get` returns the
 * cache's own copy, frozen with everything in it; or a copy, if there is something in it that cannot be frozen.
 */
export type Isolation = 'copy' | 'share' | 'freeze'

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

function encodeObject(value: object, isolation: Isolation, key: string | undefined): StoredValue {
  try {
    const shared = isolation === 'share' ? value : undefined
    const encoding = bytesEncodingOf(value)
    if (encoding !== undefined) return new EncodedValue(encoding, new Uint8Array(value as Uint8Array), shared)
    const walked = walkThrough(value, key)
    if (typeof walked === 'string' || walked instanceof Uint8Array) return new EncodedPlain(walked, shared)
    const { copy, records } = walked
    if (records.length === 0) return new EncodedValue('structured', serialize(copy), shared)
    return new EncodedValue('errors', serialize([copy, records]), shared)
  } catch (error) {
    if (error instanceof ValueError) throw error
    throw new ValueError(`Cannot store this value: ${reasonOf(error)}`, { cause: error })
  }
}

/**
 * A value that was encoded elsewhere, presumably by `storeValue`. It is decoded, because that is the only proof that it can be; and
 * what V8 has encoded is encoded again, which refuses what {@link storeValue} would refuse.
 * @throws ValueError for bytes that are no such value.
 */
export function adoptEncoded(encoding: Encoding, bytes: Uint8Array): StoredValue {
  if (encoding === 'bytes' || encoding === 'buffer') return new EncodedValue(encoding, bytes)
  return storeValue(
    decodedForeign(() => decodeStructured(encoding, bytes)),
    'freeze', // without the object
  )
}

/** The same for plain data. */
export function adoptPlain(bytes: PlainBytes): EncodedPlain {
  decodedForeign(() => decodePlain(bytes))
  return new EncodedPlain(bytes)
}

function decodedForeign<T>(decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    throw new ValueError(`Cannot store these bytes: they are not an encoded value (${reasonOf(error)})`, {
      cause: error,
    })
  }
}

/** Only for a real Uint8Array (not a Proxy) or a Buffer, not for other subclasses; structured cloning handles the rest. */
function bytesEncodingOf(value: object): 'bytes' | 'buffer' | undefined {
  if (!types.isUint8Array(value)) return undefined
  refuseShared(value)
  if (Buffer.isBuffer(value)) return 'buffer'
  return Object.getPrototypeOf(value) === Uint8Array.prototype ? 'bytes' : undefined
}

/**
 * A caller's value: a copy; or with `'share'` the object that was set (after a recovery: the object that was decoded first); or
 * with `'freeze'` the same frozen object each time, or a copy if it cannot be frozen.
 * @throws ValueError for bytes that are not a value.
 */
export function restoreValue(stored: StoredValue, isolation: Isolation): unknown {
  if (typeof stored !== 'object' || stored === null) return stored
  if (isolation === 'copy') return decodeObject(stored)
  const { object } = stored
  return object === undefined || object === UNFREEZABLE ? restoreShared(stored, isolation) : object
}

/** A function of its own, because V8 only inlines short ones. */
function restoreShared(stored: EncodedPlain | EncodedValue, isolation: Isolation): unknown {
  stored.object ??= isolation === 'share' ? decodeObject(stored) : decodeFrozen(stored)
  return stored.object === UNFREEZABLE ? decodeObject(stored) : stored.object
}

/** A copy for somebody who will not ask again: what is in bytes stays so. */
export function restoreOnce(stored: StoredValue): unknown {
  const isInBytes = stored instanceof EncodedPlain && stored.bytes !== undefined
  return restoreValue(isInBytes ? new EncodedPlain(stored.bytes as PlainBytes) : stored, 'copy')
}

/** In the place of an object that cannot be frozen. */
const UNFREEZABLE = Symbol('unfreezable')

function decodeFrozen(stored: EncodedPlain | EncodedValue): unknown {
  // The bytes stay, which take less memory than a copy beside the frozen object.
  if (stored instanceof EncodedPlain) return frozenOut(stored.copy ?? decodeHeld(stored)) ?? UNFREEZABLE
  const value = decodeObject(stored)
  return typeof value !== 'object' || freezeWhole(value as object) ? value : UNFREEZABLE
}

/** A copy for a caller. */
function decodeObject(stored: EncodedPlain | EncodedValue): unknown {
  if (stored instanceof EncodedPlain) return copyOut(stored.copy ?? decodeAgain(stored))
  const { encoding, bytes } = stored
  switch (encoding) {
    case 'bytes':
      return bytes.slice()
    case 'buffer':
      return Buffer.from(bytes)
    default: {
      const value = readable(() => decodeStructured(encoding, bytes))
      if (value === undefined) throw unreadable('it is undefined')
      return value
    }
  }
}

/** From the second time on the cache keeps the copy instead of the bytes: many values are read once, and then replaced. */
function decodeAgain(stored: EncodedPlain): PlainData {
  const copy = decodeHeld(stored)
  if (stored.copy === null) {
    stored.copy = copy
    stored.bytes = undefined
  } else stored.copy = null
  return copy
}

function decodeHeld({ bytes }: EncodedPlain): PlainData {
  return readable(() => decodePlain(bytes as PlainBytes)) // there are bytes, or there is a copy
}

/** Values of a journal are decoded when they are first asked for, and matching checksums do not prove that they can be. */
function readable<T>(decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    if (error instanceof RangeError) throw error // too little stack
    throw unreadable(reasonOf(error), error)
  }
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
