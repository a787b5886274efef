/** The check of a port that a client was given. Before: `connect()`, `connectSync()`. After: port-line. */
import { MessagePort } from 'node:worker_threads'
import { describe } from '../../../errors.js'

export function checkPort(port: unknown): asserts port is MessagePort {
  if (!(port instanceof MessagePort))
    throw new TypeError(`port must be a MessagePort from cache.share(); ${describe(port)} is not.`)
}
