/** A client of a cache over a line that is neither a port nor a socket. */
import { innerOf } from '../../../src/cache/cache.js'
import { RemoteClient } from '../../../src/edges/remote/client/remote-client.js'
import { Requests } from '../../../src/edges/remote/client/requests.js'
import { DurableAnswers } from '../../../src/edges/remote/owner/durable-answers.js'
import { Session } from '../../../src/edges/remote/owner/session.js'
import { greetingFrom } from '../../../src/edges/remote/wire/protocol.js'
import { type Cache, CacheClosedError } from '../../../src/index.js'
import { MemoryLine } from './memory-lines.js'

export interface Connected {
  client: RemoteClient<unknown>
  clientLine: MemoryLine
  ownerLine: MemoryLine
}

export function connectOver(cache: Cache, kind: { isTakeable: boolean }): Connected {
  const [ownerLine, clientLine] = serve(cache, kind)
  const client = new RemoteClient<unknown>(
    new Requests(clientLine, {
      closed: () => new CacheClosedError('This client is closed'),
      lost: () => new CacheClosedError('Lost'),
    }),
  )
  return { client, clientLine, ownerLine }
}

/** The two ends of a line at which the owner of the cache listens. */
export function serve(cache: Cache, kind: { isTakeable: boolean }): [ownerLine: MemoryLine, clientLine: MemoryLine] {
  const [ownerLine, clientLine] = MemoryLine.pair(kind)
  const door = innerOf(cache)
  const served = { cache, door, durableAnswers: new DurableAnswers(door) }
  ownerLine.post(greetingFrom('a test'))
  const session: Session = new Session(served, ownerLine, { extras: {}, onClose: () => undefined })
  cache.lifecycle$.subscribe({ complete: () => setImmediate(() => session.close(new CacheClosedError('closed'))) })
  return [ownerLine, clientLine]
}
