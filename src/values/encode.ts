/**
 * Values: from what a caller gives to what the cache stores, and back. The structured clone algorithm decides what a value
 * may be; Node's `v8.serialize` is that algorithm, writing bytes.
 */
import { types } from 'node:util'
import { DefaultDeserializer, DefaultSerializer } from 'node:v8'
import { EncodedValue, type StoredValue } from '../core/model/stored-value.js'
import { describe, ValueError } from '../errors.js'
import { findUnstorable, NESTING_LEVELS_MAX } from './check.js'

/** `'copy'`: callers and the cache never share an object. `'share'`: `get` returns the object that was set. */
export type Isolation = 'copy' | 'share'

/**
 * What the cache stores for `value`.
 * @throws ValueError for `undefined`, a function or a symbol at any depth, whatever else structured cloning refuses, views of
 * a SharedArrayBuffer, and nesting deeper than 1,000 levels.
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
      throw noValue(value)
  }
}

function noValue(value: unknown): ValueError {
  return new ValueError(
    `Cannot store ${describe(value)}: a value is anything that structuredClone() takes, except undefined. Nothing was changed; use null for "nothing".`,
  )
}

function encodeObject(value: object, isolation: Isolation): EncodedValue {
  const shared = isolation === 'share' ? value : undefined
  let bytes: Buffer
  try {
    if (value instanceof EncodedValue) return value // from elsewhere, where it was encoded: src/edges/remote
    const encoding = bytesEncodingOf(value)
    if (encoding !== undefined) return new EncodedValue(encoding, new Uint8Array(value as Uint8Array), shared)
    bytes = serialize(value)
  } catch (error) {
    if (error instanceof ValueError) throw error
    throw new ValueError(
      `Cannot store this value: ${messageOf(error)}. Nothing was changed; store what structuredClone() takes.`,
      { cause: error },
    )
  }
  refuseUnstorable(bytes, () => deserialize(bytes))
  return new EncodedValue('structured', bytes, shared)
}

/**
 * A value that was encoded elsewhere, by `storeValue` one hopes: the bytes become the cache's own. Reading them is the only
 * proof that they can be read, so they are read once, without a copy of what is inside, and what comes out is let go.
 * @throws ValueError for bytes that are no structured value, and for a value that {@link storeValue} would refuse.
 */
export function adoptEncoded(bytes: Uint8Array): StoredValue {
  let value: unknown
  try {
    value = read(new DefaultDeserializer(bytes))
  } catch (error) {
    throw new ValueError(
      `Cannot store these bytes: they are no encoded value (${messageOf(error)}). Nothing was changed; encode what structuredClone() takes.`,
      { cause: error },
    )
  }
  if (typeof value !== 'object' || value === null) return storeValue(value, 'copy')
  refuseUnstorable(bytes, () => value)
  return new EncodedValue('structured', bytes)
}

function refuseUnstorable(bytes: Uint8Array, decode: () => unknown): void {
  const reason = findUnstorable(bytes, decode)
  if (reason === undefined) return
  throw new ValueError(
    `Cannot store this value: it contains ${reason}. Nothing was changed; leave it out, use null, or nest it at most ${NESTING_LEVELS_MAX} levels deep.`,
  )
}

/** Only a real Uint8Array (a Proxy of one is none), and no subclass but Buffer; the rest is left to the structured clone. */
function bytesEncodingOf(value: object): 'bytes' | 'buffer' | undefined {
  if (!types.isUint8Array(value)) return undefined
  refuseShared(value)
  if (Buffer.isBuffer(value)) return 'buffer'
  return Object.getPrototypeOf(value) === Uint8Array.prototype ? 'bytes' : undefined
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/\.$/, '') : describe(error)
}

/** The caller's value again: its own copy, or with `'share'` the object that was set (the first one decoded after a recovery). */
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
      return deserialize(stored.bytes)
  }
}

/** `v8.serialize`, but for memory that another thread could change while it is read. */
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
    'Cannot store this value: it contains a view of a SharedArrayBuffer, whose bytes another thread may be changing. Nothing was changed; store a copy of it, as slice() makes one.',
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

/** Node's own reader gives typed arrays as views of the bytes that it reads: of ours. These are copies. */
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
