/**
 * An HTTP server of eight processes (node:cluster) with one rate limit and one set of sessions: `node dist/examples/workers.js`.
 * Workers are killed while requests arrive, the owner of the cache among them, and the limit stays exact.
 */
import cluster, { type Worker } from 'node:cluster'
import { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sessionStore } from 'daybook/express-session'
import { openShared } from 'daybook/processes'
import { rateLimitStore } from 'daybook/rate-limit'

const WORKERS = 8
const LIMIT = 200
const REQUESTS = 400
const KILLS = 3

if (cluster.isPrimary) await primary()
else await worker()

/** A worker: every request counts against the limit, and adds a page to its visitor's session. */
async function worker(): Promise<void> {
  const cache = await openShared({ directory: process.env['EXAMPLE_JOURNAL'], reconnectTimeout: 60 })
  cache.role$.subscribe(({ role }) => process.send?.(role))
  const limits = rateLimitStore({ cache })
  limits.init({ windowMs: 3_600_000 })
  // As `app.use(session({ store }))` of Express uses it. Its module is not needed for a store alone.
  const sessions = sessionStore({ Store: EventEmitter }, { cache }) as unknown as Store
  const server = createServer(async ({ url = '' }, response) => {
    const { totalHits } = await limits.increment('everybody')
    if (totalHits > LIMIT) {
      response.writeHead(429).end()
      return
    }
    const session = (await found(sessions, url)) ?? { pages: 0, cookie: {} }
    session.pages++
    await new Promise((resolve) => sessions.set(url, session, resolve))
    response.end(String(session.pages))
  })
  server.listen(0)
}

interface Session {
  pages: number
  cookie: object
}

interface Store {
  get(id: string, done: (error: unknown, session?: Session) => void): void
  set(id: string, session: Session, done: (error: unknown) => void): void
}

function found(sessions: Store, id: string): Promise<Session | undefined> {
  return new Promise((resolve, reject) =>
    sessions.get(id, (error, session) => (error ? reject(error) : resolve(session))),
  )
}

async function primary(): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'daybook-workers-')) // removed at the end
  const directory = join(root, 'journal')
  let owner: Worker | undefined
  let isEnding = false
  cluster.schedulingPolicy = cluster.SCHED_NONE // workers accept connections themselves, which end with them
  const fork = () => {
    const forked = cluster.fork({ EXAMPLE_JOURNAL: directory })
    forked.on('message', (role) => {
      if (role === 'owner') owner = forked
    })
    return new Promise<number>((resolve) => forked.once('listening', ({ port }) => resolve(port)))
  }
  cluster.on('exit', () => {
    if (!isEnding) fork()
  })
  const [port = 0] = await Promise.all(Array.from({ length: WORKERS }, fork))
  console.log(`${WORKERS} workers share one cache`)

  // Eight visitors, each with one request after the other; now and then the owner of the cache is killed.
  let [done, allowed, lost] = [0, 0, 0]
  const visit = async (visitor: number) => {
    for (; done < REQUESTS; ) {
      const number = done++
      if (number % Math.ceil(REQUESTS / (KILLS + 1)) === REQUESTS / 10) owner?.process.kill('SIGKILL')
      const status = await statusOf(port, `/${visitor}`)
      if (status === 200) allowed++
      if (status === undefined) lost++
    }
  }
  await Promise.all(Array.from({ length: WORKERS }, (_, visitor) => visit(visitor)))

  // What the killed workers did not answer may have counted, once.
  const cache = await openShared<number>({ directory, owner: 'never', reconnectTimeout: 60 })
  const counted = (await cache.get('rl:everybody')) ?? 0
  console.log(`the limit was exact: ${allowed <= LIMIT && allowed + lost >= LIMIT}`)
  console.log(`every request counted once: ${counted <= REQUESTS && counted >= REQUESTS - lost}`)
  isEnding = true
  await cache.close()
  for (const each of Object.values(cluster.workers ?? {})) each?.process.kill('SIGKILL')
  rmSync(root, { recursive: true, force: true })
}

/** Undefined if the worker was killed before it answered. */
function statusOf(port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    get({ port, path, agent: false }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode))
      response.on('error', () => resolve(undefined))
    }).on('error', () => resolve(undefined))
  })
}
