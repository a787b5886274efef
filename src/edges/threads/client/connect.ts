/** The asynchronous client of another thread's cache. */

import type { MessagePort } from 'node:worker_threads'
import { CacheClosedError } from '../../../errors.js'
import { RemoteClient } from '../../remote/client/remote-client.js'
import { Requests } from '../../remote/client/requests.js'
import { OP } from '../../remote/wire/codes.js'
import { checkPort } from '../line/check-port.js'
import { CLIENT_SIDE, DOORBELL_BYTES } from '../line/doorbell.js'
import { PortLine } from '../line/port-line.js'
import type { ThreadCache } from './thread-cache.js'
import { encodeThreadCall } from './transfer.js'

class ThreadClient<V> extends RemoteClient<V> implements ThreadCache<V> {
  readonly #requests: Requests

  constructor(requests: Requests) {
    super(requests, encodeThreadCall)
    this.#requests = requests
  }

  share(): Promise<MessagePort> {
    return this.#requests.ask(OP.extra, ['share', undefined]) as Promise<MessagePort>
  }
}

const UNKNOWN = 'Calls under way may or may not have taken effect.'

/**
 * A client of the cache whose `share()` returned this port. Resolves when the owner has answered.
 * @throws CacheClosedError when the cache is closed, or its thread has ended.
 */
export async function connect<V = unknown>(port: MessagePort): Promise<ThreadCache<V>> {
  checkPort(port)
  const line = new PortLine(port)
  const memory = new SharedArrayBuffer(DOORBELL_BYTES)
  line.attach(memory, CLIENT_SIDE)
  const requests = new Requests(line, {
    closed: () =>
      new CacheClosedError('This client is closed', {
        consequence: UNKNOWN,
        advice: 'Call connect() with a new port of cache.share().',
      }),
    lost: () =>
      new CacheClosedError('The port is closed: the thread that owns the cache has ended, or closed it', {
        consequence: UNKNOWN,
      }),
  })
  const client = new ThreadClient<V>(requests)
  try {
    requests.tell(OP.extra, 'doorbell', memory)
    await requests.ask(OP.hello, [])
  } catch (error) {
    requests.end()
    throw error
  }
  return client
}
