/** The first part of the first message that an owner sends, before anything was asked: its version, and who it is. */
import { CacheError, describe } from '../../../errors.js'
import { type Part, PROTOCOL_VERSION } from '../wire/protocol.js'

/** @throws CacheError `UNSUPPORTED_VERSION` unless the owner speaks our version of the protocol. */
export function checkVersion([, version]: Part): void {
  if (version === PROTOCOL_VERSION) return
  throw new CacheError(
    'UNSUPPORTED_VERSION',
    `The owner of the cache speaks version ${describe(version)} of the protocol, this client version ${PROTOCOL_VERSION}`,
    { advice: 'Use the same daybook on both sides.' },
  )
}
