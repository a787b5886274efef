/** `set` with `transfer`: buffers that are moved to the cache instead of being copied. */
import { isUint8Array } from 'node:util/types'
import { checkOptions, listOf } from '../../../cache/arguments/arguments.js'
import { METHODS } from '../../../cache/arguments/methods.js'
import { encodeCall } from '../../remote/client/encode-call.js'
import type { RemoteMethod } from '../../remote/wire/codes.js'
import { BUFFER, BYTES, type Wire } from '../../remote/wire/wire-value.js'

const OPTIONS = [...METHODS.set.options, 'transfer']

/** Encodes the arguments of a call to another thread. */
export function encodeThreadCall(name: RemoteMethod, parameters: readonly unknown[]): unknown[] {
  if (name !== 'set' || parameters[2] === undefined) return encodeCall(name, parameters)
  const [key, value, options] = parameters
  const given = checkOptions(options as Record<string, unknown>, OPTIONS)
  const { transfer } = given
  const others = Object.fromEntries(METHODS.set.options.map((option) => [option, given[option]])) // each is read once
  if (transfer === undefined) return encodeCall(name, [key, value, others])
  const buffers = listOf(transfer, 'transfer') as ArrayBuffer[]
  // Everything is checked before any buffer is detached from the caller.
  if (!isUint8Array(value) || !buffers.includes(value.buffer as ArrayBuffer)) {
    const encoded = encodeCall(name, [key, value, others])
    detach(buffers)
    return encoded
  }
  const encoded = encodeCall(name, [key, null, others])
  encoded[1] = take(value, buffers)
  return encoded
}

/**
 * Bytes moved to the cache. A `Uint8Array` or `Buffer` that covers its whole buffer is not copied at all.
 * @throws TypeError for buffers that cannot be transferred.
 */
function take(bytes: Uint8Array, buffers: readonly ArrayBuffer[]): Wire {
  const tag = Buffer.isBuffer(bytes) ? BUFFER : BYTES
  const { byteOffset, byteLength } = bytes
  const [taken] = detach([bytes.buffer as ArrayBuffer, ...buffers]) as [ArrayBuffer] // there is at least this one
  const own = new Uint8Array(taken, byteOffset, byteLength)
  return [tag, byteLength === taken.byteLength ? own : Uint8Array.from(own)]
}

function detach(buffers: readonly ArrayBuffer[]): ArrayBuffer[] {
  const unique = [...new Set(buffers)]
  try {
    return structuredClone(unique, { transfer: unique })
  } catch (error) {
    throw new TypeError(
      `transfer must be a list of ArrayBuffers that can be transferred: ${(error as Error).message}. Nothing was changed.`,
      { cause: error },
    )
  }
}
