/** `set` with `transfer`: buffers that the caller gives up instead of having them copied. */
import { listOf } from '../../../cache/arguments.js'
import { encodeCall } from '../../remote/client/encode-call.js'
import type { ThreadSetOptions } from '../../remote/client/remote-cache.js'
import type { RemoteMethod } from '../../remote/wire/protocol.js'
import { transferToWire } from '../../remote/wire/wire-value.js'

/** What a call through a port sends. */
export function encodeThreadCall(name: RemoteMethod, parameters: readonly unknown[]): unknown[] {
  if (name !== 'set' || parameters[2] === undefined) return encodeCall(name, parameters)
  const [key, value, options] = parameters
  const { transfer } = (options ?? {}) as ThreadSetOptions
  if (transfer === undefined) return encodeCall(name, parameters)
  const encoded = encodeCall(name, [key, null, options]) // checked before anything is taken from the caller
  encoded[1] = transferToWire(value, listOf(transfer, 'transfer') as ArrayBuffer[])
  return encoded
}
