/**
 * One of the three HTTP servers: sessions and a rate limit in one cache, a copy of which is in every server.
 * `node dist/examples/cluster/server.js nats://127.0.0.1:4222,…` prints its port.
 */
import { EventEmitter } from 'node:events'
import { createServer } from 'node:http'
import { openCluster } from 'daybook/cluster'
import { sessionStore } from 'daybook/express-session'
import { nats } from 'daybook/nats'
import { rateLimitStore } from 'daybook/rate-limit'

const LIMIT = Number(process.env['EXAMPLE_LIMIT'] ?? 100)

const servers = (process.argv[2] ?? 'nats://127.0.0.1:4222').split(',')
const cache = await openCluster({ name: 'example', engine: nats({ servers, replicas: 3 }), maxSize: 10_000 })
cache.role$.subscribe(({ role, term }) => process.send?.({ role, term }))

const limits = rateLimitStore({ cache })
limits.init({ windowMs: 3_600_000 })
// As `app.use(session({ store }))` of Express uses it. Its module is not needed for a store alone.
const sessions = sessionStore({ Store: EventEmitter }, { cache }) as unknown as Store

const server = createServer(async ({ url = '' }, response) => {
  try {
    const { totalHits } = await limits.increment('everybody')
    if (totalHits > LIMIT) {
      response.writeHead(429).end()
      return
    }
    const session = (await found(url)) ?? { pages: 0, cookie: {} }
    session.pages++
    await new Promise<void>((done, fail) => sessions.set(url, session, (error) => (error ? fail(error) : done())))
    response.end(String(session.pages))
  } catch (error) {
    response.writeHead(503).end(String(error))
  }
})
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number }
  console.log(`listening on port ${port}`)
  process.send?.({ port })
})

process.once('SIGTERM', async () => {
  server.close()
  await cache.close()
  process.disconnect?.()
})

interface Session {
  pages: number
  cookie: object
}

interface Store {
  get(id: string, done: (error: unknown, session?: Session) => void): void
  set(id: string, session: Session, done: (error: unknown) => void): void
}

function found(id: string): Promise<Session | undefined> {
  return new Promise((done, fail) => sessions.get(id, (error, session) => (error ? fail(error) : done(session))))
}
