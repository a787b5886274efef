/** What lies in every port before anything was asked: who the owner is. */
import { MessagePort, threadId } from 'node:worker_threads'
import { CacheError, shown } from '../../../errors.js'
import { PROTOCOL_VERSION } from '../../remote/wire/protocol.js'

export function checkPort(port: unknown): asserts port is MessagePort {
  if (!(port instanceof MessagePort))
    throw new TypeError(`port must be a MessagePort that cache.share() gave; ${shown(port)} is not.`)
}

/** Answers whether the owner is this very thread. */
export function checkGreeting([, version, ownerThread]: readonly unknown[]): boolean {
  if (version !== PROTOCOL_VERSION) {
    throw new CacheError(
      'UNSUPPORTED_VERSION',
      `The cache's thread speaks version ${shown(version)} of the protocol, this one ${PROTOCOL_VERSION}. Use the same daybook in both.`,
    )
  }
  return ownerThread === threadId
}
