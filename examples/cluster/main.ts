/**
 * Three HTTP servers, three NATS servers, and visitors who notice neither that an HTTP server is killed nor that a NATS server is:
 * `node dist/examples/cluster/main.js`. Prints what the visitors saw.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openCluster } from 'daybook/cluster'
import { nats } from 'daybook/nats'
import { startNatsServers } from './nats-servers.js'

const VISITORS = 8
const REQUESTS = Number(process.env['EXAMPLE_REQUESTS'] ?? 400)
const LIMIT = REQUESTS / 2

interface HttpServer {
  readonly process: ChildProcess
  readonly port: number
  role: string
}

const root = mkdtempSync(join(tmpdir(), 'daybook-cluster-')) // removed at the end
const natsServers = await startNatsServers(root)
const urls = natsServers.map(({ url }) => url)
const running: HttpServer[] = await Promise.all([1, 2, 3].map(start))
console.log('three HTTP servers share one cache on three NATS servers')

// Each visitor makes one request after the other, to any server that runs.
let [sent, allowed, refused, unanswered] = [0, 0, 0, 0]
let longestMs = 0
async function visit(visitor: number): Promise<void> {
  while (sent < REQUESTS) {
    const number = sent++
    if (number === Math.floor(REQUESTS / 4)) killLeader()
    if (number === Math.floor(REQUESTS / 2)) killNats()
    const { port } = running[number % running.length] as HttpServer
    const startMs = Date.now()
    const status = await statusOf(port, `/${visitor}`)
    longestMs = Math.max(longestMs, Date.now() - startMs)
    if (status === 200) allowed++
    else if (status === 429) refused++
    else unanswered++
  }
}

function killLeader(): void {
  const place = running.findIndex(({ role }) => role === 'leader')
  const [killed] = running.splice(Math.max(place, 0), 1)
  killed?.process.kill('SIGKILL')
  console.log('killed the HTTP server that leads')
}

function killNats(): void {
  natsServers[0]?.process.kill('SIGKILL')
  console.log('killed a NATS server')
}

await Promise.all(Array.from({ length: VISITORS }, (_, visitor) => visit(visitor)))

// What the killed server did not answer may have counted, once.
const cache = await openCluster<number>({ name: 'example', engine: nats({ servers: urls, replicas: 3 }) })
const counted = (await cache.get('rl:everybody')) ?? 0
await cache.close()
console.log(`${allowed} allowed, ${refused} refused, ${unanswered} not answered; the longest took ${longestMs} ms`)
console.log(`the limit was exact: ${allowed <= LIMIT && allowed + unanswered >= LIMIT}`)
console.log(`every request counted once: ${counted <= REQUESTS && counted >= REQUESTS - unanswered}`)

for (const { process: child } of running) child.kill('SIGKILL')
for (const { process: child } of natsServers) child.kill('SIGKILL')
rmSync(root, { recursive: true, force: true })

function start(): Promise<HttpServer> {
  const child = fork(fileURLToPath(new URL('server.js', import.meta.url)), [urls.join(',')], {
    env: { ...process.env, EXAMPLE_LIMIT: String(LIMIT) },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  return new Promise((done, fail) => {
    child.once('exit', (code) => fail(new Error(`a server ended with ${code}`)))
    let server: HttpServer | undefined
    let role = 'follower'
    child.on('message', (message: { role?: string; port?: number }) => {
      role = message.role ?? role
      if (message.port !== undefined) {
        server = { process: child, port: message.port, role }
        done(server)
      } else if (server !== undefined) server.role = role
    })
  })
}

/** Undefined if the server was killed before it answered. */
function statusOf(port: number, path: string): Promise<number | undefined> {
  return new Promise((done) => {
    get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      response.resume()
      response.on('end', () => done(response.statusCode))
      response.on('error', () => done(undefined))
    }).on('error', () => done(undefined))
  })
}
