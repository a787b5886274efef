/**
 * From a caller's value to a stored one, and back. A value is anything that the structured clone algorithm accepts; Node's
 * `v8.serialize` is that algorithm, writing bytes.
 */
import { types } from 'node:util'
import { DefaultDeserializer, DefaultSerializer } from 'node:v8'
import { EncodedValue, type StoredValue } from '../core/model/stored-value.js'
import { describe, reasonOf, ValueError } from '../errors.js'
import { findUnstorable, NESTING_LEVELS_MAX } from './check.js'

/** `'copy'`: callers and cache never share an object. `'share'`: `get` returns the object that was set. */
export type Isolation = 'copy' | 'share'

/**
 * What the cache stores for `value`.
 * @throws ValueError for `undefined`, a function or a symbol at any depth, for whatever else structured cloning refuses, for
 * views of a SharedArrayBuffer, and for nesting deeper than 1,000 levels.
 */
export function storeValue(value: unknown, isolation: Isolation): StoredValue {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'bigint':
      return value
    case 'object':
      return value === null ? null : encodeObject(value, isolation)
    default:
      throw cannotStore(value)
  }
}

/** A function of its own, to keep storeValue() small enough for V8 to inline. */
function cannotStore(value: unknown): ValueError {
  return new ValueError(`Cannot store ${describe(value)}`)
}

function encodeObject(value: object, isolation: Isolation): EncodedValue {
  const shared = isolation === 'share' ? value : undefined
  let bytes: Buffer
  try {
    const encoding = bytesEncodingOf(value)
    if (encoding !== undefined) return new EncodedValue(encoding, new Uint8Array(value as Uint8Array), shared)
    bytes = serialize(value)
  } catch (error) {
    if (error instanceof ValueError) throw error
    throw new ValueError(`Cannot store this value: ${reasonOf(error)}`, { cause: error })
  }
  refuseUnstorable(bytes, () => deserialize(bytes))
  return new EncodedValue('structured', bytes, shared)
}

/**
 * A value that was encoded elsewhere, presumably by `storeValue`. The cache takes over the bytes. They are decoded once,
 * without copying buffers, because that is the only proof that they can be.
 * @throws ValueError for bytes that are not a structured value, and for a value that {@link storeValue} would refuse.
 */
export function adoptEncoded(bytes: Uint8Array): StoredValue {
  let value: unknown
  try {
    value = read(new DefaultDeserializer(bytes))
  } catch (error) {
    throw new ValueError(`Cannot store these bytes: they are not an encoded value (${reasonOf(error)})`, {
      cause: error,
    })
  }
  if (typeof value !== 'object' || value === null) return storeValue(value, 'copy')
  refuseUnstorable(bytes, () => value)
  return new EncodedValue('structured', bytes)
}

function refuseUnstorable(bytes: Uint8Array, decode: () => unknown): void {
  const reason = findUnstorable(bytes, decode)
  if (reason === undefined) return
  throw new ValueError(`Cannot store this value: it contains ${reason}`, {
    advice: `Leave it out, use null, or nest it at most ${NESTING_LEVELS_MAX} levels deep.`,
  })
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

function decodeObject(stored: EncodedValue): unknown {
  switch (stored.encoding) {
    case 'bytes':
      return stored.bytes.slice()
    case 'buffer':
      return Buffer.from(stored.bytes)
    case 'structured':
      return decodeStructured(stored.bytes)
  }
}

/** Values of a journal are decoded when they are first asked for, and matching checksums do not prove that they can be. */
function decodeStructured(bytes: Uint8Array): unknown {
  let value: unknown
  try {
    value = deserialize(bytes)
  } catch (error) {
    if (error instanceof RangeError) throw error // too little stack
    throw unreadable(reasonOf(error), error)
  }
  if (value === undefined) throw unreadable('it is undefined')
  return value
}

function unreadable(reason: string, cause?: unknown): ValueError {
  return new ValueError(`Cannot read a value of the journal: ${reason}`, {
    cause,
    advice: 'A newer Node.js or another program wrote it: delete the key, or set it again.',
  })
}

/** `v8.serialize`, except that it refuses memory that another thread could change while it is read. */
function serialize(value: unknown): Buffer {
  const writer = new CopyingSerializer()
  writer.writeHeader()
  writer.writeValue(value)
  return writer.releaseBuffer()
}

class CopyingSerializer extends DefaultSerializer {
  // Node's documented hook for host objects, with this name.
  override _writeHostObject(view: HostObject): void {
    refuseShared(view)
    super._writeHostObject(view)
  }
}

function refuseShared({ buffer }: HostObject): void {
  if (!types.isSharedArrayBuffer(buffer)) return
  throw new ValueError(
    'Cannot store this value: it contains a view of a SharedArrayBuffer, whose bytes another thread may be changing',
    { advice: 'Store a copy, which slice() returns.' },
  )
}

function deserialize(bytes: Uint8Array): unknown {
  return read(new CopyingDeserializer(bytes))
}

function read(reader: DefaultDeserializer): unknown {
  reader.readHeader()
  return reader.readValue()
}

type HostObject = NodeJS.ArrayBufferView

/** Node's deserializer returns typed arrays as views of its input, which is the cache's own memory. This one copies them. */
class CopyingDeserializer extends DefaultDeserializer {
  // Node's documented hook for host objects, with this name.
  override _readHostObject(): HostObject {
    const view = super._readHostObject()
    if (Buffer.isBuffer(view)) return Buffer.from(view)
    if (view instanceof DataView) {
      return new DataView(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength))
    }
    return view.slice() as HostObject
  }
}

declare module 'node:v8' {
  interface DefaultSerializer {
    _writeHostObject(view: HostObject): void
  }
  interface DefaultDeserializer {
    _readHostObject(): HostObject
  }
}
