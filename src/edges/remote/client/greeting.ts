/** The first part of an owner's first message, sent before any request: the owner's protocol version and identity. */
import { CacheError, describe } from '../../../errors.js'
import { type Part, PROTOCOL_VERSION } from '../wire/protocol.js'

/** A CacheError `UNSUPPORTED_VERSION` unless the owner uses this version of the protocol. */
export function versionError([, version]: Part): CacheError | undefined {
  if (version === PROTOCOL_VERSION) return undefined
  return new CacheError(
    'UNSUPPORTED_VERSION',
    `The owner of the cache uses version ${describe(version)} of the protocol, and this client version ${PROTOCOL_VERSION}`,
    { advice: 'Use the same daybook on both sides.' },
  )
}
