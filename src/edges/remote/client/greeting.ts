/** The first part of an owner's first message, sent before any request: the owner's protocol version and identity. */
import { CacheError, describe } from '../../../errors.js'
import { type Part, PROTOCOL_VERSION } from '../wire/protocol.js'

/** @throws CacheError `UNSUPPORTED_VERSION` unless the owner uses this version of the protocol. */
export function checkVersion([, version]: Part): void {
  if (version === PROTOCOL_VERSION) return
  throw new CacheError(
    'UNSUPPORTED_VERSION',
    `The owner of the cache uses version ${describe(version)} of the protocol, and this client version ${PROTOCOL_VERSION}`,
    { advice: 'Use the same daybook on both sides.' },
  )
}
